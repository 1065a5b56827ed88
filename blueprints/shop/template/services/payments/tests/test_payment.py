"""Payment, given-when-then: given a state, when a command, then these events."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from chassis.errors import NotFound, Refused
from chassis.money import Money
from payments.domain.payment import Payment, decide, evolve
from payments.generated.payment import Charge, Completed, Failed, Refund, Refunded

ID = UUID("c0ffee00-0000-4000-8000-000000000005")
ORDER = UUID("c0ffee00-0000-4000-8000-000000000002")
CHARGE = Charge(payment_id=ID, order_id=ORDER, amount=Money.of("18.47", "EUR"))
COMPLETED = Payment(payment_id=ID, order_id=ORDER, amount=CHARGE.amount, status="completed")
REFUND = Refund(payment_id=ID)


def test_a_card_is_charged() -> None:
    [event] = decide(None, CHARGE)
    assert isinstance(event, Completed)
    assert evolve(None, event) == COMPLETED


def test_the_limit_itself_is_still_charged() -> None:
    [event] = decide(None, replace(CHARGE, amount=Money.of("10000.00", "EUR")))
    assert isinstance(event, Completed)


@pytest.mark.parametrize(
    ("amount", "why"), [("10000.01", "limit"), ("0.00", "nothing"), ("-5.00", "nothing")]
)
def test_a_charge_that_is_declined_is_an_event_too(amount: str, why: str) -> None:
    [event] = decide(None, replace(CHARGE, amount=Money.of(amount, "EUR")))
    assert isinstance(event, Failed)
    assert why in event.reason
    assert evolve(None, event).status == "failed"


def test_charging_twice_is_refused() -> None:
    with pytest.raises(Refused, match="exists"):
        decide(COMPLETED, CHARGE)


def test_a_payment_is_refunded_once() -> None:
    [event] = decide(COMPLETED, REFUND)
    assert event == Refunded(payment_id=ID, order_id=ORDER, amount=CHARGE.amount, status="refunded")
    assert decide(evolve(COMPLETED, event), REFUND) == []


def test_what_was_not_taken_is_not_given_back() -> None:
    assert decide(replace(COMPLETED, status="failed", reason="limit"), REFUND) == []


def test_only_a_payment_that_exists_can_be_refunded() -> None:
    with pytest.raises(NotFound):
        decide(None, REFUND)
