"""The stock that is kept for one order. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from chassis.errors import Refused, existing
from inventory.generated.reservation import Command, Event, Rejected, Release, Released, Reserve, Reserved
from inventory.generated.types import Item


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """The state of one Reservation; `reason` says why it was rejected."""

    reservation_id: UUID
    order_id: UUID
    items: tuple[Item, ...]
    status: Literal["reserved", "rejected", "released"]
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Reject:
    """What the use case says instead of passing Reserve on when stock does not suffice; nobody sends it."""

    wanted: Reserve
    reason: str


def decide(reservation: Reservation | None, command: Command | Reject) -> list[Event]:
    """The events that `command` leads to; none when there is nothing left to do.

    Raises Refused for a reservation that exists already, and NotFound for one that does not.
    """
    match command:
        case Reserve():
            _refuse_second(reservation)
            return [
                Reserved(
                    reservation_id=command.reservation_id,
                    order_id=command.order_id,
                    items=command.items,
                    status="reserved",
                )
            ]
        case Reject(wanted=wanted):
            _refuse_second(reservation)
            return [
                Rejected(
                    reservation_id=wanted.reservation_id,
                    order_id=wanted.order_id,
                    items=wanted.items,
                    status="rejected",
                    reason=command.reason,
                )
            ]
        case Release():
            reservation = existing(reservation, "Reservation", command.reservation_id)
            if reservation.status != "reserved":
                return []
            return [
                Released(
                    reservation_id=reservation.reservation_id,
                    order_id=reservation.order_id,
                    status="released",
                )
            ]


def _refuse_second(reservation: Reservation | None) -> None:
    if reservation is not None:
        raise Refused("this reservation exists already")


def quantities(items: tuple[Item, ...]) -> dict[str, int]:
    """Pieces per article, each article once, in a fixed order so that two reservations can't deadlock."""
    wanted: Counter[str] = Counter()
    for item in items:
        wanted[item.sku] += item.quantity
    return dict(sorted(wanted.items()))


def evolve(reservation: Reservation | None, event: Event) -> Reservation:
    """The state after `event`."""
    match event:
        case Reserved():
            return Reservation(
                reservation_id=event.reservation_id,
                order_id=event.order_id,
                items=event.items,
                status=event.status,
            )
        case Rejected():
            return Reservation(
                reservation_id=event.reservation_id,
                order_id=event.order_id,
                items=event.items,
                status=event.status,
                reason=event.reason,
            )
        case Released():
            assert reservation is not None
            return replace(reservation, status=event.status)
