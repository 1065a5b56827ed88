"""Edits of YAML by the place in the tree, which leave everything else as it is written.

A place is keys between dots; `[name=x]` picks the entry of a list, `*` every key or entry:
`services.orders.environment.DATABASE_URL`, `groups.*.rules.[alert=SagaStuck]`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

import yaml

from tests.mutants.edits import Edit, _in_each, _line_end, _line_start, _spliced


def set_value(files: str, place: str, value: str) -> Edit:
    """What stands at the place becomes `value`, written as YAML in one line."""

    def change(source: str, _: str) -> str:
        return _spliced(
            source,
            [(node.start_mark.index, _end(source, node), value) for _, node in _found(source, place)],
        )

    return _in_each(files, change)


def drop_key(files: str, place: str) -> Edit:
    """The key with all that is below it, or the entry of a list, is gone."""

    def change(source: str, _: str) -> str:
        return _spliced(
            source,
            [
                (_line_start(source, key.start_mark.index), _line_end(source, _end(source, node) - 1), "")
                for key, node in _found(source, place)
            ],
        )

    return _in_each(files, change)


def add_key(files: str, place: str, lines: str) -> Edit:
    """More lines at the head of the mapping or list at the place, indented as it is."""

    def change(source: str, _: str) -> str:
        changes = []
        for _key, node in _found(source, place):
            at = _line_start(source, node.start_mark.index)
            pad = " " * node.start_mark.column
            changes.append((at, at, textwrap.indent(textwrap.dedent(lines).strip("\n") + "\n", pad)))
        return _spliced(source, changes)

    return _in_each(files, change)


def _found(source: str, place: str) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    for document in yaml.compose_all(source, Loader=yaml.SafeLoader):
        yield from _below(document, document, place.split("."))


def _below(key: yaml.Node, node: yaml.Node, steps: list[str]) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if not steps:
        yield key, node
    elif isinstance(node, yaml.MappingNode):
        for name, child in node.value:
            if steps[0] in ("*", name.value):
                yield from _below(name, child, steps[1:])
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            if steps[0] == "*" or _picked(child, steps[0]):
                yield from _below(child, child, steps[1:])


def _picked(node: yaml.Node, step: str) -> bool:
    match = re.fullmatch(r"\[(\w+)=(.*)\]", step)
    if match is None:
        return isinstance(node, yaml.ScalarNode) and f"[{node.value}]" == step
    return isinstance(node, yaml.MappingNode) and any(
        name.value == match[1] and getattr(value, "value", None) == match[2] for name, value in node.value
    )


def _end(source: str, node: yaml.Node) -> int:
    """Where the node's own text ends: a block node's mark stands behind the blanks and comments after it."""
    end: int = node.end_mark.index
    if isinstance(node, yaml.ScalarNode):
        return end
    lines = source[node.start_mark.index : end].split("\n")
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return node.start_mark.index + len("\n".join(lines))
