"""Names for messages: the nearest valid one, and several in a row."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str:
    """`did you mean ...?` for the candidate most like `name`, or an empty string if none is like it."""
    names = sorted(set(candidates))
    found = difflib.get_close_matches(name[:80], names, n=1, cutoff=0.6)
    if not found:
        same_end = [each for each in names if each.rpartition(".")[2] == name.rpartition(".")[2]]
        found = same_end if len(same_end) == 1 else []
    return f"did you mean `{found[0]}`?" if found else ""


def choice(name: str, candidates: Iterable[str]) -> str:
    """The nearest name, or else the list of all when it is short."""
    names = sorted(set(candidates))
    hint = nearest(name, names)
    if hint or not names:
        return hint
    return f"one of {', '.join(f'`{each}`' for each in names)}" if len(names) <= 8 else ""


def listed(names: list[str]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
