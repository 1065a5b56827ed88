"""JSON Schema files: one per event, for its data, and one per command, for what it takes."""

from __future__ import annotations

from archgen.contracts.addresses import command_type, event_type
from archgen.contracts.examples import example_fields
from archgen.contracts.json_schema import DIALECT, Schema, definitions, object_schema
from archgen.contracts.traffic import Message
from archgen.spec.model import System

_EVENT_NOTE = (
    "Closed, so that a producer's slip is caught; consumers read what they know and pass over the rest. "
    "A new optional field is compatible. Anything else is a new version of the type, sent beside the old one."
)
_COMMAND_NOTE = (
    "Closed, so that a sender's slip is caught. A new optional field is compatible once the receiver runs; "
    "anything else is a new version of the type."
)


def event_schema(system: System, event: Message) -> Schema:
    """The data of an event."""
    type = event_type(system.system, event.name, event.version)
    about = f"Data of the event `{type}`, told by {event.service}."
    return _file(system, event, about, _EVENT_NOTE)


def command_schema(system: System, command: Message) -> Schema:
    """The data of a command: the id of the aggregate and what the command takes."""
    about = f"Data of the command `{command_type(system.system, command.name)}`, done by {command.service}."
    return _file(system, command, about, _COMMAND_NOTE)


def _file(system: System, message: Message, about: str, note: str) -> Schema:
    schema: Schema = {
        "$schema": DIALECT,
        "$id": f"{message.name}.json",
        "$comment": note,
        "title": message.name,
        "description": about,
        **object_schema(message.fields),
    }
    if defs := definitions(system, message.fields.values()):
        schema["$defs"] = defs
    return schema | {"examples": [example_fields(system, message.fields)]}
