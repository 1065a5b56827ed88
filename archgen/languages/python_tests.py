"""Tests that a fresh service comes with: its domain and its contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archgen.contracts.examples import example
from archgen.escape import py
from archgen.languages.python_domain import (
    Argument,
    needed_by,
    said,
    state_variable,
    status_of,
    told,
)
from archgen.languages.python_format import call
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.languages.python_types import imports, literal, neutral
from archgen.plan_types import Code
from archgen.spec.analysis import CommandFacts
from archgen.spec.model import FieldType
from archgen.spec.names import snake, unique


@dataclass(frozen=True)
class Case:
    """A given-when-then test of one command. `idle` says that a fresh aggregate leaves it nothing to do."""

    test: str
    constant: str
    cls: str
    creates: bool
    idle: bool
    event: str
    given: Code
    expected: tuple[Argument, ...]


def aggregate_test(layout: Layout, aggregate: str) -> dict[str, object]:
    """The context of tests/test_<aggregate>.py."""
    commands = layout.commands_of(layout.name, aggregate)
    fields = layout.fields(layout.name, aggregate)
    package, module = layout.package_of(layout.name), snake(aggregate)
    classes = {layout.command_class(command) for command in commands}
    events = {layout.event_class(layout.analysis.events[command.emits]) for command in commands}
    named = [
        field for command in commands for field in _inside(layout, command.arguments.values()) if field.named
    ]
    wanted: set[Import] = {("pytest", ""), ("chassis", "errors")}
    wanted |= {(f"{layout.package}.domain.{module}", name) for name in (aggregate, "decide", "evolve")}
    wanted |= {(f"{package}.{module}", name) for name in classes}
    wanted |= imports(named, layout.package)
    taken = {aggregate, "UUID", *classes, *events, *layout.system.types}
    creating = next(command for command in commands if command.creates)
    cases = [_case(layout, command, creating, fields, taken) for command in commands]
    wanted |= {(f"{package}.{module}", case.event) for case in cases if not case.idle}
    wanted |= needed_by(case.given for case in cases)
    return {
        "imports": layout.imports(wanted),
        "aggregate": aggregate,
        "variable": unique(state_variable(aggregate), {"errors"}, "_"),
        "cases": cases,
        "creating": next(case for case in cases if case.creates),
        "id_field": creating.id_field,
    }


def _inside(layout: Layout, fields: Iterable[FieldType]) -> Iterator[FieldType]:
    """The fields and, of those with named types, all that is inside."""
    for field in fields:
        yield field
        if field.named:
            yield from _inside(layout, layout.system.types[field.named].values())


def _case(
    layout: Layout,
    command: CommandFacts,
    creating: CommandFacts,
    fields: dict[str, FieldType],
    taken: set[str],
) -> Case:
    """`taken` are the names that the test's module has already; the case adds its own."""
    arguments = [
        (name, literal(layout.system, field, example(layout.system, field, name)))
        for name, field in command.arguments.items()
    ]
    event = layout.analysis.events[command.emits]
    status, value = told(command, fields)
    if command.creates:
        shared = {name for name, field in event.fields.items() if said(command, name, field)}
        expected = tuple(Argument(name, code) for name, code in arguments if name in shared)
    else:
        expected = (Argument(status, py(value)),) if status else ()
    name, cls = command.name.partition(".")[2], layout.command_class(command)
    constant = unique(name.upper(), taken, "_COMMAND")
    test = unique(f"test_{name}", taken, "_")
    taken |= {
        constant,
        test,
        f"{test}_starts_it",
        f"{test}_twice_is_refused",
        f"{test}_needs_one_that_exists",
    }
    return Case(
        test,
        constant,
        cls,
        command.creates,
        not command.creates and status != "" and _initial(layout, creating, status, fields) == value,
        layout.event_class(event),
        call(cls, arguments),
        expected,
    )


def _initial(layout: Layout, creating: CommandFacts, status: str, fields: dict[str, FieldType]) -> object:
    """The status of one that the creating command has just made, given the examples of the tests."""
    field = fields[status]
    if status in layout.analysis.events[creating.emits].fields and said(creating, status, field):
        return example(layout.system, creating.arguments[status], status)
    made, value = status_of(creating.emits, fields)
    return value if made == status else neutral(layout.system, field)


def contract_test(layout: Layout) -> dict[str, object]:
    """The context of tests/test_contract.py."""
    package = layout.package
    wanted: set[Import] = {
        ("json", ""),
        ("fastapi.routing", "APIRoute"),
        (f"{package}.__main__", "CONTRACT"),
        (f"{package}.generated.routes", "router"),
    }
    return {"imports": layout.imports(wanted)}
