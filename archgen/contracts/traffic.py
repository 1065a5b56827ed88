"""Which messages a system sends, what they carry, and who sends and receives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from archgen.spec.model import Aggregate, Choreography, FieldType, Orchestration, Scalar, System


@dataclass(frozen=True)
class EventMessage:
    """An event on the bus. `fields` is its data, the aggregate's id first."""

    name: str
    service: str
    aggregate: str
    id_field: str
    fields: dict[str, FieldType]
    consumers: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"event.{self.name}"


@dataclass(frozen=True)
class CommandMessage:
    """A command that a saga sends. `fields` is its data, the aggregate's id first."""

    service: str
    aggregate: str
    command: str
    id_field: str
    fields: dict[str, FieldType]
    senders: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.service}.{self.command}"

    @property
    def key(self) -> str:
        return f"command.{self.name}"


@dataclass(frozen=True)
class Traffic:
    """All messages of a system; `reply_owners` are the services that await replies."""

    events: tuple[EventMessage, ...]
    commands: tuple[CommandMessage, ...]
    reply_owners: tuple[str, ...]


def id_type(aggregate: Aggregate) -> FieldType:
    """The type of the field that identifies the aggregate; a uuid unless the file says otherwise."""
    return aggregate.fields.get(aggregate.id, FieldType(scalar=Scalar.UUID))


def event_fields(aggregate: Aggregate, event: str) -> dict[str, FieldType]:
    """The data of an event: the id, and every field of the aggregate unless `events:` narrows it."""
    known = dict(aggregate.fields)
    for command in aggregate.commands.values():
        if event in (command.emits, command.fails):
            known |= {name: field for name, field in command.takes.items() if name not in known}
    names = aggregate.events.get(event, tuple(aggregate.fields))
    return {aggregate.id: id_type(aggregate)} | {name: known[name] for name in names}


def command_fields(aggregate: Aggregate, command: str) -> dict[str, FieldType]:
    """The data of a command on the bus: the id of the aggregate and what the command takes."""
    return {aggregate.id: id_type(aggregate)} | aggregate.commands[command].takes


def traffic(system: System) -> Traffic:
    """Every message of the system, once, in the order of the file."""
    sent = list(_sent(system))
    return Traffic(
        tuple(_events(system)),
        tuple(_commands(system, sent)),
        tuple(dict.fromkeys(owner for owner, _ in sent)),
    )


def _events(system: System) -> Iterator[EventMessage]:
    listeners = _listeners(system)
    for service_name, service in system.services.items():
        for aggregate_name, aggregate in service.aggregates.items():
            pairs = [(command.emits, command.fails) for command in aggregate.commands.values()]
            for event in dict.fromkeys(event for pair in pairs for event in pair if event):
                yield EventMessage(
                    name=event,
                    service=service_name,
                    aggregate=aggregate_name,
                    id_field=aggregate.id,
                    fields=event_fields(aggregate, event),
                    consumers=tuple(dict.fromkeys(who for to, who in listeners if fnmatchcase(event, to))),
                )


def _commands(system: System, sent: list[tuple[str, str]]) -> Iterator[CommandMessage]:
    for service_name, service in system.services.items():
        for aggregate_name, aggregate in service.aggregates.items():
            for command in aggregate.commands:
                senders = dict.fromkeys(owner for owner, name in sent if name == f"{service_name}.{command}")
                if senders:
                    yield CommandMessage(
                        service=service_name,
                        aggregate=aggregate_name,
                        command=command,
                        id_field=aggregate.id,
                        fields=command_fields(aggregate, command),
                        senders=tuple(senders),
                    )


def _listeners(system: System) -> list[tuple[str, str]]:
    """Pairs of an event pattern and a service that listens to it."""
    found: list[tuple[str, str]] = []
    for name, service in system.services.items():
        found += [(event, name) for event in service.on]
        found += [(pattern, name) for view in service.views.values() for pattern in view.sources]
    for saga in system.sagas.values():
        match saga:
            case Orchestration():
                found.append((saga.when, saga.owner))
            case Choreography():
                found += [(step.when, step.do.partition(".")[0]) for step in saga.steps]
    return found


def _sent(system: System) -> Iterator[tuple[str, str]]:
    """Pairs of a saga's owner and a command, `service.command`, that the saga sends."""
    for saga in system.sagas.values():
        if isinstance(saga, Orchestration):
            commands = [command for step in saga.steps for command in (step.do, step.undo)]
            for command in (*commands, saga.then, saga.otherwise):
                if command:
                    yield saga.owner, command
