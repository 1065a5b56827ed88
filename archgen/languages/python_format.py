"""Python expressions laid out over lines as ruff format lays them out.

Three forms, the first that fits: all on one line; the arguments of a call, or the only element, on one
line of their own; one element per line with a trailing comma.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from archgen.escape import py
from archgen.languages.python_imports import WIDTH
from archgen.plan_types import Code


@dataclass(frozen=True)
class Group:
    """Something in brackets. `items` may begin with a name (`key=`) and end in a Group of their own."""

    open: str
    items: tuple[Item, ...]
    close: str
    single_comma: bool = False  # a tuple of one keeps its comma on one line

    @property
    def flat(self) -> str:
        comma = "," if self.single_comma and len(self.items) == 1 else ""
        return self.open + ", ".join(item.flat for item in self.items) + comma + self.close


@dataclass(frozen=True)
class Item:
    """`prefix` is what stands before the value, such as `timeout=`."""

    prefix: str
    value: str | Group

    @property
    def flat(self) -> str:
        return self.prefix + (self.value if isinstance(self.value, str) else self.value.flat)


def layout(value: str | Group, indent: int, before: int = 0, after: int = 0) -> Code:
    """`value` at a place `indent` spaces deep, with `before` characters in front and `after` behind it."""
    return Code(_layout(value, indent, before, after))


def _layout(value: str | Group, indent: int, before: int, after: int) -> str:
    if isinstance(value, str):
        return value
    if indent + before + len(value.flat) + after <= WIDTH or not value.items:
        return value.flat
    inner = " " * (indent + 4)
    body = ", ".join(item.flat for item in value.items)
    comma = "," if value.single_comma and len(value.items) == 1 else ""
    one_line = len(value.items) == 1 or value.open.endswith("(") and len(value.open) > 1
    if one_line and len(inner) + len(body + comma) <= WIDTH:
        return f"{value.open}\n{inner}{body}{comma}\n{' ' * indent}{value.close}"
    lines = [inner + item.prefix + _layout(item.value, indent + 4, len(item.prefix), 1) + "," for item in value.items]
    if len(lines) == 1 and not comma and isinstance(value.items[0].value, Group) and not value.items[0].prefix:
        # The only element brings brackets of its own, which are enough.
        lines = [lines[0].removesuffix(",")]
    return value.open + "\n" + "\n".join(lines) + f"\n{' ' * indent}{value.close}"


def call(function: str, arguments: Iterable[tuple[str, str | Group]]) -> Group:
    """`function(name=value, …)`; an empty name is a positional argument."""
    return Group(f"{function}(", tuple(Item(f"{name}=" if name else "", value) for name, value in arguments), ")")


def tuple_of(values: Sequence[str | Group]) -> Group:
    return Group("(", tuple(Item("", value) for value in values), ")", single_comma=True)


def data(value: object) -> str | Group:
    """A JSON-like value as a Python expression."""
    if isinstance(value, Mapping):
        return Group("{", tuple(Item(f"{py(key)}: ", data(inner)) for key, inner in value.items()), "}")
    if isinstance(value, tuple):
        return tuple_of([data(inner) for inner in value])
    if isinstance(value, list):
        return Group("[", tuple(Item("", data(inner)) for inner in value), "]")
    return py(value)
