"""The types of fields: `uuid`, `[Item]`, `created|confirmed`, `optional string`."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from archgen.spec.base import Model
from archgen.spec.identifiers import NAME, TYPE_NAME
from archgen.spec.suggest import nearest
from archgen.spec.values import FormatError, shown


class Scalar(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    UUID = "uuid"
    MONEY = "money"
    TIMESTAMP = "timestamp"
    DATE = "date"
    EMAIL = "email"


class FieldType(Model):
    """A parsed field type.

    Exactly one of `scalar`, `enum` and `named` is set. `many` makes it a list of it
    (written `[Item]`), `optional` allows null (written `optional string`).
    """

    scalar: Scalar | None = None
    enum: tuple[str, ...] = ()
    named: str = ""
    many: bool = False
    optional: bool = False

    def __str__(self) -> str:
        base = self.scalar.value if self.scalar else self.named or "|".join(self.enum)
        text = f"[{base}]" if self.many else base
        return f"optional {text}" if self.optional else text

    def fits(self, target: FieldType) -> bool:
        """Whether every value of this type is one of `target`'s; null may go only where null may be."""
        required = self.model_copy(update={"optional": target.optional})
        return required == target and (target.optional or not self.optional)


_SCALARS = tuple(scalar.value for scalar in Scalar)
_ENUM = rf"{NAME}( *\| *{NAME})+"
_ONE = rf"({'|'.join(_SCALARS)}|{TYPE_NAME}|{_ENUM})"
_TEXT = rf"(optional )?({_ONE}|\[ *{_ONE} *\])"

_EXAMPLES = "for example `uuid`, `[Item]`, `created|confirmed`, `optional string`"


def parse(value: object) -> FieldType:
    """The type that a field is given in the file; raises FormatError. A FieldType is returned as it is."""
    if isinstance(value, FieldType):
        return value
    if isinstance(value, list):
        if len(value) != 1 or not isinstance(value[0], str):
            raise FormatError("a list type has one type between its brackets", "for example `[Item]`")
        return _one(value[0], many=True, optional=False)
    if not isinstance(value, str):
        raise FormatError("expected a field type", _EXAMPLES)
    optional = value.startswith("optional ")
    text = value.removeprefix("optional ")
    many = text.startswith("[") and text.endswith("]")
    return _one(text[1:-1].strip(" ") if many else text, many=many, optional=optional)


def _one(text: str, *, many: bool, optional: bool) -> FieldType:
    if text in _SCALARS:
        return FieldType(scalar=Scalar(text), many=many, optional=optional)
    if re.fullmatch(TYPE_NAME, text):
        return FieldType(named=text, many=many, optional=optional)
    if re.fullmatch(_ENUM, text):
        members = tuple(part.strip(" ") for part in text.split("|"))
        twice = next((member for member in members if members.count(member) > 1), "")
        if twice:
            raise FormatError(f"`{twice}` is listed twice")
        return FieldType(enum=members, many=many, optional=optional)
    if "|" in text:
        raise FormatError(
            f"{shown(text)} is not a list of values", "lower-case words, for example `created|confirmed`"
        )
    raise FormatError(f"{shown(text)} is not a field type", nearest(text, _SCALARS) or _EXAMPLES)


Type = Annotated[
    FieldType,
    BeforeValidator(parse),
    WithJsonSchema(
        {
            "description": "A scalar, a type of `types`, values joined by `|`, or a list of one of these.",
            "anyOf": [
                {"type": "string", "pattern": f"^{_TEXT}$"},
                {
                    "type": "array",
                    "items": {"type": "string", "pattern": f"^{_ONE}$"},
                    "minItems": 1,
                    "maxItems": 1,
                },
            ],
        }
    ),
]
"""A FieldType that may be given as the text or list of the file."""
