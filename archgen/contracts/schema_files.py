"""JSON Schema files: one per event, for its data, and one per command, for what it takes."""

from __future__ import annotations

from archgen.contracts.addresses import command_type, event_type
from archgen.contracts.examples import example_fields
from archgen.contracts.json_schema import DIALECT, Schema, definitions, object_schema
from archgen.contracts.traffic import EventMessage, command_fields
from archgen.spec.model import FieldType, System

_EVENT_NOTE = (
    "Closed, so that a producer's slip is caught; consumers read what they know and pass over the rest. "
    "A new optional field is compatible. Anything else is a new version of the type, sent beside the old one."
)
_COMMAND_NOTE = (
    "Closed, so that a sender's slip is caught. A new optional field is compatible once the receiver runs; "
    "anything else is a new version of the type."
)


def event_schema(system: System, event: EventMessage) -> Schema:
    """The data of an event."""
    about = f"Data of the event `{event_type(system.system, event.name)}`, told by {event.service}."
    return _file(system, event.name, about, _EVENT_NOTE, event.fields)


def command_schema(system: System, service: str, aggregate: str, command: str) -> Schema:
    """The data of a command: the id of the aggregate and what the command takes."""
    fields = command_fields(system.services[service].aggregates[aggregate], command)
    about = f"Data of the command `{command_type(system.system, service, command)}`, done by {service}."
    return _file(system, f"{service}.{command}", about, _COMMAND_NOTE, fields)


def _file(system: System, name: str, about: str, note: str, fields: dict[str, FieldType]) -> Schema:
    schema: Schema = {
        "$schema": DIALECT,
        "$id": f"{name}.json",
        "$comment": note,
        "title": name,
        "description": about,
        **object_schema(fields),
    }
    if defs := definitions(system, fields.values()):
        schema["$defs"] = defs
    return schema | {"examples": [example_fields(system, fields)]}
