"""order_details: a read model of Order, kept by its events. Pure."""

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from chassis.money import Money
from orders.generated.order import Cancelled, Confirmed, Created, Event, NotConfirmed
from orders.generated.types import Item


@dataclass(frozen=True, kw_only=True)
class OrderDetails:
    """One row, for one Order."""

    order_id: UUID
    customer_id: UUID
    items: tuple[Item, ...]
    amount: Money
    status: Literal["created", "confirmed", "cancelled"]
    reason: str


def project(row: OrderDetails | None, event: Event) -> OrderDetails | None:
    """The row after `event`; `row` is None as long as there is nothing to show."""
    match event:
        case Created():
            return OrderDetails(
                order_id=event.order_id,
                customer_id=event.customer_id,
                items=event.items,
                amount=event.amount,
                status=event.status,
                reason="",
            )
        case Confirmed():
            return row and replace(row, customer_id=event.customer_id, status=event.status)
        case NotConfirmed():
            # Its reason says why the confirmation was refused; the row's says why the order was cancelled.
            return row
        case Cancelled():
            return row and replace(
                row, customer_id=event.customer_id, status=event.status, reason=event.reason
            )
