"""What of one article is in the warehouse, and how much of it is promised. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chassis.errors import Refused, existing
from inventory.generated.stock import (
    Allocate,
    Allocated,
    Command,
    Deallocate,
    Deallocated,
    Event,
    Receive,
    Received,
)


@dataclass(frozen=True, kw_only=True)
class Stock:
    """The state of one Stock, in pieces; `allocated` of those on hand belong to reservations."""

    sku: str
    on_hand: int
    allocated: int

    @property
    def available(self) -> int:
        return self.on_hand - self.allocated


def decide(stock: Stock | None, command: Command) -> list[Event]:
    """The events that `command` leads to.

    Raises Refused when a rule says no, and NotFound for an article that was never received.
    """
    if command.quantity < 1:
        raise Refused("the quantity must be at least 1")
    match command:
        case Receive():
            stock = stock or Stock(sku=command.sku, on_hand=0, allocated=0)
            on_hand = stock.on_hand + command.quantity
            return [Received(sku=stock.sku, on_hand=on_hand, allocated=stock.allocated)]
        case Allocate():
            stock = existing(stock, "Stock", command.sku)
            if command.quantity > stock.available:
                raise Refused(f"only {stock.available} of {stock.sku} are available")
            allocated = stock.allocated + command.quantity
            return [Allocated(sku=stock.sku, on_hand=stock.on_hand, allocated=allocated)]
        case Deallocate():
            stock = existing(stock, "Stock", command.sku)
            if command.quantity > stock.allocated:
                raise Refused(f"only {stock.allocated} of {stock.sku} are allocated")
            allocated = stock.allocated - command.quantity
            return [Deallocated(sku=stock.sku, on_hand=stock.on_hand, allocated=allocated)]


def evolve(stock: Stock | None, event: Event) -> Stock:
    """The state after `event`."""
    match event:
        case Received():
            return Stock(sku=event.sku, on_hand=event.on_hand, allocated=event.allocated)
        case Allocated() | Deallocated():
            assert stock is not None
            return replace(stock, allocated=event.allocated)
