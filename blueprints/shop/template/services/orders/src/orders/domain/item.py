"""The rules that hold for items, in a basket and in an order alike. Pure."""

from __future__ import annotations

from chassis.errors import Refused
from chassis.money import Money
from orders.generated.types import Item


def checked(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items as they are. Raises Refused for one that can't be sold, and for a mix of currencies."""
    for item in items:
        if item.quantity < 1:
            raise Refused(f"the quantity of {item.sku} must be at least 1")
        if item.price < Money.zero(item.price.currency):
            raise Refused(f"the price of {item.sku} is negative")
    if len({item.price.currency for item in items}) > 1:
        raise Refused("all prices must be in one currency")
    return items


def total(items: tuple[Item, ...]) -> Money:
    """What the items cost together; there must be at least one."""
    return sum((item.price * item.quantity for item in items), Money.zero(items[0].price.currency))
