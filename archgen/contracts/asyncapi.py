"""One AsyncAPI 3.0 document for the whole system: who sends what to whom, and how it looks."""

from __future__ import annotations

from typing import Any

from archgen.contracts import addresses
from archgen.contracts.asyncapi_messages import REPLY, components
from archgen.contracts.envelope import CONTENT_TYPE
from archgen.contracts.traffic import Message, Traffic, traffic
from archgen.spec.model import Broker, System

# The protocol, and the host to use when nothing is configured.
_BROKERS = {
    Broker.NATS: ("nats", "localhost:4222"),
    Broker.RABBITMQ: ("amqp", "localhost:5672"),
    Broker.KAFKA: ("kafka", "localhost:9092"),
    Broker.REDIS: ("redis", "localhost:6379"),
}


def asyncapi(system: System) -> dict[str, Any]:
    """The document of `system`."""
    flow = traffic(system)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": system.system,
            "version": "1.0.0",
            "description": system.about or f"The messages of {system.system}.",
            "tags": [_tag(name, service.about) for name, service in system.services.items()],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _server(system.broker)},
        "channels": _channels(system.system, flow),
        "operations": _operations(system.broker, flow),
        "components": components(system, flow),
    }


def _tag(name: str, about: str) -> dict[str, str]:
    return {"name": name} | ({"description": about} if about else {})


def _server(broker: Broker) -> dict[str, Any]:
    protocol, host = _BROKERS[broker]
    return {
        "host": "{host}",
        "protocol": protocol,
        "description": "What `BROKER_URL` points to.",
        "variables": {"host": {"default": host}},
        "bindings": {protocol: {}},
    }


def _channels(system: str, flow: Traffic) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for event in flow.events:
        address = addresses.event_address(system, event.name)
        found[event.key] = _channel(address, event.key, f"`{event.name}` has happened.")
    for command in flow.commands:
        address = addresses.command_address(system, command.name)
        found[command.key] = _channel(address, command.key, f"Asks {command.service} for `{command.name}`.")
    for owner in flow.reply_owners:
        address = addresses.reply_address(system, owner)
        found[f"reply.{owner}"] = _channel(address, REPLY, f"Answers to the commands that {owner} sent.")
    return found


def _channel(address: str, message: str, description: str) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }


def _operations(broker: Broker, flow: Traffic) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for event in flow.events:
        found[f"{event.service}.emits.{event.name}"] = _send(event.service, event)
        for receiver in event.receivers:
            found[f"{receiver}.hears.{event.name}"] = _receive(receiver, event, broker)
    for command in flow.commands:
        for sender in command.senders:
            found[f"{sender}.asks.{command.name}"] = _send(sender, command) | _reply(sender)
        does = _receive(command.service, command, broker)
        if len(command.senders) == 1:
            # With several senders the reply goes to whoever asked: the envelope's `replyto`.
            does |= _reply(command.senders[0])
        found[f"{command.service}.does.{command.name}"] = does
    return found


def _send(service: str, message: Message) -> dict[str, Any]:
    return _operation("send", service, message, f"{service} sends `{message.name}`")


def _receive(service: str, message: Message, broker: Broker) -> dict[str, Any]:
    operation = _operation("receive", service, message, f"{service} acts on `{message.name}`")
    if broker is Broker.NATS:
        # The replicas of a service share one durable consumer, so each message goes to one of them.
        operation["bindings"] = {"nats": {"queue": service, "bindingVersion": "0.1.0"}}
    return operation


def _operation(action: str, service: str, message: Message, summary: str) -> dict[str, Any]:
    channel = f"#/channels/{message.key}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "summary": summary,
        "tags": [{"name": service}],
        "messages": [{"$ref": f"{channel}/messages/{message.key}"}],
        "x-service": service,
    }


def _reply(owner: str) -> dict[str, Any]:
    channel = f"#/channels/reply.{owner}"
    return {
        "reply": {
            "channel": {"$ref": channel},
            "messages": [{"$ref": f"{channel}/messages/{REPLY}"}],
        }
    }
