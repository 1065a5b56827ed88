"""The envelope of every message: CloudEvents 1.0 in JSON, structured mode.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from chassis.jsons import dumps, loads

# Extension attributes are lower-case letters and digits only, as CloudEvents demands.
_EXTENSIONS = {
    "trace": "traceparent",
    "correlation_id": "correlationid",
    "causation_id": "causationid",
    "version": "aggregateversion",
    "saga": "saga",
    "saga_id": "sagaid",
    "saga_step": "sagastep",
    "saga_phase": "sagaphase",
    "reply_to": "replyto",
}
# Attributes that become keys of rows, for which databases have limits.
_KEYS = {"id", "subject", "saga", "sagaid", "sagastep"}
KEY_LENGTH = 255
_NAMESPACE = UUID("6f1c2c52-54a5-4e7c-9f8e-1d2f0c9f3a77")


class Malformed(ValueError):
    """The bytes are not a message of ours; retrying cannot help."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event, command or reply.

    `address` is where the broker carries it (`shop.event.order.created`); it is not part of the
    envelope. `subject` is the aggregate's id and `version` the aggregate's version after the event.
    `saga_data` carries what later steps of a choreographed saga need.
    """

    id: str
    type: str
    source: str
    subject: str
    data: dict[str, Any]
    address: str = ""
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    trace: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    version: int = 0
    saga: str = ""
    saga_id: str = ""
    saga_step: str = ""
    saga_phase: str = ""
    reply_to: str = ""
    saga_data: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The message as CloudEvents JSON; attributes without a value are left out."""
        envelope: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "type": self.type,
            "source": self.source,
            "subject": self.subject,
            "time": self.time,
            "datacontenttype": "application/json",
        }
        for name, attribute in _EXTENSIONS.items():
            value = getattr(self, name)
            if value:
                envelope[attribute] = value
        if self.saga_data:
            # An extension's value can't be an object, so it travels as JSON text.
            envelope["sagadata"] = dumps(self.saga_data)
        envelope["data"] = self.data
        return dumps(envelope)

    @classmethod
    def from_json(cls, body: bytes | str, address: str = "") -> Message:
        """The message in `body`. Raises Malformed, with the reason, when it is not one."""
        try:
            envelope = loads(body)
        except ValueError as error:
            raise Malformed(f"not JSON: {error}") from error
        if not isinstance(envelope, dict):
            raise Malformed("a CloudEvent is a JSON object")
        if envelope.get("specversion") != "1.0":
            raise Malformed("specversion is not 1.0")
        for attribute in ("id", "type", "source"):
            if not isinstance(envelope.get(attribute), str) or not envelope[attribute]:
                raise Malformed(f"attribute {attribute!r} is missing or not a string")
        data = envelope.get("data", {})
        if not isinstance(data, dict):
            raise Malformed("data is not an object")
        extensions = {name: envelope[attr] for name, attr in _EXTENSIONS.items() if attr in envelope}
        for name, value in extensions.items():
            if not isinstance(value, int if name == "version" else str):
                raise Malformed(f"extension {_EXTENSIONS[name]!r} has the wrong type")
        for attribute in _KEYS & envelope.keys():
            _check_key(attribute, str(envelope[attribute]))
        return cls(
            id=envelope["id"],
            type=envelope["type"],
            source=envelope["source"],
            subject=str(envelope.get("subject", "")),
            time=str(envelope.get("time", "")),
            data=data,
            address=address,
            saga_data=_saga_data(envelope.get("sagadata")),
            **extensions,
        )


def _check_key(attribute: str, value: str) -> None:
    # Such a value would fail in the database for ever, and the dead letter with it.
    if len(value) > KEY_LENGTH or "\x00" in value:
        raise Malformed(f"attribute {attribute!r} is longer than {KEY_LENGTH} characters or holds a NUL")


def _saga_data(text: object) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = loads(text) if isinstance(text, str) else None
    except ValueError as error:
        raise Malformed(f"sagadata is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Malformed("sagadata is not a JSON object in a string")
    return value


def derived_id(*parts: object) -> str:
    """A UUID that is the same for the same parts, so that a repeat is recognised as one."""
    return str(uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts)))
