"""Order, given-when-then: given a state, when a command, then these events."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from chassis.errors import NotFound, Refused
from chassis.money import Money
from orders.domain.order import Order, decide, evolve
from orders.generated.order import Cancel, Cancelled, Confirm, Confirmed, Create, Created, NotConfirmed
from orders.generated.types import Item

ID = UUID("c0ffee00-0000-4000-8000-000000000002")
CUSTOMER = UUID("c0ffee00-0000-4000-8000-000000000003")
PEN = Item(sku="PEN", quantity=3, price=Money.of("1.99", "EUR"))
INK = Item(sku="INK", quantity=1, price=Money.of("12.50", "EUR"))
CREATE = Create(order_id=ID, customer_id=CUSTOMER, items=(PEN, INK))
CREATED = Order(
    order_id=ID, customer_id=CUSTOMER, items=(PEN, INK), amount=Money.of("18.47", "EUR"), status="created"
)
CONFIRMED = replace(CREATED, status="confirmed")
CANCELLED = replace(CREATED, status="cancelled", reason="out of stock")
CONFIRM = Confirm(order_id=ID)
CANCEL = Cancel(order_id=ID, reason="out of stock")


def test_an_order_costs_what_its_items_cost() -> None:
    [event] = decide(None, CREATE)
    assert isinstance(event, Created)
    assert event.amount == Money.of("18.47", "EUR")
    assert evolve(None, event) == CREATED


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ((), "at least one item"),
        ((replace(PEN, quantity=0),), "quantity of PEN"),
        ((replace(PEN, quantity=-1),), "quantity of PEN"),
        ((replace(PEN, price=Money.of("-1.00", "EUR")),), "price of PEN"),
        ((PEN, replace(INK, price=Money.of("12.50", "USD"))), "one currency"),
    ],
)
def test_what_can_not_be_sold_is_refused(items: tuple[Item, ...], why: str) -> None:
    with pytest.raises(Refused, match=why):
        decide(None, replace(CREATE, items=items))


def test_creating_twice_is_refused() -> None:
    with pytest.raises(Refused, match="exists"):
        decide(CREATED, CREATE)


def test_an_order_is_confirmed_once() -> None:
    [event] = decide(CREATED, CONFIRM)
    assert isinstance(event, Confirmed)
    assert evolve(CREATED, event) == CONFIRMED
    assert decide(CONFIRMED, CONFIRM) == []


def test_an_order_is_cancelled_once_and_says_why() -> None:
    [event] = decide(CREATED, CANCEL)
    assert isinstance(event, Cancelled)
    assert evolve(CREATED, event) == CANCELLED
    assert decide(CANCELLED, CANCEL) == []


def test_what_is_settled_stays_settled() -> None:
    with pytest.raises(Refused):
        decide(CONFIRMED, CANCEL)


def test_an_order_cancelled_meanwhile_is_not_confirmed_and_others_hear_of_it() -> None:
    [event] = decide(CANCELLED, CONFIRM)
    assert isinstance(event, NotConfirmed)
    assert evolve(CANCELLED, event) == CANCELLED


def test_only_an_order_that_exists_can_be_settled() -> None:
    with pytest.raises(NotFound):
        decide(None, CONFIRM)
