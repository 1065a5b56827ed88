"""Notify: notification.queued."""

from __future__ import annotations

from chassis.uow import UnitOfWork
from notifications.generated.aggregates import NOTIFICATION
from notifications.generated.jobs import Deliver
from notifications.generated.notification import Notify


def notify(command: Notify, uow: UnitOfWork) -> None:
    """Everything here commits together, or nothing does. No I/O: the worker delivers."""
    uow.handle(NOTIFICATION, command.notification_id, command)
    uow.enqueue(Deliver(notification_id=command.notification_id))
