"""A fact: one thing seen in one place, and how much it weighs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from archgen.evidence.code.model import Program


class Strength(IntEnum):
    """How far a thing got: said, listed as a dependency, set up, run on the main path, covered by a test."""

    CLAIMED = 1
    DECLARED = 2
    CONFIGURED = 3
    USED = 4
    TESTED = 5

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Fact:
    """`file` is relative to the audited folder, with forward slashes; `line` counts from 1."""

    kind: str
    file: str
    line: int
    strength: Strength
    data: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self.data.get(key, default)


@dataclass(frozen=True, slots=True)
class Service:
    """A deployable found in the project: its folder ("" is the whole), and the line that gave it away."""

    name: str
    folder: str
    file: str
    line: int
    language: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the collectors could not read, and so did not judge."""

    file: str
    message: str


@dataclass
class Facts:
    """Everything known about a project: facts by kind, its services, and its code as a program.

    `fronts` are folders of what only shows what a service keeps, on a server of its own.
    `crashed` names, per item, a recogniser that failed: what it would have seen is not known.
    `marked` are the texts of files in which somebody speaks to the audit, by path.
    """

    services: tuple[Service, ...] = ()
    fronts: tuple[str, ...] = ()
    program: Program = field(default_factory=Program)
    notes: tuple[Note, ...] = ()
    files: int = 0
    sources: int = 0
    crashed: dict[str, str] = field(default_factory=dict)
    marked: dict[str, str] = field(default_factory=dict)
    _kinds: dict[str, list[Fact]] = field(default_factory=dict)

    def add(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._kinds.setdefault(fact.kind, []).append(fact)

    def of(self, *kinds: str, at_least: Strength = Strength.CONFIGURED) -> Iterator[Fact]:
        """Facts of the kinds, in order of file and line; weaker ones than `at_least` are left out."""
        found = [f for kind in kinds for f in self._kinds.get(kind, ()) if f.strength >= at_least]
        yield from sorted(found, key=lambda f: (f.file, f.line))

    def has(self, *kinds: str, at_least: Strength = Strength.CONFIGURED) -> bool:
        return any(f.strength >= at_least for kind in kinds for f in self._kinds.get(kind, ()))

    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted(self._kinds))

    def __len__(self) -> int:
        return sum(map(len, self._kinds.values()))

    def service_of(self, file: str) -> Service | None:
        """The service whose folder holds `file`; the deepest folder wins."""
        best: Service | None = None
        for service in self.services:
            inside = service.folder == "" or file == service.folder or file.startswith(service.folder + "/")
            if inside and (best is None or len(service.folder) > len(best.folder)):
                best = service
        return best
