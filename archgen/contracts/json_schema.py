"""Field types → JSON Schema 2020-12.

The same schemas are used in three documents, so where a reference points is an argument:
`#/$defs/` in a schema file of its own, `#/components/schemas/` in OpenAPI and AsyncAPI.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from archgen.spec.model import FieldType, Scalar, System

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFS = "#/$defs/"
COMPONENTS = "#/components/schemas/"

# The largest integer that every JSON reader keeps exact (RFC 8259, section 6).
MAX_INTEGER = 2**53 - 1

_HEX = "[0-9a-fA-F]"

_SCALARS: dict[Scalar, Schema] = {
    Scalar.STRING: {"type": "string"},
    Scalar.INTEGER: {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER},
    Scalar.NUMBER: {"type": "number"},
    Scalar.BOOLEAN: {"type": "boolean"},
    Scalar.UUID: {
        "type": "string",
        "format": "uuid",
        "pattern": f"^{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}$",
    },
    Scalar.TIMESTAMP: {"type": "string", "format": "date-time"},
    Scalar.DATE: {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    Scalar.EMAIL: {"type": "string", "format": "email", "maxLength": 254},
}

MONEY = "Money"
_MONEY: Schema = {
    "type": "object",
    "description": "An exact amount: decimal text, never a binary float, and an ISO 4217 currency.",
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,3})?$"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    "required": ["amount", "currency"],
    "additionalProperties": False,
}


def field_schema(field: FieldType, refs: str = DEFS) -> Schema:
    """The schema of one value; `optional` admits null."""
    schema = _one(field, refs)
    if field.many:
        schema = {"type": "array", "items": schema}
    return _nullable(schema) if field.optional else schema


def _one(field: FieldType, refs: str) -> Schema:
    if field.named:
        return {"$ref": refs + field.named}
    if field.scalar is Scalar.MONEY:
        return {"$ref": refs + MONEY}
    if field.scalar is not None:
        return dict(_SCALARS[field.scalar])
    return {"type": "string", "enum": list(field.enum)}


def _nullable(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def object_schema(fields: Mapping[str, FieldType], refs: str = DEFS) -> Schema:
    """A closed object; every field that is not optional must be present."""
    schema: Schema = {
        "type": "object",
        "properties": {name: field_schema(field, refs) for name, field in fields.items()},
    }
    if required := [name for name, field in fields.items() if not field.optional]:
        schema["required"] = required
    return schema | {"additionalProperties": False}


def definitions(system: System, fields: Iterable[FieldType], refs: str = DEFS) -> dict[str, Schema]:
    """The named types, and money, that `fields` reach, each once and in a stable order."""
    found: dict[str, Schema] = {}
    pending = list(fields)
    while pending:
        field = pending.pop()
        if field.scalar is Scalar.MONEY:
            found[MONEY] = _MONEY
        elif field.named and field.named not in found:
            members = system.types[field.named]
            found[field.named] = object_schema(members, refs)
            pending += members.values()
    return dict(sorted(found.items()))
