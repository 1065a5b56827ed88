"""What is tried a few times, and then lost: nothing is raised, kept or answered, at most a line of log is
written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Block, Effect, Function, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.background import UPKEEP
from archgen.evidence.patterns.common import CLOSES, fact
from archgen.evidence.patterns.retries import UNBOUNDED, retry_loops

_TELLS = re.compile(r"\b(raise|throw|panic|abort|reject|os\.Exit|Fatal\w*)\b|\bsys\.exit\b")
# What is handed back, unless it says that all is well.
_HANDS_BACK = re.compile(r"\breturn\b[ \t]*(?!nil\b|;|$)[^\s;]", re.MULTILINE)
_EMPTY = re.compile(r"^[\s{}();]*((return|break)(\s+nil)?)?[\s{}();]*$")
_TOLD = re.compile(r"\b(log\w*|logger|slog|console|print\w*|zap|klog|span|Console)\b", re.IGNORECASE)


def given_up(program: Program) -> Iterator[Fact]:
    """`error.swallowed`: the last of several tries fails, and whoever asked is told that all is well."""
    for module, function in program.functions():
        if CLOSES.fullmatch(function.name) or UPKEEP.search(function.title):
            continue
        for loop in retry_loops(module, function):
            tried = [e for e in function.reach if _matters(e) and any(b is loop for b in e.call.inside)]
            if tried and _lost(function, loop):
                said = {
                    "types": "a last try",
                    "logged": True,
                    "writes": True,
                    "call": tried[0].call.shown(40),
                }
                yield fact("error.swallowed", module, tried[0].call.line, function=function.title, **said)
                break


def _matters(effect: Effect) -> bool:
    if words.LOG.search(effect.call.callee):
        return False
    return effect.kind in ("db.write", "publish", "enqueue") or (effect.kind == "remote" and effect.write)


def _lost(function: Function, loop: Block) -> bool:
    """Whether nothing in the loop or behind it tells of the failure."""
    if UNBOUNDED.match(loop.header.strip()):
        return False
    lines = function.body.split("\n")
    at, end = loop.line - function.line, loop.end - function.line
    inside, behind = "\n".join(lines[at : end + 1]), lines[end + 1 :]
    if _TELLS.search(inside) or _HANDS_BACK.search(inside):
        return False
    return all(_EMPTY.match(line) or _TOLD.search(line) for line in behind)
