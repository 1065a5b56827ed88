"""What fresh domain code does: every command has its effect, before anybody has edited a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archgen.escape import py
from archgen.languages.python_format import call, list_of
from archgen.languages.python_history import from_state, made_from_state, state_import
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.languages.python_messages import lines
from archgen.languages.python_types import imports, literal, neutral
from archgen.plan_types import Code
from archgen.spec.analysis import CommandFacts, EventFacts
from archgen.spec.model import FieldType
from archgen.spec.names import python_name, snake, title, unique


@dataclass(frozen=True)
class Argument:
    """`name=value` in a call."""

    name: str
    value: Code


@dataclass(frozen=True)
class Decision:
    """One branch of `decide`. `settled` is the value of the status that makes the command idle."""

    cls: str
    creates: bool
    event: str
    arguments: tuple[Argument, ...]
    result: Code
    status_field: str
    settled: str
    fails: str


@dataclass(frozen=True)
class Evolution:
    """One branch of `evolve` or `project`; it makes a new value or changes the one there is."""

    cls: str
    makes: bool
    arguments: tuple[Argument, ...]
    result: Code


def aggregate_file(layout: Layout, aggregate: str) -> dict[str, object]:
    """The context of domain/<aggregate>.py."""
    fields = layout.fields(layout.name, aggregate)
    commands = layout.commands_of(layout.name, aggregate)
    events = layout.events_of(layout.name, aggregate)
    decisions = [_decision(layout, command, fields) for command in commands]
    variable = state_variable(aggregate)
    evolutions = [_evolution(layout, event, fields, aggregate, variable, state=True) for event in events]
    package, module = layout.package_of(layout.name), snake(aggregate)
    wanted: set[Import] = {("dataclasses", "dataclass"), ("chassis.errors", "existing")}
    wanted |= imports(fields.values(), layout.package)
    wanted |= {(f"{package}.{module}", name) for name in ("Command", "Event")}
    wanted |= {(f"{package}.{module}", d.cls) for d in decisions} | {
        (f"{package}.{module}", d.event) for d in decisions
    }
    wanted |= {(f"{package}.{module}", e.cls) for e in evolutions}
    wanted |= _needed(layout, [*decisions, *evolutions])
    if any(each.arguments and not each.makes for each in evolutions):
        wanted.add(("dataclasses", "replace"))
    if any(decision.creates for decision in decisions):
        wanted.add(("chassis.errors", "Refused"))
    if all(decision.creates for decision in decisions):
        wanted.discard(("chassis.errors", "existing"))
    return {
        "imports": layout.imports(wanted),
        "aggregate": aggregate,
        "variable": variable,
        "fields": lines(fields),
        "id_field": layout.service.aggregates[aggregate].id,
        "exists_already": f"this {title(aggregate).lower()} exists already",
        "needs_existing": not all(decision.creates for decision in decisions),
        "decisions": decisions,
        "evolutions": evolutions,
    }


def state_variable(aggregate: str) -> str:
    """What the state is called in the functions of the domain and of its tests."""
    taken = {
        "decide",
        "evolve",
        "existing",
        "replace",
        "date",
        "datetime",
        "given",
        "after",
        "event",
        "pytest",
    }
    return unique(python_name(aggregate), taken, "_")


def _decision(layout: Layout, command: CommandFacts, fields: dict[str, FieldType]) -> Decision:
    event = layout.analysis.events[command.emits]
    status, value = told(command, fields)
    arguments = []
    for name, field in event.fields.items():
        if said(command, name, field):
            source = Code(f"command.{name}")
        elif name == status:
            source = py(value)
        elif command.creates:
            source = literal(layout.system, field, neutral(layout.system, field))
        else:
            source = Code(f"{state_variable(command.aggregate)}.{name}")
        arguments.append(Argument(name, source))
    made = call(layout.event_class(event), [(each.name, each.value) for each in arguments])
    return Decision(
        layout.command_class(command),
        command.creates,
        layout.event_class(event),
        tuple(arguments),
        list_of([made]),
        status,
        value if not command.creates else "",
        layout.event_class(layout.analysis.events[command.fails]) if command.fails else "",
    )


def status_of(event: str, fields: dict[str, FieldType]) -> tuple[str, str]:
    """The enum field one of whose values is the event's last word: `order.confirmed` → status, confirmed."""
    word = event.partition(".")[2]
    single = ((name, field) for name, field in fields.items() if not field.many)
    return next(((name, word) for name, field in single if word in field.enum), ("", ""))


def told(command: CommandFacts, fields: dict[str, FieldType]) -> tuple[str, str]:
    """The status that a command leads to by its event's name, unless it takes it as an argument."""
    status, value = status_of(command.emits, fields)
    return ("", "") if status in command.arguments else (status, value)


def said(command: CommandFacts, name: str, field: FieldType) -> bool:
    """Whether the command says what the event's field is."""
    return name == command.id_field or (name in command.arguments and command.arguments[name].fits(field))


def _evolution(
    layout: Layout, event: EventFacts, fields: dict[str, FieldType], cls: str, variable: str, *, state: bool
) -> Evolution:
    """A state or a row is made by a creating command's events, a row also by one that has all its fields."""
    commands = [layout.analysis.commands[name] for name in event.commands]
    makes = any(command.creates for command in commands) or (not state and set(fields) <= set(event.fields))
    status, value = status_of(event.name, fields)
    arguments = []
    for name, field in fields.items():
        if name in event.fields:
            if makes or name != event.id_field:
                arguments.append(Argument(name, Code(f"event.{name}")))
        elif name == status:
            arguments.append(Argument(name, py(value)))
        elif makes:
            arguments.append(Argument(name, literal(layout.system, field, neutral(layout.system, field))))
    pairs = [(each.name, each.value) for each in arguments]
    made = call(cls, pairs) if makes else call("replace", [("", variable), *pairs])
    return Evolution(layout.event_class(event), makes, tuple(arguments), made)


def _needed(layout: Layout, branches: Sequence[Decision | Evolution]) -> set[Import]:
    """Imports for the values in what the branches make, named types inside others included."""
    values = [argument.value for branch in branches for argument in branch.arguments]
    text = " ".join(values)
    named = {name for name in layout.system.types if re.search(rf"\b{name}\(", text)}
    return needed_by(values) | {(f"{layout.package}.generated.types", name) for name in named}


def needed_by(values: Iterable[str]) -> set[Import]:
    """Imports for what expressions of neutral values name."""
    text = " ".join(values)
    names: dict[str, Import] = {
        "Money.": ("chassis.money", "Money"),
        "UUID(": ("uuid", "UUID"),
        "datetime.": ("datetime", "datetime"),
        "date.": ("datetime", "date"),
    }
    return {wanted for mark, wanted in names.items() if mark in text}


def use_case_file(layout: Layout, aggregate: str, command: str) -> dict[str, object]:
    """The context of commands/<command>.py."""
    facts = layout.analysis.commands[f"{layout.name}.{command}"]
    package, module = layout.package_of(layout.name), snake(aggregate)
    function = python_name(command)
    cls = layout.command_class(facts)
    aggregates = unique("aggregates", {function}, "_")
    wanted: set[Import] = {
        ("chassis.uow", "UnitOfWork"),
        (package, "aggregates" if function != "aggregates" else f"aggregates as {aggregates}"),
        (f"{package}.{module}", cls),
    }
    return {
        "imports": layout.imports(wanted),
        "aggregate": aggregate,
        "constant": Code(f"{aggregates}.{snake(aggregate).upper()}"),
        "function": function,
        "title": title(command),
        "cls": cls,
        "id_field": facts.id_field,
        "emits": facts.emits,
        "fails": facts.fails,
    }


def view_file(layout: Layout, view: str) -> dict[str, object]:
    """The context of views/<view>.py."""
    described = layout.service.views[view]
    fields = layout.fields(layout.name, described.of)
    heard = {event.name for pattern in described.sources for event in layout.analysis.facts.matching(pattern)}
    events = layout.events_of(layout.name, described.of)
    row = layout.row_class(view)
    projections = [
        _evolution(layout, each, fields, row, "row", state=False) for each in events if each.name in heard
    ]
    package, module = layout.package_of(layout.name), snake(described.of)
    wanted: set[Import] = {("dataclasses", "dataclass"), (f"{package}.{module}", "Event")}
    wanted |= imports(fields.values(), layout.package)
    wanted |= {(f"{package}.{module}", p.cls) for p in projections}
    wanted |= _needed(layout, projections)
    if any(each.arguments and not each.makes for each in projections):
        wanted.add(("dataclasses", "replace"))
    if made_from_state(layout, view):
        wanted.add(state_import(layout, view))
    return {
        **from_state(layout, view),
        "imports": layout.imports(wanted),
        "view": view,
        "row": row,
        "aggregate": described.of,
        "fields": lines(fields),
        "projections": projections,
        "hears_all": len(projections) == len(events),
    }
