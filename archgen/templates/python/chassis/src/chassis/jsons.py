"""JSON, and plain dataclasses to and from it, by pydantic's compiled core.

Domain code stays plain dataclasses; this is the one place that knows how they look on the
wire. Adapters are built once per class, since building one costs about a thousand uses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

T = TypeVar("T")


def dumps(value: object) -> str:
    """`value` as compact JSON text."""
    return to_json(value).decode()


def loads(text: str | bytes) -> Any:
    """The value that `text` stands for. Raises ValueError when it is not JSON."""
    return from_json(text)


_build: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def adapter(cls: type[T]) -> TypeAdapter[T]:
    """What turns values into `cls` and back."""
    return _build(cls)


def encode(value: object) -> dict[str, Any]:
    """A dataclass as JSON-ready values: uuids, times and decimals become strings."""
    encoded = adapter(type(value)).dump_python(value, mode="json")
    assert isinstance(encoded, dict)
    return encoded


def decode(cls: type[T], value: object) -> T:
    """The `cls` that `value` describes. Raises pydantic.ValidationError when it does not fit."""
    return adapter(cls).validate_python(value)
