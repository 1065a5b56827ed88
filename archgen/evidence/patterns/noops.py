"""Compensations that do nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, does_nothing, fact
from archgen.evidence.patterns.sagas import UNDO, UNDOES, reaction

_STEP_UNDO = re.compile(r"\b(?:undo|compensat\w*|rollback|revert)[\"']?\s*[:=]\s*([\w.]+)", re.IGNORECASE)
_UNDO_KEY = re.compile(
    r"^(undo|compensat\w*|with_?compensation|withCompensation|rollback|revert|backward|on_failure|onRollback|cancel|compensation)$",
    re.IGNORECASE,
)


def noops(program: Program) -> Iterator[Fact]:
    """`saga.noop`: functions that are named as the undoing of something, are used as such, and do nothing."""
    wanted: dict[str, tuple[str, int]] = {}
    for module, function, call in calls(program):
        texts: list[str] = []
        if call.name in (
            "withCompensation",
            "addCompensation",
            "AddCompensation",
            "add_compensation",
            "onReply",
            "onMessage",
        ):
            texts = list(call.args)
        if UNDOES.search(function.name):
            texts.append(call.callee)  # what a function that undoes calls
        texts += [v for k, v in call.keywords.items() if _UNDO_KEY.match(k)]
        texts += [done for _, done in reaction(call) if UNDO.search(done)]
        texts += [name for text in call.args for name in _STEP_UNDO.findall(text)]
        for text in texts:
            for name in re.findall(r"[A-Za-z_]\w+", text):
                wanted.setdefault(name.lower(), (module.path, call.line))
    for module, function in program.functions():
        if wanted and "case " in function.body:
            yield from _empty_cases(module, function, wanted)
        meant = function.name.lower() in wanted and UNDO.search(function.name)
        if not meant and not any(map(UNDO.search, function.params.values())):
            continue
        if (
            not (does_nothing(function) or _only_tells(function))
            or not function.name
            or (function.marks and "abstract" in " ".join(function.marks).lower())
        ):
            continue
        if re.search(r"\babstract\b|\.\.\.\s*$", function.body) or _is_interface(module, function):
            continue
        if function.name in (function.owner, "__init__", "constructor"):
            continue
        for param in function.params.values():
            base = re.sub(r"\W.*", "", param)
            if UNDO.search(base) and re.search(r"Command|Cmd", base):
                yield fact("saga.noop", module, function.line, function=function.title, what=base)
        if meant:
            yield fact("saga.noop", module, function.line, function=function.title, what=function.name)


_EMPTY_CASE = re.compile(
    r"^[ \t]+case (?:\w+\.)*(\w+)\([^)\n]*\):\n\s+(?:return (?:\[\]|\(\)|None)|pass|return)[ \t]*$",
    re.MULTILINE,
)


def _empty_cases(module: Module, function: Function, wanted: dict[str, tuple[str, int]]) -> Iterator[Fact]:
    """A branch for a command that takes something back, and answers it with nothing."""
    for case in _EMPTY_CASE.finditer(function.body):
        if case[1].lower() in wanted and UNDO.search(case[1]):
            line = function.line + function.body.count("\n", 0, case.start())
            yield fact("saga.noop", module, line, function=function.title, what=case[1])


def _only_tells(function: Function) -> bool:
    """Nothing but a line of log: no call that could do something, nothing kept, raised or answered."""
    if not function.calls or re.search(
        r"\b(raise|throw|yield|return\s+\S)|^\s*[\w.\[\]]+\s*[-+]?=[^=]", function.body, re.MULTILINE
    ):
        return False
    return all(
        words.LOG.search(call.callee) or re.search(r"\blog|logger|\bprint(ln)?$", call.callee, re.I)
        for call in function.calls
    )


def _is_interface(module: Module, function: Function) -> bool:
    owner = next((c for c in module.classes if c.name == function.owner), None)
    return (owner is not None and any(re.search(r"Protocol|ABC|interface", b) for b in owner.bases)) or (
        "{" not in function.body and module.language != "python"
    )
