"""Stock, given-when-then: given a state, when a command, then these events."""

from __future__ import annotations

import pytest

from chassis.errors import NotFound, Refused
from inventory.domain.stock import Stock, decide, evolve
from inventory.generated.stock import Allocate, Allocated, Deallocate, Deallocated, Receive, Received

STOCK = Stock(sku="PEN", on_hand=10, allocated=4)


def test_the_first_delivery_starts_it() -> None:
    [event] = decide(None, Receive(sku="PEN", quantity=10))
    assert isinstance(event, Received)
    assert evolve(None, event) == Stock(sku="PEN", on_hand=10, allocated=0)


def test_a_further_delivery_adds_to_it() -> None:
    [event] = decide(STOCK, Receive(sku="PEN", quantity=5))
    assert evolve(STOCK, event) == Stock(sku="PEN", on_hand=15, allocated=4)


def test_what_is_available_can_be_allocated_to_the_last_piece() -> None:
    [event] = decide(STOCK, Allocate(sku="PEN", quantity=6))
    assert isinstance(event, Allocated)
    assert evolve(STOCK, event).available == 0


def test_what_is_promised_already_can_not_be_allocated_again() -> None:
    with pytest.raises(Refused, match="only 6 of PEN"):
        decide(STOCK, Allocate(sku="PEN", quantity=7))


def test_what_was_allocated_can_be_given_back_and_no_more() -> None:
    [event] = decide(STOCK, Deallocate(sku="PEN", quantity=4))
    assert isinstance(event, Deallocated)
    assert evolve(STOCK, event).available == 10
    with pytest.raises(Refused, match="only 4 of PEN"):
        decide(STOCK, Deallocate(sku="PEN", quantity=5))


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_is_positive(quantity: int) -> None:
    with pytest.raises(Refused, match="at least 1"):
        decide(STOCK, Receive(sku="PEN", quantity=quantity))


def test_only_what_was_received_can_be_allocated() -> None:
    with pytest.raises(NotFound):
        decide(None, Allocate(sku="PEN", quantity=1))
