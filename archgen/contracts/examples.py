"""Sample values: the same input always gives the same sample, and the schemas accept it.

They appear in OpenAPI, in the generated tests and in the demo, so they read like real data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias
from uuid import UUID, uuid5

from archgen.spec.model import FieldType, Scalar, System

Value: TypeAlias = Any

_NAMESPACE = UUID("6f1d6f0e-5a43-4c55-9d0e-0c5f7ad0a6d1")

_STRINGS = {
    "name": "Ada Lovelace",
    "phone": "+442071234567",
    "address": "12 Analytical Row, London",
    "country": "GB",
    "city": "London",
    "currency": "EUR",
    "language": "en",
    "reason": "changed my mind",
    "subject": "Your order",
    "title": "A title",
    "sku": "SKU-1",
    "url": "https://example.org/",
}


def example(system: System, field: FieldType, name: str) -> Value:
    """A JSON value of the field's type. `name` is the field's name and makes the value speak."""
    one = _one(system, field, name)
    return [one] if field.many else one


def example_fields(system: System, fields: Mapping[str, FieldType]) -> dict[str, Value]:
    """One sample per field."""
    return {name: example(system, field, name) for name, field in fields.items()}


def _one(system: System, field: FieldType, name: str) -> Value:
    if field.named:
        return example_fields(system, system.types[field.named])
    return field.enum[0] if field.scalar is None else _scalar(field.scalar, name)


def _scalar(scalar: Scalar, name: str) -> Value:
    match scalar:
        case Scalar.STRING:
            return _string(name)
        case Scalar.INTEGER:
            return 2
        case Scalar.NUMBER:
            return 1.5
        case Scalar.BOOLEAN:
            return True
        case Scalar.UUID:
            return str(uuid5(_NAMESPACE, name))
        case Scalar.MONEY:
            return {"amount": "19.99", "currency": "EUR"}
        case Scalar.TIMESTAMP:
            return "2026-01-15T09:30:00Z"
        case Scalar.DATE:
            return "2026-01-15"
        case Scalar.EMAIL:
            return "ada@example.org"


def _string(name: str) -> str:
    last_word = name.rsplit("_", 1)[-1]
    return _STRINGS.get(name) or _STRINGS.get(last_word) or name.replace("_", " ")
