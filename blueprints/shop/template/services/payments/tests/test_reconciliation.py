"""Reconciliation, given-when-then: given a state, when a command, then these events."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from chassis.errors import Refused
from chassis.money import Money
from payments.domain.reconciliation import decide, evolve
from payments.generated.reconciliation import Record, Recorded
from payments.generated.types import Total

ID = UUID("c0ffee00-0000-4000-8000-000000000009")
PAYMENT = UUID("c0ffee00-0000-4000-8000-000000000005")
TOTAL = Total(status="completed", payments=2, amount=Money.of("36.94", "EUR"))
RECORD = Record(reconciliation_id=ID, day="2026-11-23", totals=(TOTAL,), behind=1, differing=())


def test_what_is_only_behind_still_matches() -> None:
    [event] = decide(None, RECORD)
    assert isinstance(event, Recorded)
    assert (event.status, event.totals, event.behind) == ("matched", (TOTAL,), 1)


def test_one_payment_that_differs_is_enough() -> None:
    [event] = decide(None, replace(RECORD, differing=(PAYMENT,)))
    assert isinstance(event, Recorded)
    assert (event.status, event.differing) == ("differs", (PAYMENT,))


def test_a_result_is_recorded_once() -> None:
    [event] = decide(None, RECORD)
    with pytest.raises(Refused, match="exists"):
        decide(evolve(None, event), RECORD)
