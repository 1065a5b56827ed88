"""The baseline: what an old project starts with, so that only what is new counts.

One JSON object a line, sorted, without line numbers: two branches that both changed it merge in git,
and a diff of it reads as what became better or worse.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archgen.errors import ArchgenError, Problem
from archgen.rules.marks import Mark

VERSION = 1
_LARGEST = 50_000_000
_REWRITE = "write it anew with --write-baseline"


@dataclass(frozen=True)
class Baseline:
    """Findings by their marks, and the items that had failed."""

    marks: tuple[Mark, ...] = ()
    failed: frozenset[str] = frozenset()


def dump(baseline: Baseline) -> str:
    """The text of the file."""
    lines = [_line({"archgen-baseline": VERSION})]
    lines += [_line({"item": item, "verdict": "fail"}) for item in sorted(baseline.failed)]
    ordered = sorted(baseline.marks, key=lambda m: (m.file, m.rule, m.text, m.number, m.owner))
    lines += [
        _line({"file": m.file, "rule": m.rule, "in": m.owner, "text": m.text, "n": m.number}) for m in ordered
    ]
    return "".join(lines)


def _line(values: dict[str, Any]) -> str:
    text = json.dumps(values, ensure_ascii=False)
    # a lone surrogate, from a file name that is not UTF-8, cannot be written as it is
    return (text if text.isprintable() else json.dumps(values)) + "\n"


def load(path: Path) -> Baseline:
    """The baseline in a file. Raises ArchgenError with every line that cannot be read."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ArchgenError(Problem("the file is too large for a baseline", file=str(path)))
        lines = path.read_text("utf-8").split("\n")
    except FileNotFoundError as error:
        remedy = f"write one: archgen checklist audit --write-baseline {path}"
        raise ArchgenError(Problem("there is no such baseline", file=str(path), remedy=remedy)) from error
    except UnicodeDecodeError as error:
        raise ArchgenError(Problem("the baseline is not UTF-8", file=str(path), remedy=_REWRITE)) from error
    except OSError as error:
        raise ArchgenError(Problem(f"cannot be read: {error.strerror}", file=str(path))) from error
    marks: list[Mark] = []
    failed: set[str] = set()
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if number == 1:
            problems += _header(line, path)
            continue
        try:
            entry = _entry(line)
        except ValueError as error:
            problems.append(Problem(str(error), str(path), number, remedy=_REWRITE))
            continue
        if isinstance(entry, Mark):
            marks.append(entry)
        elif entry:
            failed.add(entry)
    if not any(line.strip() for line in lines):
        problems.append(Problem("the baseline is empty", str(path), remedy=_REWRITE))
    if problems:
        raise ArchgenError(*problems[:20])
    return Baseline(tuple(dict.fromkeys(marks)), frozenset(failed))


def _header(line: str, path: Path) -> Iterator[Problem]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    version = found.get("archgen-baseline") if isinstance(found, dict) else None
    if version is None:
        yield Problem("this is not a baseline: its first line is missing", str(path), 1, remedy=_REWRITE)
    elif version != VERSION:
        yield Problem(
            f"a baseline of version {version}, and {VERSION} is expected", str(path), 1, remedy=_REWRITE
        )


def _entry(line: str) -> Mark | str:
    """A mark, or the item that had failed. "" for the header of the other side of a merge."""
    if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
        raise ValueError("a merge left its markers: keep the lines of both sides and remove the markers")
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("this line is not JSON") from None
    if not isinstance(values, dict):
        values = {}
    if "archgen-baseline" in values:
        return ""
    if isinstance(values.get("item"), str):
        return str(values["item"])
    texts = [values.get(key) for key in ("rule", "file", "in", "text")]
    number = values.get("n", 0)
    if not all(isinstance(text, str) for text in texts) or not isinstance(number, int):
        raise ValueError("an entry has rule, file, in and text")
    rule, file, owner, text = (str(each) for each in texts)
    return Mark(rule, file, owner, text, number)


def compare(baseline: Baseline, marks: Iterable[Mark]) -> tuple[list[bool], tuple[Mark, ...]]:
    """Whether each of `marks` is known, and what of the baseline is no longer there.

    A mark is matched by its fingerprint first; what is left, by its statement in a file of another name,
    and then by the rule and the function around it, so that neither a moved file nor an edited statement
    looks new. Each entry answers for one finding at most.
    """
    now = list(marks)
    known = [False] * len(now)
    left = list(baseline.marks)
    for key in _KEYS:
        waiting: dict[Hashable, list[Mark]] = defaultdict(list)
        for entry in left:
            if (found := key(entry)) is not None:
                waiting[found].append(entry)
        taken: Counter[Mark] = Counter()
        for number, mark in enumerate(now):
            if known[number] or not (same := waiting.get(key(mark) or ())):
                continue
            taken[same.pop(0)] += 1
            known[number] = True
        left = [entry for entry in left if not _taken(entry, taken)]
    return known, tuple(left)


def _taken(entry: Mark, taken: Counter[Mark]) -> bool:
    if not taken[entry]:
        return False
    taken[entry] -= 1
    return True


_KEYS: tuple[Callable[[Mark], Hashable | None], ...] = (
    lambda mark: (mark.rule, mark.file, mark.text, mark.number),
    lambda mark: (mark.rule, mark.file, mark.text),
    lambda mark: (mark.rule, mark.text, mark.file.rpartition("/")[2]) if mark.text else None,
    lambda mark: (mark.rule, mark.text, mark.owner) if mark.text and mark.owner else None,
    lambda mark: (mark.rule, mark.file, mark.owner) if mark.owner else None,
)
