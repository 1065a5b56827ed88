"""Backups that the code itself takes and brings back."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code.model import Function, Module, Program
from archgen.evidence.code.vocabulary import LOG
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import fact

_BACKS_UP = re.compile(r"back_?ups?(?![a-z])", re.IGNORECASE)
_DUMPS = re.compile(r"(^|/)(dumps?|snapshots?)$")
_RESTORES = re.compile(r"^_*(do|run|perform|start|async|full|partial|db)?_?restore", re.IGNORECASE)
_TAKES = re.compile(
    r"^_*(do|run|perform|create|make|take|start|full|partial|auto|async|export|dump|write|db|schedule\w*|periodic)*_?"
    r"(full|partial|database|db|data)?_?back_?up",
    re.IGNORECASE,
)
_ROW = re.compile(r"(^|\.)(Base|Model|Entity|Document)$|ModelBase|BASE\b")
_BY_THE_CLOCK = re.compile(
    r"schedul|periodic|cron|nightly|daily|interval|automatic|auto_?backup|every", re.IGNORECASE
)
_DOES = re.compile(
    r"back_?up|dump|vacuum into|copy|tar|zip|archive|snapshot|export|write|upload|save|exec|subprocess|popen",
    re.IGNORECASE,
)


def backups(program: Program) -> Iterator[Fact]:
    """`backup` and `restore` of a package that has both: what takes one, and what brings it back.

    Either alone says nothing: things are restored from a bin, and a file is backed up before it is edited.
    """
    if _of_the_product(program):
        return
    taken: dict[str, list[tuple[Module, Function]]] = defaultdict(list)
    brought: dict[str, list[tuple[Module, Function]]] = defaultdict(list)
    for module, function in program.functions():
        folder = module.path.rpartition("/")[0]
        told = _BACKS_UP.search(f"{module.path} {function.body}") or _DUMPS.search(folder)
        dumps = _DUMPS.search(folder) and re.fullmatch(r"(create|make|do|run)?_?[dD]ump", function.name)
        if (_TAKES.match(function.name) or dumps) and _works(function):
            taken[folder].append((module, function))
        elif told and _RESTORES.match(function.name) and _works(function):
            brought[folder].append((module, function))
    for folder in taken.keys() & brought.keys():
        for module, function in taken[folder]:
            data = {"by": "code", "command": function.title, "can_fail": True}
            yield fact("backup", module, function.line, scheduled=_scheduled(function), **data)
        for module, function in brought[folder]:
            yield fact("restore", module, function.line, command=function.title)


def _of_the_product(program: Program) -> bool:
    """Whether backups are what the project keeps books of for those who use it."""
    return any(
        _BACKS_UP.search(one.name) and any(_ROW.search(base) for base in one.bases)
        for _, one in program.classes()
    )


def _works(function: Function) -> bool:
    """Whether the function does more than to log and to ask."""
    return any(_DOES.search(c.callee) and not LOG.search(c.callee) for c in function.calls)


def _scheduled(function: Function) -> bool:
    """Whether it, or one of those that lead to it, is called by the clock."""
    now, seen = [function], {id(function)}
    for _ in range(3):
        if any(_BY_THE_CLOCK.search(f"{f.name} {' '.join(f.marks)}") for f in now):
            return True
        now = [c for f in now for c in f.callers if id(c) not in seen]
        seen |= {id(c) for c in now}
    return False
