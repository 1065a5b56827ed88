"""The code at a place, with some lines around it, fit to be shown to others: passwords are left out."""

from __future__ import annotations

import re
from dataclasses import dataclass

_AROUND, _LONGEST = 3, 240
_IN_ADDRESS = re.compile(r"(://[^\s:/@\"']{0,80}:)[^\s@\"']{1,200}(@)")
_NAMED = re.compile(
    r"((?:pass(?:word|wd)?|secret|token|api[_-]?key|private[_-]?key|credential)s?[\"']?\s*[:=]\s*[\"']?)"
    r"(?![\"'{$(<\s]|[\w.]+\(|(?:str|string|None|null|true|false|os|process|settings|config)\b)([^\s\"',;)}]{3,})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`lines` from the line `first` on; `hit` is the line that is meant."""

    first: int
    hit: int
    lines: tuple[str, ...]


def excerpt(lines: list[str], hit: int) -> Excerpt:
    """The lines around `hit`, blank ones at both ends left out; none where there is no such line."""
    if not 1 <= hit <= len(lines):
        return Excerpt(hit, hit, ())
    first, last = max(1, hit - _AROUND), min(len(lines), hit + _AROUND)
    while first < hit and not lines[first - 1].strip():
        first += 1
    while last > hit and not lines[last - 1].strip():
        last -= 1
    shown = [line.expandtabs(4).rstrip() for line in lines[first - 1 : last]]
    # what all lines are indented by is left out: a telephone is narrow
    margin = min((len(line) - len(line.lstrip()) for line in shown if line), default=0)
    return Excerpt(first, hit, tuple(_shown(line[margin:]) for line in shown))


def _shown(line: str) -> str:
    if len(line) > _LONGEST:
        line = line[:_LONGEST] + " …"
    return _NAMED.sub(r"\1•••", _IN_ADDRESS.sub(r"\1•••\2", line))
