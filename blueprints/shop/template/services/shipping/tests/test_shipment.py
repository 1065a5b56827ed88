"""Shipment, given-when-then: given a state, when a command, then these events."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from chassis.errors import NotFound, Refused
from chassis.money import Money
from shipping.domain.shipment import PARCEL_UNITS, Shipment, decide, evolve
from shipping.generated.shipment import Cancel, Cancelled, Create, Created, Failed
from shipping.generated.types import Item

ID = UUID("c0ffee00-0000-4000-8000-000000000007")
ORDER = UUID("c0ffee00-0000-4000-8000-000000000002")
CUSTOMER = UUID("c0ffee00-0000-4000-8000-000000000003")
PEN = Item(sku="PEN", quantity=3, price=Money.of("1.99", "EUR"))
CREATE = Create(shipment_id=ID, order_id=ORDER, customer_id=CUSTOMER, items=(PEN,))
CREATED = Shipment(shipment_id=ID, order_id=ORDER, customer_id=CUSTOMER, items=(PEN,), status="created")
CANCEL = Cancel(shipment_id=ID)


def test_a_parcel_is_sent() -> None:
    [event] = decide(None, CREATE)
    assert isinstance(event, Created)
    assert evolve(None, event) == CREATED


def test_a_full_parcel_is_sent_too() -> None:
    [event] = decide(None, replace(CREATE, items=(replace(PEN, quantity=PARCEL_UNITS),)))
    assert isinstance(event, Created)


@pytest.mark.parametrize(("quantity", "why"), [(PARCEL_UNITS + 1, "do not fit"), (0, "nothing to send")])
def test_what_can_not_be_sent_is_an_event_too(quantity: int, why: str) -> None:
    [event] = decide(None, replace(CREATE, items=(replace(PEN, quantity=quantity),)))
    assert isinstance(event, Failed)
    assert why in event.reason
    assert evolve(None, event).status == "failed"


def test_sending_twice_is_refused() -> None:
    with pytest.raises(Refused, match="exists"):
        decide(CREATED, CREATE)


def test_a_shipment_is_cancelled_once() -> None:
    [event] = decide(CREATED, CANCEL)
    assert isinstance(event, Cancelled)
    assert decide(evolve(CREATED, event), CANCEL) == []


def test_what_was_never_sent_is_not_called_back() -> None:
    assert decide(replace(CREATED, status="failed", reason="too large"), CANCEL) == []


def test_only_a_shipment_that_exists_can_be_cancelled() -> None:
    with pytest.raises(NotFound):
        decide(None, CANCEL)
