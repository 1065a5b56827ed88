"""Whether a value given under `with:` is one of a field's type."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from archgen.spec.fieldtypes import FieldType, Scalar

Types = Mapping[str, Mapping[str, FieldType]]

_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,4})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def fits(value: object, kind: FieldType, types: Types) -> bool:
    """Whether `value`, as read from YAML, may stand for a `kind`; `types` are the system's own types.

    Money is a mapping of `amount` and `currency`, both text; a timestamp has its offset from UTC.
    """
    if value is None:
        return kind.optional
    if kind.many:
        one = kind.model_copy(update={"many": False, "optional": False})
        return isinstance(value, list) and all(fits(item, one, types) for item in value)
    if kind.enum:
        return value in kind.enum
    if kind.named:
        fields = types.get(kind.named, {})
        return isinstance(value, dict) and _has_fields(value, fields, types)
    return kind.scalar is not None and _is_scalar(value, kind.scalar)


def _has_fields(value: dict[str, object], fields: Mapping[str, FieldType], types: Types) -> bool:
    known = set(value) <= set(fields)
    return known and all(fits(value.get(name), kind, types) for name, kind in fields.items())


def _is_scalar(value: object, scalar: Scalar) -> bool:
    match scalar, value:
        case Scalar.BOOLEAN, bool():
            return True
        case _, bool():
            return False
        case Scalar.INTEGER | Scalar.NUMBER, int():
            return True
        case Scalar.NUMBER, float():
            return math.isfinite(value)
        case Scalar.MONEY, dict():
            amount, currency = value.get("amount"), value.get("currency")
            return len(value) == 2 and _is_money(amount, currency)
        case ((Scalar.INTEGER | Scalar.NUMBER | Scalar.MONEY | Scalar.BOOLEAN), _):
            return False
        case _, str():
            return _is_text(value, scalar)
    return False


def _is_money(amount: object, currency: object) -> bool:
    texts = isinstance(amount, str) and isinstance(currency, str)
    return texts and bool(_AMOUNT.fullmatch(str(amount)) and _CURRENCY.fullmatch(str(currency)))


def _is_text(value: str, scalar: Scalar) -> bool:
    try:
        match scalar:
            case Scalar.UUID:
                return str(UUID(value)) == value.lower()
            case Scalar.DATE:
                return date.fromisoformat(value).isoformat() == value
            case Scalar.TIMESTAMP:
                return datetime.fromisoformat(value).tzinfo is not None
            case Scalar.EMAIL:
                return bool(_EMAIL.fullmatch(value))
    except ValueError:
        return False
    return True
