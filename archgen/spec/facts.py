"""Who emits what with which fields, and who listens: what follows from a System without any judgement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from archgen.spec.document import Path
from archgen.spec.fieldtypes import FieldType, Scalar
from archgen.spec.model import Aggregate, Command, Orchestration, System

UUID = FieldType(scalar=Scalar.UUID)


@dataclass(frozen=True)
class EventFacts:
    """An event and its producer. `fields` has the aggregate's id first, then what it carries, in order.

    `failure` is true where a command names it under `fails`. `commands` are the producers'
    commands that emit it, as `service.command`. `version` counts the shapes that its data has had.
    """

    name: str
    service: str
    aggregate: str
    id_field: str
    fields: dict[str, FieldType]
    failure: bool
    commands: tuple[str, ...]
    version: int = 1


@dataclass(frozen=True)
class CommandFacts:
    """A command as its callers see it. `name` is `service.command`.

    `arguments` has the id of the aggregate first: every command addresses its aggregate by id, and
    whoever sends a creating command assigns it (over HTTP it may be left out).
    """

    name: str
    service: str
    aggregate: str
    id_field: str
    arguments: dict[str, FieldType]
    creates: bool
    emits: str
    fails: str


@dataclass(frozen=True)
class Consumer:
    """What listens to an event: a view or reaction of `service`, or a saga, whose owner it is.

    The service that a choreographed saga's step runs in is the one whose command it does.
    """

    kind: Literal["view", "reaction", "saga"]
    service: str
    name: str


@dataclass(frozen=True)
class Facts:
    """Events by name, commands by `service.command`, and the listeners of each event by its name.

    Where the file declares a name twice, the first one counts.
    """

    events: dict[str, EventFacts]
    commands: dict[str, CommandFacts]
    consumers: dict[str, tuple[Consumer, ...]]

    def matching(self, pattern: str) -> tuple[EventFacts, ...]:
        """The events that a view's pattern, `order.created` or `order.*`, stands for."""
        subject, _, rest = pattern.partition(".")
        if rest == "*":
            return self._by_subject.get(subject, ())
        return (self.events[pattern],) if pattern in self.events else ()

    @cached_property
    def _by_subject(self) -> dict[str, tuple[EventFacts, ...]]:
        found: dict[str, list[EventFacts]] = {}
        for event in self.events.values():
            found.setdefault(event.name.partition(".")[0], []).append(event)
        return {subject: tuple(events) for subject, events in found.items()}


def collect(system: System) -> Facts:
    """The facts of a system, also of one whose references do not all resolve."""
    commands = {
        f"{service}.{name}": _command(service, owner, name, aggregate, command)
        for service, owner, aggregate, name, command in reversed(list(_commands(system)))
    }
    commands = dict(reversed(commands.items()))
    events = _events(system, commands)
    facts = Facts(events, commands, {})
    return replace(facts, consumers=_consumers(system, facts))


def id_type(aggregate: Aggregate) -> FieldType:
    """The type of the field that identifies an aggregate."""
    return aggregate.fields.get(aggregate.id, UUID)


def carriable(aggregate: Aggregate, event: str) -> dict[str, FieldType]:
    """What an event may carry: the aggregate's fields, and the arguments of all commands that lead to it."""
    takes = [each.takes for each in aggregate.commands.values() if event in (each.emits, each.fails)]
    shared = {
        name: kind
        for name, kind in (takes[0] if takes else {}).items()
        if all(each.get(name) == kind for each in takes)
    }
    return {aggregate.id: id_type(aggregate)} | shared | aggregate.fields


def aggregates(system: System) -> Iterator[tuple[str, str, Aggregate, Path]]:
    """Service, name, aggregate and path of each aggregate of the system."""
    for service, described in system.services.items():
        for name, aggregate in described.aggregates.items():
            yield service, name, aggregate, ("services", service, "aggregates", name)


def _commands(system: System) -> Iterator[tuple[str, str, Aggregate, str, Command]]:
    for service, owner, aggregate, _ in aggregates(system):
        for name, command in aggregate.commands.items():
            yield service, owner, aggregate, name, command


def _command(service: str, owner: str, name: str, aggregate: Aggregate, command: Command) -> CommandFacts:
    return CommandFacts(
        name=f"{service}.{name}",
        service=service,
        aggregate=owner,
        id_field=aggregate.id,
        arguments={aggregate.id: id_type(aggregate), **command.takes},
        creates=command.creates,
        emits=command.emits,
        fails=command.fails,
    )


def _events(system: System, commands: dict[str, CommandFacts]) -> dict[str, EventFacts]:
    emitted: dict[str, list[tuple[CommandFacts, bool]]] = {}
    for command in commands.values():
        for event, failure in ((command.emits, False), (command.fails, True)):
            if event:
                emitted.setdefault(event, []).append((command, failure))
    return {event: _event(system, event, sources) for event, sources in emitted.items()}


def _event(system: System, name: str, sources: list[tuple[CommandFacts, bool]]) -> EventFacts:
    first, failure = sources[0]
    aggregate = system.services[first.service].aggregates[first.aggregate]
    known = carriable(aggregate, name)
    carried = aggregate.events.get(name, tuple(aggregate.fields))
    fields = {aggregate.id: id_type(aggregate)} | {field: known[field] for field in carried if field in known}
    return EventFacts(
        name=name,
        service=first.service,
        aggregate=first.aggregate,
        id_field=aggregate.id,
        fields=fields,
        failure=failure,
        commands=tuple(command.name for command, _ in sources),
        version=aggregate.versions.get(name, 1),
    )


def _consumers(system: System, facts: Facts) -> dict[str, tuple[Consumer, ...]]:
    found: dict[str, dict[Consumer, None]] = {event: {} for event in facts.events}
    for listened, consumer in _listeners(system):
        for event in facts.matching(listened):
            found[event.name][consumer] = None
    return {event: tuple(consumers) for event, consumers in found.items()}


def _listeners(system: System) -> Iterator[tuple[str, Consumer]]:
    for name, service in system.services.items():
        for view_name, view in service.views.items():
            for pattern in view.sources:
                yield pattern, Consumer("view", name, view_name)
        for event in service.on:
            yield event, Consumer("reaction", name, event)
    for name, saga in system.sagas.items():
        if isinstance(saga, Orchestration):
            yield saga.when, Consumer("saga", saga.owner, name)
        else:
            for step in saga.steps:
                yield step.when, Consumer("saga", step.do.partition(".")[0], name)
