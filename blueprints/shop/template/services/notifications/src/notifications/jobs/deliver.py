"""Gives a queued notification to the gateway, and records what became of it."""

from __future__ import annotations

from chassis.jobs import Effect, GiveUp, Run
from chassis.uow import UnitOfWork
from notifications.commands.record_delivery import record_delivery
from notifications.commands.record_failure import record_failure
from notifications.gateways import Gateway, Outgoing, Undeliverable, gateway
from notifications.generated.aggregates import NOTIFICATION
from notifications.generated.jobs import Deliver
from notifications.generated.notification import RecordDelivery, RecordFailure


async def deliver(args: Deliver, run: Run, via: Gateway | None = None) -> Effect | None:
    """The gateway may be asked again after a crash, always under the same key; the outcome is recorded once.

    Raises GiveUp for a notification that does not exist.
    """
    notification = await run.load(NOTIFICATION, args.notification_id)
    if notification is None:
        raise GiveUp("there is no such notification")
    if notification.status != "queued":
        return None
    message = Outgoing(notification.customer_id, notification.channel, notification.text)
    reason = ""
    try:
        await (via or gateway()).send(message, run.key)
    except Undeliverable as error:
        reason = str(error)

    def effect(uow: UnitOfWork) -> None:
        if reason:
            record_failure(RecordFailure(notification_id=args.notification_id, reason=reason), uow)
        else:
            record_delivery(RecordDelivery(notification_id=args.notification_id), uow)

    return effect
