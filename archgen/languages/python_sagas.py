"""Sagas and reactions: what a service starts, and what it does when others have done something."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from inspect import cleandoc

from archgen.escape import py
from archgen.languages.python_format import call, dict_of, list_of, tuple_of
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.plan_types import Code
from archgen.spec.analysis import Binding, Source


def wrapped(text: str) -> str:
    """`text` as the content of a docstring: in short lines, blanks only where they mean something."""
    lines = (textwrap.fill(line, 100, replace_whitespace=False) for line in cleandoc(text).splitlines())
    content = "\n".join(line.rstrip() for line in "\n".join(lines).split("\n"))
    return f" {content}" if content.startswith('"') else content


def orchestration(layout: Layout, saga: str) -> dict[str, object]:
    """The context of sagas/<saga>.py in the service that owns the saga."""
    bound = layout.analysis.orchestrations[saga]
    described = layout.system.sagas[saga]
    assert described.style == "orchestration"
    wanted: set[Import] = {("chassis.saga", "Saga"), ("chassis.saga", "Step")}

    def command(binding: Binding) -> str:
        name, needed = layout.message(layout.analysis.commands[binding.command])
        wanted.add(needed)
        return name

    starts_on, needed = layout.message(layout.analysis.events[bound.trigger])
    wanted.add(needed)
    steps = []
    for step, told in zip(bound.steps, described.steps, strict=True):
        named = set(told.with_)
        given = _given(step.do, named) | (_given(step.undo, named) if step.undo else {})
        arguments = [("", command(step.do))]
        if step.undo:
            arguments.append(("undo", command(step.undo)))
        if given:
            arguments.append(("given", _mapping(given, wanted)))
        if told.timeout is not None:
            arguments.append(("timeout", py(told.timeout)))
        if told.attempts is not None:
            arguments.append(("attempts", py(told.attempts)))
        steps.append(call("Step", arguments))
    arguments = [("name", py(saga)), ("starts_on", starts_on), ("steps", list_of(steps))]
    if bound.then:
        arguments.append(("then", command(bound.then)))
    if bound.otherwise:
        arguments.append(("otherwise", command(bound.otherwise)))
    arguments += [("timeout", py(described.timeout)), ("attempts", py(described.attempts))]
    return {
        "saga": saga,
        "variable": layout.saga(saga),
        "about": wrapped(described.about),
        "expression": call("Saga", arguments),
        "imports": layout.imports(wanted),
    }


def choreography(layout: Layout, saga: str) -> dict[str, object]:
    """The context of sagas/<saga>.py in a service that takes part in a choreography."""
    bound = layout.analysis.choreographies[saga]
    described = layout.system.sagas[saga]
    assert described.style == "choreography"
    wanted: set[Import] = {("chassis.reactions", "Reaction"), (f"{layout.package}.generated", "use_cases")}
    reactions = []
    for step, told in zip(bound.steps, described.steps, strict=True):
        if step.do.command.partition(".")[0] == layout.name:
            more: list[tuple[str, str]] = [("saga", py(saga))]
            if step.when in bound.starts_on:
                more.append(("starts", "True"))
            more.append(("carries", "CARRIES"))
            reactions.append(reaction(layout, step.when, step.do, set(told.with_), wanted, more))
    return {
        "saga": saga,
        "variable": layout.saga(saga),
        "about": wrapped(described.about),
        "expression": tuple_of(reactions),
        "carries": py(tuple(bound.carries)),
        "imports": layout.imports(wanted),
    }


def reaction(
    layout: Layout,
    event: str,
    do: Binding,
    named: set[str],
    wanted: set[Import],
    more: Sequence[tuple[str, str]] = (),
) -> Code:
    """`Reaction(on=…, do=…)`. `named` are the arguments that `with:` gives; the rest binds at run time."""
    name, needed = layout.message(layout.analysis.events[event])
    wanted |= {needed, (f"{layout.package}.generated", "use_cases")}
    arguments = [("on", name), ("do", f"use_cases.{do.command.partition('.')[2].upper()}")]
    if given := _given(do, named):
        arguments.append(("given", _mapping(given, wanted)))
    return call("Reaction", [*arguments, *more])


def _given(binding: Binding, named: set[str]) -> dict[str, str]:
    """What `with:` says, as Python expressions."""
    return {name: _source(source) for name, source in binding.arguments.items() if name in named}


def _source(source: Source) -> str:
    return py(source.value) if source.kind == "literal" else f"Field({py(source.field)})"


def _mapping(given: dict[str, str], wanted: set[Import]) -> Code:
    if any(value.startswith("Field(") for value in given.values()):
        wanted.add(("chassis.saga", "Field"))
    return dict_of(given)
