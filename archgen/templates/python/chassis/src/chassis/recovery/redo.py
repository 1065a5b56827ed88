"""Brings a restored database forward to what its service told the others before the disaster.

A copy is older than the stream. What the service did in between is in there: its events say how its
aggregates changed, its replies what became of saga steps, its commands how far its sagas were. All of
that is applied here before the service starts, so that it can't contradict itself. What it had only
heard is not applied but delivered again: the inbox knows what is new.

Done twice, it does the same: everything that is applied carries a version or a state to compare.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from chassis import upcasting
from chassis.domain import AggregateType
from chassis.inbox import record
from chassis.messages import Message, derived_id
from chassis.recovery.errors import RecoveryError
from chassis.saga import state
from chassis.saga.definition import OTHERWISE, THEN, Saga
from chassis.saga.state import Instance, Send
from chassis.saga.steps import State
from chassis.service import Service
from chassis.uow import Session


@dataclass
class Redone:
    """How much was brought forward."""

    events: int = 0
    steps: int = 0
    sagas: int = 0
    asked_again: int = 0


@dataclass
class _Log:
    """The stream as one service needs it: what it said, and which messages it had answered."""

    service: Service
    messages: Sequence[Message]
    commands: dict[str, Message] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.prefix = f"{self.service.system}."
        for message in self.messages:
            if message.address.startswith(f"{self.prefix}command."):
                self.commands[message.id] = message
            if self.mine(message) and message.address.startswith(f"{self.prefix}reply."):
                self.answered.add(message.causation_id)

    def mine(self, message: Message) -> bool:
        return message.source == self.service.origin.source

    def event(self, message: Message) -> str:
        """The event's name, or nothing when it is something else."""
        head = f"{self.prefix}event."
        return message.address.removeprefix(head) if message.address.startswith(head) else ""

    def torn(self, message: Message) -> bool:
        """Whether the disaster cut off what belongs to `message`: a step's reply goes out last.

        Then the command is simply handled again, and says the same under the same ids.
        """
        command = self.commands.get(message.causation_id)
        return bool(command and command.saga_id and command.reply_to and command.id not in self.answered)


def redo(service: Service, messages: Sequence[Message], conn: Connection) -> Redone:
    """Apply to `conn` what `messages`, the stream since the copy was taken, says of `service`.

    Runs in one transaction, while the service is stopped. Raises RecoveryError when messages are
    missing between the copy and the rest of the stream.
    """
    log, done = _Log(service, messages), Redone()
    session = Session(conn, service.local)
    for message in messages:
        if log.mine(message) and log.event(message) and not log.torn(message):
            done.events += _evolve(service, session, message, log.event(message))
    for saga_id, step, known, reply in _steps(log):
        done.steps += _remember(session, saga_id, step, known, reply)
    # The sagas next, and only then the flush: what they ask of this service itself is answered from
    # the steps above.
    _sagas(log, session, done)
    session.flush()
    _tick_off(log, conn)
    return done


def _evolve(service: Service, session: Session, message: Message, name: str) -> int:
    for type in service.aggregates:
        event = type.event_classes.get(name)
        if event is None:
            continue
        held = session.aggregates.load(type, message.subject)
        if message.version <= held.version:
            return 0
        if message.version > held.version + 1:
            raise RecoveryError(
                f"{service.name}: {type.name} {message.subject} is at version {held.version}, and the next "
                f"that the stream has is {message.version}; restore a newer copy, or the stream, too"
            )
        happened = _read(type, event, message)
        session.aggregates.save(type, message.subject, type.evolve(held.state, happened), [happened])
        return 1
    return 0


def _read(type: AggregateType[Any], event: Any, message: Message) -> Any:
    version = message.type.rpartition(".v")[2]
    return upcasting.read(event, message.data, int(version) if version.isdigit() else 1, type.upcasters)


def _steps(log: _Log) -> Iterator[tuple[str, str, State, dict[str, Any]]]:
    """Saga id, step, what became of it and the answer, for each step that this service carried out."""
    for message in log.messages:
        if not log.mine(message) or not message.saga_id:
            continue
        if message.address.startswith(f"{log.prefix}reply."):
            done = message.data.get("outcome") == "done"
            if message.saga_phase == "undo":
                yield message.saga_id, message.saga_step, "undone" if done else "done", message.data
            else:
                yield message.saga_id, message.saga_step, "done" if done else "refused", message.data
            continue
        for key, phase, done in _own_step(log.service, message, log.event(message)):
            reply = {"outcome": "done" if done else "refused", "reason": "", "result": message.data}
            if not done:
                reply["reason"] = str(message.data.get("reason") or "")
            state: State = ("undone" if phase == "undo" else "done") if done else "refused"
            yield message.saga_id, key, state, reply


def _own_step(service: Service, message: Message, name: str) -> Iterator[tuple[str, str, bool]]:
    """Step, phase and success that the event `name` tells, if its saga's owner is this very service.

    What an owner asks of itself never goes through the broker; only the event shows it.
    """
    saga = service.orchestrator.sagas.get(message.saga)
    if saga is None or not name:
        return
    asked = [(THEN, "do", saga.then), (OTHERWISE, "do", saga.otherwise)]
    asked += [(saga.keys[i], "do", step.do) for i, step in enumerate(saga.steps)]
    asked += [(saga.keys[i], "undo", step.undo) for i, step in enumerate(saga.steps)]
    for key, phase, command in asked:
        if command is not None and name == command.EMITS.NAME:
            yield key, phase, True
            return
        if command is not None and command.FAILS is not None and name == command.FAILS.NAME:
            yield key, phase, False
            return


def _remember(session: Session, saga_id: str, step: str, known: State, reply: dict[str, Any]) -> int:
    before = session.steps.load(saga_id, step)
    if before and (before.state in (known, "undone") or (before.state == "done" and known == "refused")):
        return 0  # what was undone stays so, and a command that came again did not change what it did
    session.steps.save(saga_id, step, known, reply)
    return 1


def _sagas(log: _Log, session: Session, done: Redone) -> None:
    """Let every saga of this service live through the stream again, and ask once more for what it awaits."""
    orchestrator, now = log.service.orchestrator, time.time()
    moved: dict[str, tuple[Saga, Instance, tuple[Send, ...]]] = {}
    for message in log.messages:
        for saga in orchestrator.sagas.values():
            if log.event(message) == saga.starts_on.NAME:
                id = derived_id(saga.name, message.id)
                if id not in moved and session.sagas.load(id) is None:
                    correlation = message.correlation_id or message.id
                    begun = state.begin(saga, id, message.data, now, correlation, message.trace)
                    moved[id] = (saga, *begun)
        if message.saga in orchestrator.sagas and message.saga_id:
            saga = orchestrator.sagas[message.saga]
            _, before, sends = moved.get(message.saga_id, (saga, session.sagas.load(message.saga_id), ()))
            if before is None:
                continue
            after, new = _hear(log, saga, before, message, now)
            if after != before:
                moved[message.saga_id] = (saga, after, new or sends)
    for _, instance, sends in moved.values():
        session.sagas.save(instance)
        done.sagas += 1
        for send in sends if instance.status not in state.ENDED else ():
            session.outbox.add(orchestrator.message(instance, send))
            done.asked_again += 1


def _hear(log: _Log, saga: Saga, instance: Instance, message: Message, now: float) -> state.Moved:
    """What `message` meant to the instance."""
    phase: state.Phase = "undo" if message.saga_phase == "undo" else "do"
    if message.address == f"{log.prefix}reply.{log.service.name}":
        done, result = message.data.get("outcome") == "done", message.data.get("result") or {}
        reason = str(message.data.get("reason", ""))
        return state.on_reply(
            saga, instance, message.saga_step, phase, done=done, reason=reason, result=result, now=now
        )
    if not log.mine(message):
        return instance, ()
    if message.address.startswith(f"{log.prefix}command.") and phase == "undo":
        return _give_up(saga, instance, now)
    for key, own_phase, done in _own_step(log.service, message, log.event(message)):
        reason = str(message.data.get("reason") or "")
        own: state.Phase = "undo" if own_phase == "undo" else "do"
        return state.on_reply(
            saga, instance, key, own, done=done, reason=reason, result=message.data, now=now
        )
    return instance, ()


def _give_up(saga: Saga, instance: Instance, now: float) -> state.Moved:
    """An undo was sent, so the saga had been given up, for a silence that the stream does not show."""
    if instance.status == "finishing":
        reason = "it was given up before the recovery"
        return state.on_reply(saga, instance, THEN, "do", done=False, reason=reason, result={}, now=now)
    if instance.status != "running":
        return instance, ()
    tired = replace(instance, attempt=1_000_000, deadline=now)
    return state.on_timeout(saga, tired, now)


def _tick_off(log: _Log, conn: Connection) -> None:
    """Events that this service has reacted to are not reacted to again; the reactions' own events show it."""
    promised: dict[str, set[str]] = {}
    for reaction in log.service.reactions:
        outcomes = {each.NAME for each in (reaction.do.command.EMITS, reaction.do.command.FAILS) if each}
        promised.setdefault(reaction.on.NAME, set()).update(outcomes)
    heard = {message.id: log.event(message) for message in log.messages if log.event(message) in promised}
    reacted = {
        message.causation_id
        for message in log.messages
        if log.mine(message) and log.event(message) in promised.get(heard.get(message.causation_id, ""), ())
    }
    consumer = f"{log.service.name}-reactions"
    for piece in _pieces(sorted(reacted), 500):
        record(conn, consumer, piece)


def _pieces(values: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (values[at : at + size] for at in range(0, len(values), size))
