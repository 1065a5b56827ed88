"""What is left of a description whose shape is wrong in places, so that the rest can be checked as well."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from archgen.spec import shape
from archgen.spec.document import Path
from archgen.spec.issue import Issue
from archgen.spec.model import System

_ROUNDS = 12
_REQUIRED = {"archgen": 1, "system": "unnamed"}
_HARMLESS = ("language", "store", "port", "about", "owner", "calls", "on", "agents")
"""Keys of a service that nothing else refers to."""


def salvage(data: Any, wrong: list[Path]) -> System | None:
    """The system without what is at the paths of `wrong`; None if nothing is left to check."""
    broken = wrong
    for _ in range(_ROUNDS):
        for path in broken:
            _remove(data, path)
        for key, value in _REQUIRED.items():
            data.setdefault(key, value)
        try:
            return shape.validate(data)
        except ValidationError as error:
            broken = shape.wrong_paths(error)
    return None


def consequence(issue: Issue, wrong: list[Path]) -> bool:
    """Whether the issue may come only from what is wrong already."""
    about = issue.about or issue.path
    return any(_concerns(path, about) for path in wrong)


def _concerns(wrong: Path, about: Path) -> bool:
    if len(wrong) > 2 and wrong[0] == "services" and wrong[2] in _HARMLESS:
        return False
    inside = wrong[4:]
    if wrong[0] == "services" and ("fields" in inside[:1] or "takes" in inside[2:3]):
        # A field matters within its aggregate, and to nobody who names a command or an event.
        return about[:4] == wrong[:4]
    return about[: len(wrong)] == wrong or wrong[: len(about)] == about


def _remove(data: Any, path: Path) -> None:
    """Take away what is at `path`; of a list, all of it, since the places of the rest would shift."""
    numbers = [index for index, part in enumerate(path) if isinstance(part, int)]
    path = path[: numbers[0]] if numbers else path
    for part in path[:-1]:
        data = data.get(part) if isinstance(data, dict) else None
    if isinstance(data, dict) and path:
        data.pop(path[-1], None)
