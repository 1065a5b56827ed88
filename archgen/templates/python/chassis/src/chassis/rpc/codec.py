"""Protobuf messages to and from plain values, so that an answer looks the same by whichever way it came.

| contract | plain value |
| --- | --- |
| `Timestamp` | text as in RFC 3339, in UTC |
| an enum's `STATUS_PAID` | `"paid"` |
| a message inside a message (`TagsList`) | a list that may also be missing |
| any other message | a dict |
| a field that is not set | None |

A value of an enum that this release does not know yet reads as None, too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor
from google.protobuf.message import Message

log = logging.getLogger(__name__)

TIMESTAMP = "google.protobuf.Timestamp"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = "UNSPECIFIED"


class Unfit(ValueError):
    """A value, or what came over the wire, that the contract has no place for."""


def fill(message: Message, values: Mapping[str, Any]) -> None:
    """Put `values` into `message`. Raises Unfit for one of the wrong type.

    What the contract does not know stays behind: a row may have got a column that it promises nobody.
    """
    known = message.DESCRIPTOR.fields_by_name
    for name, value in values.items():
        field = known.get(name)
        if field is None:
            _tell(message.DESCRIPTOR.full_name, name)
        elif value is not None:
            try:
                _put(message, field, value)
            except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
                raise Unfit(f"{field.full_name}: {error}") from error


def read(message: Message) -> dict[str, Any]:
    """Every field of `message`; None for one that is not set."""
    return {field.name: _get(message, field) for field in message.DESCRIPTOR.fields}


# What a descriptor's fields are is private to the runtime: there are several, and one interface.


def _put(message: Message, field: Any, value: Any) -> None:
    if field.is_repeated:
        many = getattr(message, field.name)
        for one in value:
            if field.message_type is None:
                many.append(_scalar(field, one))
            else:
                _inside(many.add(), field.message_type, one)
    elif field.message_type is None:
        setattr(message, field.name, _scalar(field, value))
    else:
        inner = getattr(message, field.name)
        inner.SetInParent()
        _inside(inner, field.message_type, value)


def _inside(message: Any, type: Descriptor, value: Any) -> None:
    if type.full_name == TIMESTAMP:
        since = _moment(value) - _EPOCH
        message.seconds = since // timedelta(seconds=1)
        message.nanos = since.microseconds * 1000
    elif type.containing_type is not None:
        fill(message, {"values": value})
    else:
        fill(message, value)


def _scalar(field: Any, value: Any) -> Any:
    return _numbers(field.enum_type)[value] if field.enum_type else value


def _get(message: Message, field: Any) -> Any:
    if field.is_repeated:
        return [_plain(field, each) for each in getattr(message, field.name)]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _plain(field, getattr(message, field.name))


def _plain(field: Any, value: Any) -> Any:
    if field.enum_type is not None:
        return _words(field.enum_type).get(value)
    type = field.message_type
    if type is None:
        return value
    if type.full_name == TIMESTAMP:
        moment = _EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)
        return moment.isoformat().replace("+00:00", "Z")
    return read(value) if type.containing_type is None else read(value)["values"]


def _moment(text: str) -> datetime:
    """A time without an offset is taken for UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@cache
def _words(enum: EnumDescriptor) -> dict[int, str]:
    """Number → word: `STATUS_PAID` is "paid", where zero is called `STATUS_UNSPECIFIED`."""
    prefix = len(enum.values_by_number[0].name.removesuffix(_ZERO))
    return {each.number: each.name[prefix:].lower() for each in enum.values if each.number}


@cache
def _numbers(enum: EnumDescriptor) -> dict[str, int]:
    return {word: number for number, word in _words(enum).items()}


@cache
def _tell(message: str, field: str) -> None:
    """Once per field and process."""
    log.warning(
        "a value is left out: the contract has no place for it",
        extra={"type": message, "name_of_field": field},
    )
