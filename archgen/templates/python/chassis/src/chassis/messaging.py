"""Messages in traces: who sent one, who handled it, and for how long.

A message carries the `traceparent` of what caused it, so the spans of its sending and of its
handling are siblings below that cause, however much later and wherever they happen. They are made
only when traces are exported; otherwise a message's ids reach the logs at next to no cost.

Source: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from chassis import tracing
from chassis.messages import Message

SYSTEM = "messaging.system"
OPERATION = "messaging.operation.name"
OPERATION_TYPE = "messaging.operation.type"
DESTINATION = "messaging.destination.name"
MESSAGE_ID = "messaging.message.id"
CONVERSATION = "messaging.message.conversation_id"
CONSUMER_GROUP = "messaging.consumer.group.name"
BROKER = "nats"


def handling(consumer: str, message: Message) -> AbstractContextManager[None]:
    """Handle `message` as part of the trace and the correlation that it carries."""
    if tracing.recording():
        return _processed(consumer, message)
    return tracing.continued(message.trace, correlation_of(message))


def concerning(message: Message) -> tracing.continued:
    """Whatever is said about `message` outside of its handling, such as that it was given up."""
    return tracing.continued(message.trace, correlation_of(message))


def correlation_of(message: Message) -> str:
    """The correlation id of what `message` leads to: a message without one begins its own."""
    return message.correlation_id or message.id


@contextmanager
def _processed(consumer: str, message: Message) -> Iterator[None]:
    attributes: dict[str, AttributeValue] = {
        SYSTEM: BROKER,
        OPERATION: "process",
        OPERATION_TYPE: "process",
        DESTINATION: message.address,
        CONSUMER_GROUP: consumer,
        MESSAGE_ID: message.id,
        CONVERSATION: correlation_of(message),
        **_saga(message),
    }
    parent = tracing.extract(message.trace)
    with (
        tracing.continued("", correlation_of(message)),
        tracing.span(f"process {message.address}", SpanKind.CONSUMER, attributes, parent),
    ):
        yield


def _saga(message: Message) -> dict[str, str]:
    parts = {
        "name": message.saga,
        "id": message.saga_id,
        "step": message.saga_step,
        "phase": message.saga_phase,
    }
    return {f"saga.{name}": value for name, value in parts.items() if value}


def published(rows: Sequence[Any], began: int, ended: int) -> None:
    """Tell the traces that these outbox rows were stored by the broker, in nanoseconds since the epoch."""
    if not tracing.recording():
        return
    for row in rows:
        envelope = json.loads(row.body)
        attributes: dict[str, AttributeValue] = {
            SYSTEM: BROKER,
            OPERATION: "publish",
            OPERATION_TYPE: "send",
            DESTINATION: row.subject,
            MESSAGE_ID: row.message_id,
            CONVERSATION: envelope.get("correlationid", row.message_id),
        }
        trace = envelope.get("traceparent", "")
        tracing.record(f"publish {row.subject}", SpanKind.PRODUCER, attributes, trace, began, ended)
