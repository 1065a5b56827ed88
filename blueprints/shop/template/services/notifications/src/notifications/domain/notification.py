"""Something to tell a customer, and what became of it. Pure.

A gateway per channel takes what is queued and reports back with record_delivery or record_failure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from chassis.errors import Refused, existing
from notifications.generated.notification import (
    Command,
    Delivered,
    Event,
    Failed,
    Notify,
    Queued,
    RecordDelivery,
    RecordFailure,
)

LONGEST = {"email": 100_000, "sms": 160, "push": 240}
"""How many characters a message may have, by channel."""


@dataclass(frozen=True, kw_only=True)
class Notification:
    """The state of one Notification; `reason` says why it failed."""

    notification_id: UUID
    customer_id: UUID
    channel: Literal["email", "sms", "push"]
    text: str
    status: Literal["queued", "delivered", "failed"]
    reason: str = ""


def decide(notification: Notification | None, command: Command) -> list[Event]:
    """The events that `command` leads to; none when it is known already.

    Raises Refused when a rule says no, and NotFound for one that does not exist.
    """
    match command:
        case Notify():
            if notification is not None:
                raise Refused("this notification exists already")
            return [_queued(command)]
        case RecordDelivery():
            notification = existing(notification, "Notification", command.notification_id)
            if notification.status == "delivered":
                return []
            if notification.status == "failed":
                raise Refused("this notification has failed")
            return [Delivered(notification_id=notification.notification_id, status="delivered")]
        case RecordFailure():
            notification = existing(notification, "Notification", command.notification_id)
            if notification.status == "failed":
                return []
            if notification.status == "delivered":
                raise Refused("this notification is delivered")
            return [
                Failed(notification_id=notification.notification_id, status="failed", reason=command.reason)
            ]


def _queued(command: Notify) -> Queued:
    text = command.text.strip()
    if not text:
        raise Refused("a notification needs a text")
    if len(text) > LONGEST[command.channel]:
        raise Refused(f"the text is too long for {command.channel}: {len(text)} characters")
    return Queued(
        notification_id=command.notification_id,
        customer_id=command.customer_id,
        channel=command.channel,
        text=text,
        status="queued",
    )


def evolve(notification: Notification | None, event: Event) -> Notification:
    """The state after `event`."""
    match event:
        case Queued():
            return Notification(
                notification_id=event.notification_id,
                customer_id=event.customer_id,
                channel=event.channel,
                text=event.text,
                status=event.status,
            )
        case Delivered():
            assert notification is not None
            return replace(notification, status=event.status)
        case Failed():
            assert notification is not None
            return replace(notification, status=event.status, reason=event.reason)
