"""Commands, events and named types of a service as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.languages.python_types import annotation, imports
from archgen.plan_types import Code
from archgen.spec.analysis import CommandFacts, EventFacts
from archgen.spec.model import FieldType

_BASIC: set[Import] = {("dataclasses", "dataclass"), ("typing", "ClassVar")}


@dataclass(frozen=True)
class FieldLine:
    """One field of a dataclass as it is printed."""

    name: str
    annotation: Code
    default: Code


@dataclass(frozen=True)
class EventClass:
    """`version` is that of its data."""

    cls: str
    name: str
    version: int
    fields: tuple[FieldLine, ...]


@dataclass(frozen=True)
class CommandClass:
    """`emits` and `fails` are names of event classes in the same module; `fails` may be empty."""

    cls: str
    name: str
    id_field: str
    creates: bool
    emits: str
    fails: str
    fields: tuple[FieldLine, ...]


def lines(fields: Mapping[str, FieldType], *, wire: bool = False) -> tuple[FieldLine, ...]:
    return tuple(
        FieldLine(name, annotation(field, wire=wire), Code(" = None" if field.optional else ""))
        for name, field in fields.items()
    )


def own(layout: Layout, aggregate: str) -> dict[str, object]:
    """All messages of an aggregate of this service."""
    commands = layout.commands_of(layout.name, aggregate)
    events = layout.events_of(layout.name, aggregate)
    return {"own": True, **_module(layout, aggregate, commands, events)}


def peer(layout: Layout, peer: str, module: str) -> dict[str, object]:
    """The messages of a peer's aggregate that this service sends or hears, and what they answer."""
    aggregate = layout.peer_modules[peer][module]
    foreign = [f for f in layout.foreign if (f.service, f.aggregate) == (layout.service_of(peer), aggregate)]
    commands = [facts for facts in foreign if isinstance(facts, CommandFacts)]
    names = {facts.name for facts in foreign if isinstance(facts, EventFacts)}
    names |= {event for command in commands for event in (command.emits, command.fails) if event}
    events = [layout.analysis.events[name] for name in layout.analysis.events if name in names]
    unique = list({command.name: command for command in commands}.values())
    return {"own": False, **_module(layout, aggregate, unique, events)}


def _module(
    layout: Layout, aggregate: str, commands: list[CommandFacts], events: list[EventFacts]
) -> dict[str, object]:
    wanted: set[Import] = set(_BASIC)
    for fields in (*(command.arguments for command in commands), *(event.fields for event in events)):
        wanted |= imports(fields.values(), layout.package, wire=True)
    event_classes = {event.name: layout.event_class(event) for event in events}
    return {
        "aggregate": aggregate,
        "imports": layout.imports(wanted),
        "events": [
            EventClass(event_classes[event.name], event.name, event.version, lines(event.fields, wire=True))
            for event in events
        ],
        "commands": [
            CommandClass(
                layout.command_class(command),
                command.name,
                command.id_field,
                command.creates,
                event_classes[command.emits],
                event_classes[command.fails] if command.fails else "",
                lines(command.arguments, wire=True),
            )
            for command in commands
        ],
    }


def types(layout: Layout) -> dict[str, object]:
    """The named types, each after the ones it is made of."""
    ordered = _ordered(layout.system.types)
    fields = [field for name in ordered for field in layout.system.types[name].values()]
    found = imports(fields, layout.package, wire=True)
    wanted: set[Import] = {("dataclasses", "dataclass")}
    wanted |= {each for each in found if not each[0].endswith(".generated.types")}
    return {
        "imports": layout.imports(wanted),
        "types": [(name, lines(layout.system.types[name], wire=True)) for name in ordered],
    }


def _ordered(types: Mapping[str, Mapping[str, FieldType]]) -> Iterable[str]:
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        for field in types[name].values():
            if field.named and field.named not in done and field.named != name:
                visit(field.named)
        done[name] = None

    for name in types:
        if name not in done:
            visit(name)
    return done
