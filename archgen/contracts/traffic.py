"""The messages of a system: what they carry, and who sends and receives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archgen.spec.facts import CommandFacts, EventFacts, collect
from archgen.spec.fieldtypes import FieldType
from archgen.spec.model import Orchestration, System


@dataclass(frozen=True)
class Message:
    """An event or a command on the bus. `fields` is its data, the aggregate's id first.

    A service does every one of its commands when asked over the bus; `senders` are the services
    known to ask, which are the owners of orchestrated sagas. `version` is that of its data.
    """

    kind: str
    name: str
    service: str
    id_field: str
    fields: dict[str, FieldType]
    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    version: int = 1

    @property
    def key(self) -> str:
        return f"{self.kind}.{self.name}"


@dataclass(frozen=True)
class Traffic:
    """All messages of a system, in the order of the file; `reply_owners` await replies."""

    events: tuple[Message, ...]
    commands: tuple[Message, ...]
    reply_owners: tuple[str, ...]


def traffic(system: System) -> Traffic:
    """Every message of the system, once."""
    facts = collect(system)
    senders: dict[str, dict[str, None]] = {}
    for owner, name in _sent(system):
        senders.setdefault(name, {})[owner] = None
    return Traffic(
        tuple(
            _event(event, [consumer.service for consumer in facts.consumers[event.name]])
            for event in facts.events.values()
        ),
        tuple(_command(command, tuple(senders.get(command.name, ()))) for command in facts.commands.values()),
        tuple(dict.fromkeys(owner for owners in senders.values() for owner in owners)),
    )


def _event(event: EventFacts, consumers: list[str]) -> Message:
    return Message(
        kind="event",
        name=event.name,
        service=event.service,
        id_field=event.id_field,
        fields=event.fields,
        senders=(event.service,),
        receivers=tuple(dict.fromkeys(consumers)),
        version=event.version,
    )


def _command(command: CommandFacts, senders: tuple[str, ...]) -> Message:
    return Message(
        kind="command",
        name=command.name,
        service=command.service,
        id_field=command.id_field,
        fields=command.arguments,
        senders=senders,
        receivers=(command.service,),
    )


def _sent(system: System) -> Iterator[tuple[str, str]]:
    """Pairs of a saga's owner and a command, `service.command`, that the saga sends."""
    for saga in system.sagas.values():
        if isinstance(saga, Orchestration):
            commands = [command for step in saga.steps for command in (step.do, step.undo)]
            for command in (*commands, saga.then, saga.otherwise):
                if command:
                    yield saga.owner, command
