"""What must hold after a recovery, whatever was lost and restored on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from chassis.domain import AggregateType
from chassis.jsons import decode, encode
from chassis.messages import Message
from chassis.service import Service
from chassis.store import AggregateStore
from chassis.tables import aggregates, dead_letters, events, outbox, saga_steps, sagas

State = dict[str, Any]
Found = Iterator[str]


@dataclass(frozen=True)
class Kept:
    """What one service has in its database. `states` are by aggregate type and id, with versions."""

    service: Service
    states: Mapping[str, Mapping[str, tuple[State, int]]]
    sagas: Sequence[tuple[str, str, str]]  # id, name, status
    steps: Sequence[tuple[str, str, str]]  # saga id, step, state
    waiting: int
    given_up: Sequence[str]


@dataclass(frozen=True)
class Evidence:
    """Everything the system has, once it is at rest."""

    kept: Mapping[str, Kept]
    messages: Sequence[Message]

    def of(self, type: str) -> list[State]:
        """The states of all aggregates of this type."""
        return [state for one in self.kept.values() for state, _ in one.states.get(type, {}).values()]


def keep(service: Service, conn: Connection) -> Kept:
    """Read the database of `service`."""
    store = AggregateStore(conn)
    states: dict[str, dict[str, tuple[State, int]]] = {}
    for type in service.aggregates:
        column = events.c.stream if type.event_sourced else aggregates.c.id
        table = events if type.event_sourced else aggregates
        ids = conn.scalars(select(column).where(table.c.kind == type.name).distinct())
        held = {id: store.load(type, id) for id in ids}
        states[type.name] = {id: (encode(one.state), one.version) for id, one in held.items()}
    return Kept(
        service,
        states,
        [tuple(row) for row in conn.execute(select(sagas.c.id, sagas.c.name, sagas.c.status))],
        [
            tuple(row)
            for row in conn.execute(select(saga_steps.c.saga_id, saga_steps.c.step, saga_steps.c.state))
        ],
        conn.scalar(select(func.count()).select_from(outbox)) or 0,
        list(conn.scalars(select(dead_letters.c.reason))),
    )


def judge(evidence: Evidence) -> list[str]:
    """Everything that does not hold; empty when all is well."""
    return [f"{check.__name__.replace('_', ' ')}: {text}" for check in CHECKS for text in check(evidence)]


def every_state_is_what_its_events_say(evidence: Evidence) -> Found:
    """So a stock, a balance or any other sum is what was added to it and taken from it, each once."""
    told = _events(evidence)
    for name, kept in evidence.kept.items():
        for type in kept.service.aggregates:
            for id, (state, version) in kept.states[type.name].items():
                history = told.get((kept.service.origin.source, type.name, id), {})
                if sorted(history) != list(range(1, version + 1)):
                    there = sorted(history)
                    yield f"{name}: {type.name} {id} is at version {version}, the stream has {there}"
                elif _fold(type, history) != state:
                    yield f"{name}: {type.name} {id} is {state}, its events make it {_fold(type, history)}"
    for (source, type_name, id), history in told.items():
        kept = evidence.kept[source.rpartition("/")[2]]
        if id not in kept.states[type_name]:
            yield f"{type_name} {id} is gone; the stream has {len(history)} events of it"


def no_two_events_claim_the_same_place(evidence: Evidence) -> Found:
    for (_, type_name, id), history in _events(evidence).items():
        for version, said in history.items():
            if any((one.address, one.data) != (said[0].address, said[0].data) for one in said):
                yield f"{type_name} {id} has two different events of version {version}"


def a_saga_makes_each_thing_once(evidence: Evidence) -> Found:
    made: dict[tuple[str, str], set[str]] = defaultdict(set)
    for message in evidence.messages:
        if message.saga_id and message.version == 1 and ".event." in message.address:
            made[message.saga_id, message.address].add(message.subject)
    for (saga_id, address), subjects in made.items():
        if len(subjects) > 1:
            yield f"saga {saga_id} has {len(subjects)} times {address.rpartition('.event.')[2]}"


def every_saga_has_ended(evidence: Evidence) -> Found:
    for name, kept in evidence.kept.items():
        for id, saga, status in kept.sagas:
            if status not in ("done", "compensated"):
                yield f"{name}: {saga} {id} is {status}"


def sagas_and_their_steps_agree(evidence: Evidence) -> Found:
    steps = {(saga, step): state for kept in evidence.kept.values() for saga, step, state in kept.steps}
    for kept in evidence.kept.values():
        for id, name, status in kept.sagas:
            saga = kept.service.orchestrator.sagas[name]
            for index, step in enumerate(saga.steps):
                state = steps.get((id, saga.keys[index]), "never asked")
                if status == "done" and state != "done":
                    yield f"saga {id} is done, and its step {saga.keys[index]} is {state}"
                if status == "compensated" and state == "done" and step.undo:
                    yield f"saga {id} is compensated, and its step {saga.keys[index]} is still done"


def nothing_waits_and_nothing_was_given_up(evidence: Evidence) -> Found:
    for name, kept in evidence.kept.items():
        if kept.waiting:
            yield f"{name} has {kept.waiting} messages to publish"
        yield from (f"{name} has a dead letter: {reason}" for reason in kept.given_up)


CHECKS: tuple[Callable[[Evidence], Found], ...] = (
    every_state_is_what_its_events_say,
    no_two_events_claim_the_same_place,
    a_saga_makes_each_thing_once,
    every_saga_has_ended,
    sagas_and_their_steps_agree,
    nothing_waits_and_nothing_was_given_up,
)

Histories = dict[tuple[str, str, str], dict[int, list[Message]]]


def _events(evidence: Evidence) -> Histories:
    """By source, aggregate type and id: the events of each version."""
    types = {
        (kept.service.origin.source, event.NAME): type.name
        for kept in evidence.kept.values()
        for type in kept.service.aggregates
        for event in type.events
    }
    told: Histories = defaultdict(lambda: defaultdict(list))
    for message in evidence.messages:
        type_name = types.get((message.source, message.address.partition(".event.")[2]))
        if type_name:
            told[message.source, type_name, message.subject][message.version].append(message)
    return told


def _fold(type: AggregateType[Any], history: Mapping[int, Sequence[Message]]) -> State:
    state = None
    for version in sorted(history):
        message = history[version][0]
        event = type.event_classes[message.address.partition(".event.")[2]]
        state = type.evolve(state, decode(event, message.data))
    return encode(state)
