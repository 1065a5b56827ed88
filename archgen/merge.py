"""Three-way merge of text: what archgen wrote last, what is there now, what archgen writes next.

The diff3 of Khanna, Kunal and Pierce, "A Formal Investigation of Diff3" (FSTTCS 2007): lines
that match in all three versions are stable; between them lie chunks, and a chunk that only one
side changed, or both alike, takes that change. All else is a conflict, which is shown and left
to a human. Written here rather than run from git, so that every machine merges alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

Lines = Sequence[bytes]

MINE, BASE, SPLIT, THEIRS = b"<<<<<<< yours", b"||||||| archgen, before", b"=======", b">>>>>>> archgen, now"
_UNRESOLVED = re.compile(rb"^(%s|%s)\r?$" % (re.escape(MINE), re.escape(THEIRS)), re.MULTILINE)
# Beyond this many pairs of lines without one unique line among them, they count as different.
_TOO_ALIKE = 4_000_000


@dataclass(frozen=True)
class Merged:
    contents: bytes
    conflicts: int


def merge(base: bytes, yours: bytes, new: bytes) -> Merged:
    """Both sides' changes to `base`; where they clash, all three versions between markers."""
    mine, theirs, old = _lines(yours), _lines(new), _lines(base)
    out: list[bytes] = []
    conflicts = 0
    for a, o, b in _chunks(mine, old, theirs):
        if a == o:
            out += b
        elif b in (o, a):
            out += a
        else:
            conflicts += 1
            for marker, lines in ((MINE, a), (BASE, o), (SPLIT, b), (THEIRS, ())):
                out += [marker + b"\n", *_ended(lines)]
    return Merged(b"".join(out), conflicts)


def is_text(contents: bytes) -> bool:
    """Whether lines mean anything here; the same test as git's, on the whole file."""
    return b"\0" not in contents


def unresolved(contents: bytes) -> bool:
    """Whether markers of an earlier merge are still there."""
    return bool(_UNRESOLVED.search(contents))


def _lines(contents: bytes) -> list[bytes]:
    """Lines with their ends; `bytes.splitlines` would also split at a lone carriage return."""
    parts = contents.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _ended(lines: Lines) -> list[bytes]:
    """The lines, the last one with a line end, so that a marker can follow it."""
    return [*lines[:-1], lines[-1].removesuffix(b"\n") + b"\n"] if lines else []


def _chunks(a: Lines, o: Lines, b: Lines) -> Iterator[tuple[Lines, Lines, Lines]]:
    """Cuts the three versions at every line that is stable, that is, matched on both sides."""
    to_a, to_b = dict(matches(o, a)), dict(matches(o, b))
    start_a = start_o = start_b = 0
    for line in range(len(o)):
        if line in to_a and line in to_b:
            yield a[start_a : to_a[line]], o[start_o:line], b[start_b : to_b[line]]
            yield a[to_a[line] : to_a[line] + 1], o[line : line + 1], b[to_b[line] : to_b[line] + 1]
            start_a, start_o, start_b = to_a[line] + 1, line + 1, to_b[line] + 1
    yield a[start_a:], o[start_o:], b[start_b:]


def matches(a: Lines, b: Lines) -> list[tuple[int, int]]:
    """Pairs of equal lines, increasing on both sides.

    Patience diff: lines that occur once on both sides are the anchors, which keeps functions
    together where a longest match would pair up their closing lines. Between anchors, and only
    there, the longest matching blocks.
    """
    found: list[tuple[int, int]] = []
    pending = [(0, len(a), 0, len(b))]
    while pending:
        a_start, a_end, b_start, b_end = pending.pop()
        while a_start < a_end and b_start < b_end and a[a_start] == b[b_start]:
            found.append((a_start, b_start))
            a_start, b_start = a_start + 1, b_start + 1
        while a_start < a_end and b_start < b_end and a[a_end - 1] == b[b_end - 1]:
            a_end, b_end = a_end - 1, b_end - 1
            found.append((a_end, b_end))
        if a_start == a_end or b_start == b_end:
            continue
        anchors = _anchors(a[a_start:a_end], b[b_start:b_end])
        if not anchors:
            found += [(a_start + i, b_start + j) for i, j in _blocks(a[a_start:a_end], b[b_start:b_end])]
            continue
        last_a, last_b = a_start, b_start
        for i, j in anchors:
            pending.append((last_a, a_start + i, last_b, b_start + j))
            last_a, last_b = a_start + i, b_start + j
        pending.append((last_a, a_end, last_b, b_end))
    return sorted(found)


def _anchors(a: Lines, b: Lines) -> list[tuple[int, int]]:
    """Lines unique on both sides, in the longest order that both sides keep (patience sorting)."""
    where = _unique(b)
    pairs = [(i, where[line]) for line, i in _unique(a).items() if line in where]
    tops: list[int] = []
    below: list[int] = []
    for index, (_, j) in enumerate(pairs):
        low, high = 0, len(tops)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if pairs[tops[middle]][1] < j else (low, middle)
        below.append(tops[low - 1] if low else -1)
        tops[low : low + 1] = [index]
    chain: list[tuple[int, int]] = []
    index = tops[-1] if tops else -1
    while index >= 0:
        chain.append(pairs[index])
        index = below[index]
    return chain[::-1]


def _unique(lines: Lines) -> dict[bytes, int]:
    """Line → its index, for lines that occur once, in order."""
    seen: dict[bytes, int] = {}
    for index, line in enumerate(lines):
        seen[line] = -1 if line in seen else index
    return {line: index for line, index in seen.items() if index >= 0}


def _blocks(a: Lines, b: Lines) -> Iterator[tuple[int, int]]:
    if len(a) * len(b) > _TOO_ALIKE:
        return
    for i, j, size in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        yield from ((i + step, j + step) for step in range(size))
