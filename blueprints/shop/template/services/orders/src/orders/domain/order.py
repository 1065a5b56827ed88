"""An order, from its creation until it is confirmed or cancelled. Pure.

Payment and delivery begin as soon as it is created, so its items are fixed from then on; what
is still changing is a basket.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from chassis.errors import Refused, existing
from chassis.money import Money
from orders.domain.item import checked, total
from orders.generated.order import (
    Cancel,
    Cancelled,
    Command,
    Confirm,
    Confirmed,
    Create,
    Created,
    Event,
    NotConfirmed,
)
from orders.generated.types import Item


@dataclass(frozen=True, kw_only=True)
class Order:
    """The state of one Order; `reason` says why it was cancelled."""

    order_id: UUID
    customer_id: UUID
    items: tuple[Item, ...]
    amount: Money
    status: Literal["created", "confirmed", "cancelled"]
    reason: str = ""


def decide(order: Order | None, command: Command) -> list[Event]:
    """The events that `command` leads to; none when it asks for what is so already.

    Raises Refused when a rule says no, and NotFound for one that does not exist.
    """
    match command:
        case Create():
            if order is not None:
                raise Refused("this order exists already")
            if not command.items:
                raise Refused("an order needs at least one item")
            items = checked(command.items)
            return [
                Created(
                    order_id=command.order_id,
                    customer_id=command.customer_id,
                    items=items,
                    amount=total(items),
                    status="created",
                )
            ]
        case Confirm():
            order = existing(order, "Order", command.order_id)
            if order.status == "confirmed":
                return []
            if order.status == "cancelled":
                # Cancelled while it was paid and shipped: an event, so that others take that back.
                return [NotConfirmed(order_id=order.order_id, reason="the order was cancelled")]
            return [Confirmed(order_id=order.order_id, customer_id=order.customer_id, status="confirmed")]
        case Cancel():
            order = existing(order, "Order", command.order_id)
            if order.status == "cancelled":
                return []
            if order.status == "confirmed":
                raise Refused("a confirmed order can't be cancelled")
            return [
                Cancelled(
                    order_id=order.order_id,
                    customer_id=order.customer_id,
                    status="cancelled",
                    reason=command.reason,
                )
            ]


def evolve(order: Order | None, event: Event) -> Order:
    """The state after `event`."""
    match event:
        case Created():
            return Order(
                order_id=event.order_id,
                customer_id=event.customer_id,
                items=event.items,
                amount=event.amount,
                status=event.status,
            )
        case Confirmed():
            assert order is not None
            return replace(order, status=event.status)
        case NotConfirmed():
            assert order is not None
            return order
        case Cancelled():
            assert order is not None
            return replace(order, status=event.status, reason=event.reason)
