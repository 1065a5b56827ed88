"""Notification, given-when-then: given a state, when a command, then these events."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal
from uuid import UUID

import pytest

from chassis.errors import NotFound, Refused
from notifications.domain.notification import LONGEST, Notification, decide, evolve
from notifications.generated.notification import (
    Delivered,
    Failed,
    Notify,
    Queued,
    RecordDelivery,
    RecordFailure,
)

ID = UUID("c0ffee00-0000-4000-8000-000000000008")
CUSTOMER = UUID("c0ffee00-0000-4000-8000-000000000003")
NOTIFY = Notify(notification_id=ID, customer_id=CUSTOMER, channel="email", text="Your order is confirmed.")
QUEUED = Notification(
    notification_id=ID,
    customer_id=CUSTOMER,
    channel="email",
    text="Your order is confirmed.",
    status="queued",
)
DELIVERY = RecordDelivery(notification_id=ID)
FAILURE = RecordFailure(notification_id=ID, reason="mailbox full")


def test_a_message_is_queued() -> None:
    [event] = decide(None, NOTIFY)
    assert isinstance(event, Queued)
    assert evolve(None, event) == QUEUED


@pytest.mark.parametrize("channel", ["email", "sms", "push"])
def test_each_channel_has_its_own_limit(channel: Literal["email", "sms", "push"]) -> None:
    longest = replace(NOTIFY, channel=channel, text="x" * LONGEST[channel])
    assert len(decide(None, longest)) == 1
    with pytest.raises(Refused, match="too long"):
        decide(None, replace(longest, text=longest.text + "x"))


def test_a_text_is_needed() -> None:
    with pytest.raises(Refused, match="text"):
        decide(None, replace(NOTIFY, text=" \n"))


def test_queueing_twice_is_refused() -> None:
    with pytest.raises(Refused, match="exists"):
        decide(QUEUED, NOTIFY)


def test_a_delivery_is_recorded_once_and_is_final() -> None:
    [event] = decide(QUEUED, DELIVERY)
    assert isinstance(event, Delivered)
    delivered = evolve(QUEUED, event)
    assert decide(delivered, DELIVERY) == []
    with pytest.raises(Refused, match="delivered"):
        decide(delivered, FAILURE)


def test_a_failure_is_recorded_once_with_its_reason_and_is_final() -> None:
    [event] = decide(QUEUED, FAILURE)
    assert event == Failed(notification_id=ID, status="failed", reason="mailbox full")
    failed = evolve(QUEUED, event)
    assert decide(failed, FAILURE) == []
    with pytest.raises(Refused, match="failed"):
        decide(failed, DELIVERY)


def test_only_a_message_that_was_queued_has_an_outcome() -> None:
    with pytest.raises(NotFound):
        decide(None, DELIVERY)
