"""What a customer means to buy. An order begins when it is checked out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from chassis.errors import Refused, existing
from orders.domain.item import checked
from orders.generated.basket import AddItem, CheckedOut, CheckOut, Command, Event, ItemAdded, Open, Opened
from orders.generated.types import Item


@dataclass(frozen=True, kw_only=True)
class Basket:
    """The state of one Basket."""

    basket_id: UUID
    customer_id: UUID
    items: tuple[Item, ...]
    status: Literal["open", "checked_out"]


def decide(basket: Basket | None, command: Command) -> list[Event]:
    """The events that `command` leads to; none when it asks for what is so already.

    Raises Refused when a rule says no, and NotFound for one that does not exist.
    """
    match command:
        case Open():
            if basket is not None:
                raise Refused("this basket exists already")
            return [
                Opened(basket_id=command.basket_id, customer_id=command.customer_id, items=(), status="open")
            ]
        case AddItem():
            basket = existing(basket, "Basket", command.basket_id)
            if basket.status == "checked_out":
                raise Refused("this basket is checked out")
            return [ItemAdded(basket_id=basket.basket_id, items=checked((*basket.items, command.item)))]
        case CheckOut():
            basket = existing(basket, "Basket", command.basket_id)
            if basket.status == "checked_out":
                return []
            if not basket.items:
                raise Refused("this basket is empty")
            return [
                CheckedOut(
                    basket_id=basket.basket_id,
                    customer_id=basket.customer_id,
                    items=basket.items,
                    status="checked_out",
                )
            ]


def evolve(basket: Basket | None, event: Event) -> Basket:
    """The state after `event`."""
    match event:
        case Opened():
            return Basket(
                basket_id=event.basket_id,
                customer_id=event.customer_id,
                items=event.items,
                status=event.status,
            )
        case ItemAdded():
            assert basket is not None
            return replace(basket, items=event.items)
        case CheckedOut():
            assert basket is not None
            return replace(basket, status=event.status)
