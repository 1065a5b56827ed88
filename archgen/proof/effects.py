"""Which aggregate a command really is for, told by where its id comes from; and what `on:` does besides.

Ids are symbols: `trigger.order_id` is the id in the event that starts the saga, `made by payments.charge` one
that the saga assigned. A field of an event has the value of the argument of the same name, if its command
took one; otherwise it is *opaque*, and may be the id of any aggregate of the right kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from archgen.spec.analysis import Analysis, Binding, CommandFacts

Symbol = str
Fields = Mapping[str, Symbol]

_OPAQUE = "some "
_ROUNDS = 8
"""How often `on:` may set off `on:`; a longer row is a circle, or nothing to do with the saga."""


class Target(NamedTuple):
    """An aggregate, as `service.Aggregate`, and which one."""

    aggregate: str
    id: Symbol

    def same(self, other: Target) -> bool:
        """Whether both are, or may be, one and the same."""
        opaque = self.id.startswith(_OPAQUE) or other.id.startswith(_OPAQUE)
        return self.aggregate == other.aggregate and (opaque or self.id == other.id)


class Told(NamedTuple):
    """An event that was emitted, and the values of its fields."""

    event: str
    fields: Fields


class Deed(NamedTuple):
    """A command that was carried out on an aggregate because of an event."""

    command: str
    target: Target
    because: str


def trigger_fields(analysis: Analysis, event: str) -> dict[str, Symbol]:
    """The values of the event that starts a saga."""
    return {field: f"trigger.{field}" for field in analysis.events[event].fields}


def values(
    binding: Binding,
    fields: Fields,
    made: Symbol,
    carried: Fields,
    results: Mapping[int, Fields] = {},
) -> dict[str, Symbol]:
    """The arguments of a command. `made` is the id that is assigned to what it creates."""
    found: dict[str, Symbol] = {}
    for name, source in binding.arguments.items():
        if source.kind == "saga_id":
            found[name] = made
        elif source.kind == "literal":
            found[name] = f"the value {source.value!r}"
        elif source.kind == "reason":
            found[name] = "the reason"
        else:
            known = {"carried": carried, "step": results.get(source.step or 0, {})}.get(source.kind, fields)
            found[name] = known.get(source.field, f"{_OPAQUE}{source.field}")
    return found


def target(command: CommandFacts, arguments: Fields) -> Target:
    return Target(f"{command.service}.{command.aggregate}", arguments[command.id_field])


def told(analysis: Analysis, command: CommandFacts, arguments: Fields, *, failed: bool) -> Told:
    """The event by which a command says that it was done, or refused; its name is empty if none does."""
    event = command.fails if failed else command.emits
    if not event:
        return Told("", {})
    of = arguments[command.id_field]
    fields = {
        field: arguments.get(field, f"{_OPAQUE}{field} of {command.aggregate} {of}")
        for field in analysis.events[event].fields
    }
    return Told(event, fields)


def aftermath(analysis: Analysis, events: Iterable[Told]) -> Iterator[Deed]:
    """What the `on:` of all services does when these events happen, and what follows from that."""
    waiting = [(event, 0) for event in events]
    while waiting:
        event, rounds = waiting.pop(0)
        for service, reactions in analysis.reactions.items():
            bound = reactions.get(event.event)
            if bound is None or rounds == _ROUNDS:
                continue
            command = analysis.commands[bound.do.command]
            arguments = values(bound.do, event.fields, f"made by {command.name} for {event.event}", {})
            yield Deed(command.name, target(command, arguments), f"`on: {event.event}` of {service}")
            waiting.append((told(analysis, command, arguments, failed=False), rounds + 1))
