"""What fresh domain code does: every command has its effect, before anybody has edited a line."""

from __future__ import annotations

from dataclasses import dataclass

from archgen.contracts.examples import example
from archgen.languages.python_format import Group, Item, call
from archgen.languages.python_format import layout as layout_code
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.languages.python_messages import lines
from archgen.languages.python_types import imports, literal, neutral
from archgen.plan_types import Code
from archgen.spec.analysis import CommandFacts, EventFacts
from archgen.spec.model import FieldType
from archgen.spec.names import pascal, python_name, snake, title


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
    evolutions = [_evolution(layout, event, fields, aggregate, python_name(aggregate), state=True) for event in events]
    package, module = layout.module(layout.name, aggregate)
    wanted: set[Import] = {("dataclasses", "dataclass"), ("chassis.errors", "existing")}
    wanted |= imports(fields.values(), layout.package)
    wanted |= {(f"{package}.{module}", name) for name in ("Command", "Event")}
    wanted |= {(f"{package}.{module}", d.cls) for d in decisions} | {(f"{package}.{module}", d.event) for d in decisions}
    wanted |= {(f"{package}.{module}", e.cls) for e in evolutions}
    wanted |= _needed_by(a.value for d in decisions for a in d.arguments)
    if any(not evolution.makes for evolution in evolutions):
        wanted.add(("dataclasses", "replace"))
    if any(decision.creates for decision in decisions):
        wanted.add(("chassis.errors", "Refused"))
    if all(decision.creates for decision in decisions):
        wanted.discard(("chassis.errors", "existing"))
    return {
        "imports": layout.imports(wanted),
        "aggregate": aggregate,
        "variable": python_name(aggregate),
        "fields": lines(fields),
        "id_field": layout.service.aggregates[aggregate].id,
        "exists_already": f"this {title(aggregate).lower()} exists already",
        "needs_existing": not all(decision.creates for decision in decisions),
        "decisions": decisions,
        "evolutions": evolutions,
    }


def _decision(layout: Layout, command: CommandFacts, fields: dict[str, FieldType]) -> Decision:
    event = layout.analysis.events[command.emits]
    status, value = _status(command.emits, fields)
    arguments = []
    for name, field in event.fields.items():
        if name == status:
            source = Code(f'"{value}"')
        elif name == command.id_field or (name in command.arguments and command.arguments[name].fits(field)):
            source = Code(f"command.{name}")
        elif command.creates:
            source = literal(layout.system, field, neutral(layout.system, field))
        else:
            source = Code(f"{python_name(command.aggregate)}.{name}")
        arguments.append(Argument(name, source))
    made = call(layout.event_class(event), [(each.name, each.value) for each in arguments])
    result = Group("[", (Item("", made),), "]")
    return Decision(
        layout.command_class(command),
        command.creates,
        layout.event_class(event),
        tuple(arguments),
        layout_code(result, 12, len("return ")),
        status,
        value if not command.creates else "",
        layout.event_class(layout.analysis.events[command.fails]) if command.fails else "",
    )


def _status(event: str, fields: dict[str, FieldType]) -> tuple[str, str]:
    """The enum field one of whose values is the event's last word: `order.confirmed` → status, confirmed."""
    word = event.partition(".")[2]
    return next(((name, word) for name, field in fields.items() if word in field.enum), ("", ""))


def _evolution(
    layout: Layout, event: EventFacts, fields: dict[str, FieldType], cls: str, variable: str, *, state: bool
) -> Evolution:
    """A state or a row is made by a creating command's events, a row also by any event that has all its fields."""
    commands = [layout.analysis.commands[name] for name in event.commands]
    makes = any(command.creates for command in commands) or (not state and set(fields) <= set(event.fields))
    status, value = _status(event.name, fields)
    arguments = []
    for name, field in fields.items():
        if name in event.fields:
            if makes or name != event.id_field:
                arguments.append(Argument(name, Code(f"event.{name}")))
        elif name == status:
            arguments.append(Argument(name, Code(f'"{value}"')))
        elif makes:
            arguments.append(Argument(name, literal(layout.system, field, neutral(layout.system, field))))
    pairs: list[tuple[str, str | Group]] = [(each.name, each.value) for each in arguments]
    made = call(cls, pairs) if makes else call("replace", [("", variable), *pairs])
    before = len("return ") if state or makes else len(f"return {variable} and ")
    return Evolution(layout.event_class(event), makes, tuple(arguments), layout_code(made, 12, before))


def _needed_by(values: object) -> set[Import]:
    """Imports for what expressions of neutral values name."""
    text = " ".join(str(value) for value in values)  # type: ignore[attr-defined]
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
    package, module = layout.module(layout.name, aggregate)
    constant = snake(aggregate).upper()
    cls = layout.command_class(facts)
    wanted: set[Import] = {
        ("chassis.uow", "UnitOfWork"),
        (f"{package}.aggregates", constant),
        (f"{package}.{module}", cls),
    }
    return {
        "imports": layout.imports(wanted),
        "aggregate": aggregate,
        "constant": constant,
        "function": python_name(command),
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
    projections = [_evolution(layout, event, fields, pascal(view), "row", state=False) for event in events if event.name in heard]
    package, module = layout.module(layout.name, described.of)
    wanted: set[Import] = {("dataclasses", "dataclass"), (f"{package}.{module}", "Event")}
    wanted |= imports(fields.values(), layout.package)
    wanted |= {(f"{package}.{module}", p.cls) for p in projections}
    wanted |= _needed_by(a.value for p in projections for a in p.arguments)
    if any(not projection.makes for projection in projections):
        wanted.add(("dataclasses", "replace"))
    return {
        "imports": layout.imports(wanted),
        "view": view,
        "row": pascal(view),
        "aggregate": described.of,
        "fields": lines(fields),
        "projections": projections,
        "hears_all": len(projections) == len(events),
    }


@dataclass(frozen=True)
class Case:
    """A given-when-then test of one command."""

    name: str
    constant: str
    cls: str
    creates: bool
    event: str
    command: tuple[Argument, ...]
    given: Code
    expected: tuple[Argument, ...]


def aggregate_test(layout: Layout, aggregate: str) -> dict[str, object]:
    """The context of tests/test_<aggregate>.py."""
    commands = layout.commands_of(layout.name, aggregate)
    fields = layout.fields(layout.name, aggregate)
    cases = [_case(layout, command) for command in commands]
    creating = next(case for case in cases if case.creates)
    package, module = layout.module(layout.name, aggregate)
    wanted: set[Import] = {("pytest", ""), ("chassis.errors", "NotFound"), ("chassis.errors", "Refused")}
    wanted |= {(f"{layout.package}.domain.{module}", name) for name in (aggregate, "decide", "evolve")}
    wanted |= {(f"{package}.{module}", case.cls) for case in cases}
    wanted |= {(f"{package}.{module}", case.event) for case in cases}
    arguments = [a for case in cases for a in case.command]
    named = [f for command in commands for f in command.arguments.values() if f.named]
    wanted |= _needed_by(a.value for a in arguments) | imports(named, layout.package)
    nested = [field for f in named for field in layout.system.types[f.named].values() if field.named]
    wanted |= imports(nested, layout.package)
    if not any(not case.creates for case in cases):
        wanted.discard(("chassis.errors", "NotFound"))
    return {
        "imports": layout.imports(wanted),
        "aggregate": aggregate,
        "module": module,
        "variable": python_name(aggregate),
        "cases": cases,
        "creating": creating,
        "id_field": layout.service.aggregates[aggregate].id,
        "fields": lines(fields),
    }


def _case(layout: Layout, command: CommandFacts) -> Case:
    arguments = tuple(
        Argument(name, literal(layout.system, field, example(layout.system, field, name)))
        for name, field in command.arguments.items()
    )
    event = layout.analysis.events[command.emits]
    fields = layout.fields(layout.name, command.aggregate)
    status, value = _status(command.emits, fields)
    if command.creates:
        shared = {name for name in event.fields if name in command.arguments and name != status}
        expected = tuple(argument for argument in arguments if argument.name in shared)
    else:
        expected = (Argument(status, Code(f'"{value}"')),) if status else ()
    name, cls = python_name(command.name.partition(".")[2]), layout.command_class(command)
    return Case(
        name,
        name.upper(),
        cls,
        command.creates,
        layout.event_class(event),
        arguments,
        layout_code(call(cls, [(each.name, each.value) for each in arguments]), 0, len(name) + 3),
        expected,
    )


