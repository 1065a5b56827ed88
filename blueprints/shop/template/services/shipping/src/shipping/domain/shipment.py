"""A parcel on its way to a customer. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from chassis.errors import Refused, existing
from shipping.generated.shipment import Cancel, Cancelled, Command, Create, Created, Event, Failed
from shipping.generated.types import Item

PARCEL_UNITS = 50
"""How many pieces fit into one parcel; an order is one parcel."""


@dataclass(frozen=True, kw_only=True)
class Shipment:
    """The state of one Shipment; `reason` says why it failed."""

    shipment_id: UUID
    order_id: UUID
    customer_id: UUID
    items: tuple[Item, ...]
    status: Literal["created", "failed", "cancelled"]
    reason: str = ""


def decide(shipment: Shipment | None, command: Command) -> list[Event]:
    """The events that `command` leads to; none when there is nothing left to do.

    Raises Refused for a shipment that exists already, and NotFound for one that does not.
    """
    match command:
        case Create():
            if shipment is not None:
                raise Refused("this shipment exists already")
            reason = _objection(command.items)
            return [_failed(command, reason) if reason else _created(command)]
        case Cancel():
            shipment = existing(shipment, "Shipment", command.shipment_id)
            if shipment.status != "created":
                return []
            return [
                Cancelled(
                    shipment_id=shipment.shipment_id,
                    order_id=shipment.order_id,
                    customer_id=shipment.customer_id,
                    status="cancelled",
                )
            ]


def _objection(items: tuple[Item, ...]) -> str:
    """Why it can't be sent; empty when nothing speaks against it."""
    units = sum(item.quantity for item in items)
    if units < 1:
        return "there is nothing to send"
    if units > PARCEL_UNITS:
        return f"{units} pieces do not fit into a parcel of {PARCEL_UNITS}"
    return ""


def _created(command: Create) -> Created:
    return Created(
        shipment_id=command.shipment_id,
        order_id=command.order_id,
        customer_id=command.customer_id,
        items=command.items,
        status="created",
    )


def _failed(command: Create, reason: str) -> Failed:
    return Failed(
        shipment_id=command.shipment_id,
        order_id=command.order_id,
        customer_id=command.customer_id,
        items=command.items,
        status="failed",
        reason=reason,
    )


def evolve(shipment: Shipment | None, event: Event) -> Shipment:
    """The state after `event`."""
    match event:
        case Created():
            return Shipment(
                shipment_id=event.shipment_id,
                order_id=event.order_id,
                customer_id=event.customer_id,
                items=event.items,
                status=event.status,
            )
        case Failed():
            return Shipment(
                shipment_id=event.shipment_id,
                order_id=event.order_id,
                customer_id=event.customer_id,
                items=event.items,
                status=event.status,
                reason=event.reason,
            )
        case Cancelled():
            assert shipment is not None
            return replace(shipment, status=event.status)
