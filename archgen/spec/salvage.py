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
_HARMLESS = ("language", "store", "port", "slo", "about", "owner", "calls", "on", "agents")
"""Keys of a service that nothing else refers to."""


def salvage(data: Any, wrong: list[Path]) -> System | None:
    """The system without what is at the paths of `wrong`; None if nothing is left to check."""
    broken = wrong
    for _ in range(_ROUNDS):
        for path in broken:
            _remove(data, path, broken)
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
    if any(path == issue.path[: len(path)] for path in wrong):
        return True
    return any(_concerns(path, about) for path in wrong)


def apart(wrong: Path) -> bool:
    """Whether what is wrong there can't be why an argument of a command has no source."""
    if wrong[:1] == ("services",):
        return len(wrong) > 2 and wrong[2] in (*_HARMLESS, "jobs")
    if wrong[:1] == ("sagas",):
        return wrong[-1] in ("timeout", "attempts", "about")
    return wrong[:1] in (("policies",), ("recovery",), ("decisions",), ("about",))


def _concerns(wrong: Path, about: Path) -> bool:
    if len(wrong) > 2 and wrong[0] == "services" and wrong[2] in _HARMLESS:
        return False
    inside = wrong[4:]
    if wrong[0] == "services" and ("fields" in inside[:1] or "takes" in inside[2:3]):
        # A field matters within its aggregate, and to nobody who names a command or an event.
        return about[:4] == wrong[:4]
    return about[: len(wrong)] == wrong or wrong[: len(about)] == about


def _remove(data: Any, path: Path, broken: list[Path]) -> None:
    """Take away what is at `path`; of a list, all of it, unless its items can keep their places."""
    at = next((depth for depth, part in enumerate(path) if isinstance(part, int)), None)
    if at is not None:
        whole = {each[at] for each in broken if len(each) == at + 1 and each[:at] == path[:at]}
        if _mended(_at(data, path[:at]), path[at], path[at + 1 :], whole):
            return
        path = path[:at]
    parent = _at(data, path[:-1])
    if isinstance(parent, dict) and path:
        parent.pop(path[-1], None)


def _mended(items: Any, index: Any, inside: Path, broken: set[str | int]) -> bool:
    """Whether the list goes on with an item in this place: without its wrong key, or like a sound one."""
    if not isinstance(items, list) or index >= len(items):
        return False
    if inside and isinstance(items[index], dict):
        items[index].pop(inside[0], None)
        return True
    sound = [item for number, item in enumerate(items) if number not in broken and isinstance(item, dict)]
    items[index : index + 1] = [dict(item) for item in sound[:1]]
    return bool(sound)


def _at(data: Any, path: Path) -> Any:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data
