"""A YAML file as values that remember where they stood, so that every problem can name its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from archgen.errors import Problem

Path = tuple[str | int, ...]
"""The way from the root to a value: keys of mappings and positions in lists."""

IGNORED_PREFIX = "x-"


class Entry(NamedTuple):
    """One key of a mapping; `line` and `column` are the key's, the value carries its own."""

    line: int
    column: int
    node: Node


@dataclass(slots=True)
class Node:
    """A value of the file. `line` and `column` count from 1."""

    line: int
    column: int
    value: bool | int | float | str | list[Node] | dict[str, Entry] | None


@dataclass
class Document:
    """The parsed file `name`, with the problems met on the way that did not stop the parser."""

    name: str
    root: Node
    problems: list[Problem] = field(default_factory=list)

    def plain(self) -> object:
        """The file as dicts, lists and scalars, without the `x-*` keys that everybody ignores."""
        return _plain(self.root)

    def find(self, path: Path) -> Node | None:
        """The node at `path`, or None where the file has nothing there."""
        node: Node | None = self.root
        for part in path:
            node = _child(node, part) if node is not None else None
        return node

    def keys(self, path: Path) -> tuple[str, ...]:
        """The keys of the mapping at `path`, without ignored ones; empty if it is no mapping."""
        node = self.find(path)
        if node is None or not isinstance(node.value, dict):
            return ()
        return tuple(key for key in node.value if not key.startswith(IGNORED_PREFIX))

    def place(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `path`, or of its key; the nearest parent's if absent."""
        node = self.root
        place = (node.line, node.column)
        for part in path:
            child = _child(node, part)
            if child is None:
                break
            at_key = key and isinstance(node.value, dict)
            place = _key_place(node, str(part)) if at_key else (child.line, child.column)
            node = child
        return place

    def problem(
        self, path: Path, message: str, *, remedy: str = "", code: str = "", key: bool = False
    ) -> Problem:
        """A problem at `path`; with `key` it points at the key instead of at its value."""
        line, column = self.place(path, key=key)
        return Problem(message, self.name, line, column, dotted(path), remedy, code)


def dotted(path: Path) -> str:
    """`path` as people write it: `sagas.place_order.steps[0].do`, `services.a.on[order.created]`."""
    return "".join(_dotted_parts(path)).removeprefix(".")


def _dotted_parts(path: Path) -> Iterator[str]:
    for part in path:
        plain = isinstance(part, str) and part.replace("_", "").replace("-", "").isalnum()
        shown = part if isinstance(part, int) else part.encode("unicode_escape").decode()[:60]
        yield f".{shown}" if plain else f"[{shown}]"


def _plain(node: Node) -> object:
    if isinstance(node.value, dict):
        entries = node.value.items()
        return {key: _plain(entry.node) for key, entry in entries if not key.startswith(IGNORED_PREFIX)}
    if isinstance(node.value, list):
        return [_plain(item) for item in node.value]
    return node.value


def _child(node: Node, part: str | int) -> Node | None:
    if isinstance(node.value, dict) and isinstance(part, str):
        entry = node.value.get(part)
        return entry.node if entry else None
    if isinstance(node.value, list) and isinstance(part, int) and 0 <= part < len(node.value):
        return node.value[part]
    return None


def _key_place(node: Node, key: str) -> tuple[int, int]:
    assert isinstance(node.value, dict)
    entry = node.value[key]
    return entry.line, entry.column
