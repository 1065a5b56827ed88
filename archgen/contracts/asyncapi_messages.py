"""The messages of the AsyncAPI document and the schemas of their payloads."""

from __future__ import annotations

from typing import Any

from archgen.contracts import addresses
from archgen.contracts.envelope import (
    CONTENT_TYPE,
    ENVELOPE,
    envelope_example,
    envelope_schema,
    message_schema,
)
from archgen.contracts.examples import example_fields
from archgen.contracts.json_schema import COMPONENTS, definitions, object_schema
from archgen.contracts.traffic import Message, Traffic
from archgen.spec.model import FieldType, System

REPLY = "reply"
_OUTCOME = "reply.data"
_SAGA_ID = "0192f0c1-7d3a-7cc3-98c4-dc0c0c07398f"


def components(system: System, traffic: Traffic) -> dict[str, Any]:
    """The components of the document: schemas, messages and what all messages share."""
    return {
        "schemas": _schemas(system, traffic),
        "messages": _messages(system, traffic),
        "messageTraits": {ENVELOPE: _trait()},
    }


def _schemas(system: System, traffic: Traffic) -> dict[str, Any]:
    used: list[FieldType] = []
    schemas: dict[str, Any] = {ENVELOPE: envelope_schema()}
    for message in (*traffic.events, *traffic.commands):
        used += message.fields.values()
        schemas[f"{message.key}.data"] = object_schema(message.fields, COMPONENTS)
    if traffic.reply_owners:
        schemas[_OUTCOME] = _outcome()
    return definitions(system, used, COMPONENTS) | schemas


def _outcome() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "outcome": {"type": "string", "enum": ["done", "refused"]},
            "reason": {"type": "string", "description": "Why it was refused, in words."},
            "result": {"type": "object", "description": "What later steps may need."},
        },
        "required": ["outcome"],
        "additionalProperties": False,
    }


def _trait() -> dict[str, Any]:
    message_id = {"type": "string", "description": "The envelope's id; the broker drops duplicates by it."}
    return {
        "contentType": CONTENT_TYPE,
        "correlationId": {"location": "$message.payload#/correlationid"},
        "headers": {"type": "object", "properties": {"Nats-Msg-Id": message_id}},
    }


def _messages(system: System, traffic: Traffic) -> dict[str, Any]:
    found = {event.key: _event(system, event) for event in traffic.events}
    found |= {command.key: _command(system, command) for command in traffic.commands}
    if traffic.reply_owners:
        found[REPLY] = _reply(system)
    return found


def _event(system: System, event: Message) -> dict[str, Any]:
    type_ = addresses.event_type(system.system, event.name, event.version)
    data = example_fields(system, event.fields)
    sample = envelope_example(
        type_=type_,
        source=addresses.source(system.system, event.service),
        subject=str(data[event.id_field]),
        data=data,
        aggregateversion=1,
    )
    payload = message_schema(type_, f"{event.key}.data", ("subject", "aggregateversion"))
    return _message(event.name, f"`{event.name}` has happened", payload, sample, [event.service])


def _command(system: System, command: Message) -> dict[str, Any]:
    type_ = addresses.command_type(system.system, command.name)
    data = example_fields(system, command.fields)
    saga = {"sagaid": _SAGA_ID, "sagastep": command.name, "sagaphase": "do"} if command.senders else {}
    sender = next(iter(command.senders), command.service)
    sample = envelope_example(
        type_=type_,
        source=addresses.source(system.system, sender),
        subject=str(data[command.id_field]),
        data=data,
        **saga,
        replyto=addresses.reply_address(system.system, sender),
    )
    payload = message_schema(type_, f"{command.key}.data", ("subject",))
    return _message(command.name, f"Asks for `{command.name}`", payload, sample, [command.service])


def _reply(system: System) -> dict[str, Any]:
    type_ = addresses.reply_type(system.system)
    sample = envelope_example(
        type_=type_,
        source=addresses.source(system.system, next(iter(system.services))),
        subject="",
        data={"outcome": "refused", "reason": "out of stock", "result": {}},
        sagaid=_SAGA_ID,
    )
    payload = message_schema(type_, _OUTCOME, ("sagaid",))
    return _message(REPLY, "How a command went", payload, sample, list(system.services))


def _message(
    name: str, summary: str, payload: dict[str, Any], sample: dict[str, Any], tags: list[str]
) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "tags": [{"name": tag} for tag in tags],
        "traits": [{"$ref": f"#/components/messageTraits/{ENVELOPE}"}],
        "payload": payload,
        "examples": [{"name": "typical", "payload": sample}],
    }
