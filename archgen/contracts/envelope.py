"""The envelope of every message: CloudEvents 1.0, JSON, structured mode.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
Our extension attributes are lower-case without separators, as CloudEvents demands.
"""

from __future__ import annotations

from typing import Any

from archgen.contracts.json_schema import COMPONENTS, Schema

CONTENT_TYPE = "application/cloudevents+json"
ENVELOPE = "cloudevent"

_TEXT: Schema = {"type": "string", "minLength": 1}


def envelope_schema() -> Schema:
    """What all messages share. It stays open: CloudEvents lets anybody on the way add extensions."""
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in JSON structured mode, with the extensions of this system.",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _TEXT | {"description": "Unique per message; consumers recognise a duplicate by it."},
            "source": _TEXT | {"format": "uri-reference", "description": "`/<system>/<service>`"},
            "type": _TEXT | {"description": "What the message is, and the version of its data."},
            "subject": {"type": "string", "description": "The id of the aggregate."},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "traceparent": {"type": "string", "description": "W3C trace context."},
            "correlationid": {"type": "string", "description": "The same for all that one request set off."},
            "causationid": {"type": "string", "description": "The id of the message that led to this one."},
            "aggregateversion": {
                "type": "integer",
                "minimum": 1,
                "description": "The aggregate's version after this event; a late event shows by it.",
            },
            "saga": {"type": "string"},
            "sagaid": {"type": "string"},
            "sagastep": {"type": "string"},
            "sagaphase": {"type": "string", "enum": ["do", "undo"]},
            "sagadata": {"type": "string", "description": "JSON text: what later steps of the saga need."},
            "replyto": {"type": "string", "description": "The address that the reply goes to."},
            "data": {"type": "object"},
        },
        "required": ["specversion", "id", "source", "type", "time", "datacontenttype", "data"],
    }


def message_schema(type_: str, data: str, required: tuple[str, ...]) -> Schema:
    """The envelope narrowed to one message type whose data is the component schema `data`."""
    return {
        "allOf": [
            {"$ref": COMPONENTS + ENVELOPE},
            {
                "type": "object",
                "properties": {"type": {"const": type_}, "data": {"$ref": COMPONENTS + data}},
                "required": list(required),
            },
        ]
    }


def envelope_example(
    *, type_: str, source: str, subject: str, data: dict[str, Any], **extra: Any
) -> dict[str, Any]:
    """A whole message, as it is on the wire."""
    return {
        "specversion": "1.0",
        "id": "0192f0c1-7d3a-7cc3-98c4-dc0c0c07398f",
        "source": source,
        "type": type_,
        "subject": subject,
        "time": "2026-01-15T09:30:00Z",
        "datacontenttype": "application/json",
        "correlationid": "0192f0c1-7d3a-7cc3-98c4-dc0c0c07398f",
        **extra,
        "data": data,
    }
