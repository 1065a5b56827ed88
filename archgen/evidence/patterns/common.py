"""Helpers that the recognisers of patterns share."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Call, Class, Function, Module, Program
from archgen.evidence.code.vocabulary import Names
from archgen.evidence.facts import Fact, Strength


def weight(module: Module) -> Strength:
    """What is seen in live production code is used; anything else is no more than a claim."""
    return Strength.USED if module.production and module.live else Strength.CLAIMED


def fact(kind: str, module: Module, line: int, **data: object) -> Fact:
    return Fact(kind, module.path, max(line, 1), weight(module), data)


def calls(program: Program) -> Iterator[tuple[Module, Function, Call]]:
    for module, function in program.functions():
        for call in function.calls:
            yield module, function, call


def marks(program: Program) -> Iterator[tuple[Module, Function | Class, str, int]]:
    """Decorators and annotations with the line of what they stand on."""
    for module, function in program.functions():
        for mark in function.marks:
            yield module, function, mark, function.line
    for module, one in program.classes():
        for mark in one.marks:
            yield module, one, mark, one.line


def imports(module: Module, pattern: re.Pattern[str] | Names) -> bool:
    """Whether a module that is imported, or a name taken from one, matches."""
    known = module.matched.get(pattern)
    if known is None:
        known = any(
            pattern.search(item.module) or any(pattern.search(name) for name in item.names.values())
            for item in module.imports
        )
        module.matched[pattern] = known
    return known


def does_nothing(function: Function) -> bool:
    """No call, no raise and no assignment: pass, an empty body, or a constant returned."""
    body = function.body
    opening = body.find(":") if "{" not in body else body.find("{")
    if "{" not in body:
        # Python: what follows the signature
        match = re.search(r"\)\s*(?:->[^:]+)?:(.*)", body, re.DOTALL)
        inner = match[1] if match else body[opening + 1 :]
    else:
        inner = body[opening + 1 :].rstrip().removesuffix("}")
    inner = re.sub(
        r"\b(pass|return( None| null| nil| undefined| true| false| True| False)?|yield)\b|\.\.\.|[;\s]",
        "",
        inner,
    )
    return (
        inner == ""
        or re.fullmatch(
            r"(return)?(Collections\.emptyList\(\)|\[\]|List\.of\(\)|newArrayList<>\(\)|Promise\.resolve\(\))",
            inner,
        )
        is not None
    )


def line_in(function: Function, pattern: re.Pattern[str] | str) -> int:
    """The line of the first match within a function, 0 when there is none."""
    match = re.search(pattern, function.body)
    return function.line + function.body.count("\n", 0, match.start()) if match else 0


def callers(program: Program, owner: str, names: set[str]) -> list[tuple[Module, Function, Call]]:
    """Calls, outside of the class itself, whose name is one of `names` and whose receiver may be of
    the class.
    """
    found = []
    for module, function, call in calls(program):
        if function.owner == owner or call.name not in names:
            continue
        type_ = function.params.get(call.receiver) or module.types.get(call.receiver, "")
        if (
            owner in type_
            or call.receiver.lower().strip("_") in owner.lower()
            or call.callee.startswith(owner)
        ):
            found.append((module, function, call))
    return found
