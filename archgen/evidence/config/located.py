"""YAML with the line of every value, read without ever building an object or following a bomb of aliases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_BUDGET = 200_000
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its line. `value` is a str, a list of Nodes, or a dict of str to Node; `keys` has
    each key's line.
    """

    value: Any
    line: int

    def get(self, *path: str) -> Node | None:
        node: Node | None = self
        for key in path:
            node = node.value.get(key) if node is not None and isinstance(node.value, dict) else None
        return node

    def text(self, *path: str, default: str = "") -> str:
        node = self.get(*path)
        return node.value if node is not None and isinstance(node.value, str) else default

    def place(self, *path: str) -> int:
        """The line of the value at `path`, or this one's where there is none."""
        node = self.get(*path)
        return node.line if node is not None else self.line

    def items(self) -> Iterator[tuple[str, Node]]:
        if isinstance(self.value, dict):
            yield from self.value.items()

    def each(self) -> Iterator[Node]:
        if isinstance(self.value, list):
            yield from self.value

    def walk(self, key: str = "") -> Iterator[tuple[str, Node]]:
        """Every value below, with the key that it stands under."""
        yield key, self
        for name, child in self.items():
            yield from child.walk(name)
        for child in self.each():
            yield from child.walk(key)

    def flat(self, prefix: str = "") -> Iterator[tuple[str, str, int]]:
        """Scalars with their dotted path."""
        if isinstance(self.value, str):
            yield prefix, self.value, self.line
        for name, child in self.items():
            yield from child.flat(f"{prefix}.{name}" if prefix else name)
        for child in self.each():
            yield from child.flat(prefix)


class TooMuchError(ValueError):
    """The document unfolds into more values than any configuration has."""


def load_all(text: str) -> list[Node]:
    """The documents of a file. Raises yaml.YAMLError, RecursionError or TooMuchError for what can't
    be read.
    """
    budget = [_BUDGET]
    return [_node(raw, budget) for raw in yaml.compose_all(text, Loader=_Loader) if raw is not None]


def _node(raw: yaml.Node, budget: list[int]) -> Node:
    budget[0] -= 1
    if budget[0] < 0:
        raise TooMuchError("more values than a configuration has")
    line = raw.start_mark.line + 1
    if isinstance(raw, yaml.MappingNode):
        found: dict[str, Node] = {}
        for key, value in raw.value:
            child = _node(value, budget)
            name = str(key.value)
            if name == "<<" and isinstance(child.value, dict):
                found = {**child.value, **found}
            else:
                # a mapping's own line is that of its key: what a reader would look for
                found[name] = Node(child.value, key.start_mark.line + 1)
        return Node(found, line)
    if isinstance(raw, yaml.SequenceNode):
        return Node([_node(value, budget) for value in raw.value], line)
    return Node(str(raw.value), line)
