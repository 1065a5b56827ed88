"""Basket, given-when-then: given a state, when a command, then these events."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from chassis.errors import NotFound, Refused
from chassis.money import Money
from orders.domain.basket import Basket, decide, evolve
from orders.generated.basket import AddItem, CheckedOut, CheckOut, ItemAdded, Open, Opened
from orders.generated.types import Item

ID = UUID("c0ffee00-0000-4000-8000-000000000004")
CUSTOMER = UUID("c0ffee00-0000-4000-8000-000000000003")
PEN = Item(sku="PEN", quantity=3, price=Money.of("1.99", "EUR"))
EMPTY = Basket(basket_id=ID, customer_id=CUSTOMER, items=(), status="open")
FILLED = replace(EMPTY, items=(PEN,))
CLOSED = replace(FILLED, status="checked_out")
ADD = AddItem(basket_id=ID, item=PEN)


def test_a_basket_is_empty_at_first() -> None:
    [event] = decide(None, Open(basket_id=ID, customer_id=CUSTOMER))
    assert isinstance(event, Opened)
    assert evolve(None, event) == EMPTY


def test_items_are_added() -> None:
    [event] = decide(EMPTY, ADD)
    assert event == ItemAdded(basket_id=ID, items=(PEN,))
    assert evolve(EMPTY, event) == FILLED


def test_an_item_that_can_not_be_sold_is_refused() -> None:
    with pytest.raises(Refused, match="quantity of PEN"):
        decide(EMPTY, replace(ADD, item=replace(PEN, quantity=0)))


def test_it_is_checked_out_once_with_all_an_order_needs() -> None:
    [event] = decide(FILLED, CheckOut(basket_id=ID))
    assert event == CheckedOut(basket_id=ID, customer_id=CUSTOMER, items=(PEN,), status="checked_out")
    assert evolve(FILLED, event) == CLOSED
    assert decide(CLOSED, CheckOut(basket_id=ID)) == []


def test_an_empty_basket_can_not_be_checked_out() -> None:
    with pytest.raises(Refused, match="empty"):
        decide(EMPTY, CheckOut(basket_id=ID))


def test_nothing_is_added_after_it_was_checked_out() -> None:
    with pytest.raises(Refused, match="checked out"):
        decide(CLOSED, ADD)


def test_only_an_open_basket_takes_items() -> None:
    with pytest.raises(NotFound):
        decide(None, ADD)
