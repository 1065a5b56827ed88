"""The numbers of fields and enum values: given once, never changed, never given again.

On the wire a field is its number and nothing else, so a number must go on meaning the same whatever becomes
of the description: fields are added, dropped, renamed, moved and retyped there. What was given is therefore
kept in a file beside the contract, committed with it and read before the next run. A field that goes leaves
its number reserved; one that comes back with the same type gets it again; a new name or type is a new number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archgen.errors import Problem, ProjectError

FORMAT = 1
_NOTE = (
    "Numbers of fields and enum values of the .proto beside this, each given once. "
    "archgen reads and writes this file; commit it."
)
LARGEST = 2**29 - 1
OWN = range(19_000, 20_000)
"""Numbers that Protocol Buffers keeps for itself."""


@dataclass(frozen=True)
class Entry:
    """A number and what it stands for; `type` is empty for the value of an enum."""

    number: int
    name: str
    type: str = ""
    retired: bool = False


@dataclass(frozen=True)
class Numbers:
    """By scope: `views.availability`, `types.Item`, and `views.availability.status` for an enum."""

    scopes: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)

    def given(self, scope: str, wanted: Mapping[str, str]) -> tuple[Entry, ...]:
        """The entries of `scope` once it consists of `wanted`, names and types; by number."""
        before = {(entry.name, entry.type): entry for entry in self.scopes.get(scope, ())}
        free = _free(entry.number for entry in before.values())
        now = {
            key: replace(before[key], retired=False) if key in before else Entry(next(free), *key)
            for key in wanted.items()
        }
        gone = {key: replace(entry, retired=True) for key, entry in before.items() if key not in now}
        return tuple(sorted((*now.values(), *gone.values()), key=lambda entry: entry.number))


def _free(used: Iterator[int]) -> Iterator[int]:
    number = max(used, default=0)
    while True:
        number += 1
        if number in OWN:
            number = OWN.stop
        yield number


def dumps(numbers: Numbers) -> str:
    """As JSON with a line per entry: a change is a changed line, and two branches clash where they must."""
    lines = [f'  "format": {FORMAT},', f'  "note": {json.dumps(_NOTE)},', '  "numbers": {']
    scopes = sorted(numbers.scopes.items())
    for index, (scope, entries) in enumerate(scopes, start=1):
        lines.append(f"    {json.dumps(scope)}: [")
        lines += [
            f"      {_line(entry)}{'' if last == len(entries) else ','}"
            for last, entry in enumerate(entries, start=1)
        ]
        lines.append(f"    ]{'' if index == len(scopes) else ','}")
    return "\n".join(["{", *lines, "  }", "}"]) + "\n"


def _line(entry: Entry) -> str:
    said: dict[str, Any] = {"number": entry.number, "name": entry.name}
    if entry.type:
        said["type"] = entry.type
    if entry.retired:
        said["retired"] = True
    return json.dumps(said)


def loads(text: str, file: str) -> Numbers:
    """The numbers in `text`, which was read from `file`. Raises ProjectError when they can't be trusted."""
    if any(line.startswith(("<<<<<<<", "=======", ">>>>>>>")) for line in text.splitlines()):
        remedy = "keep the lines of both sides, and give one of two fields with the same number the next one"
        raise ProjectError(Problem("it holds conflict markers", file, remedy=remedy))
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise ProjectError(
                Problem(f"its format is {document['format']!r}", file, remedy="use a newer archgen")
            )
        scopes = {
            scope: tuple(sorted((_entry(each) for each in entries), key=lambda entry: entry.number))
            for scope, entries in document["numbers"].items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ProjectError(Problem("it is damaged", file, remedy="restore it from version control")) from None
    problems = [
        Problem(
            problem,
            file,
            key=scope,
            remedy="give the newer one the next number that is free",
        )
        for scope, entries in scopes.items()
        for problem in _twice(entries)
    ]
    if problems:
        raise ProjectError(*problems)
    return Numbers(scopes)


def _entry(said: Mapping[str, Any]) -> Entry:
    entry = Entry(said["number"], said["name"], said.get("type", ""), said.get("retired", False))
    number_fits = type(entry.number) is int and 0 < entry.number <= LARGEST and entry.number not in OWN
    if not (number_fits and isinstance(entry.name, str) and isinstance(entry.type, str)):
        raise ValueError(said)
    return entry


def _twice(entries: tuple[Entry, ...]) -> Iterator[str]:
    numbers: dict[int, str] = {}
    names: set[tuple[str, str]] = set()
    for entry in entries:
        if numbers.setdefault(entry.number, entry.name) != entry.name or (entry.name, entry.type) in names:
            yield f"{entry.number} stands for `{numbers[entry.number]}` and for `{entry.name}`"
        names.add((entry.name, entry.type))
