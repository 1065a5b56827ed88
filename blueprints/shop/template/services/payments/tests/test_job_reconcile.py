"""The job reconcile: what it finds, and that the worker records it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from chassis.db import Database
from chassis.jsons import encode
from chassis.money import Money
from chassis.testing.jobs import perform
from chassis.uow import Session, UnitOfWork
from payments.domain.payment import Payment
from payments.domain.reconciliation import Reconciliation
from payments.generated.aggregates import RECONCILIATION
from payments.generated.jobs import Reconcile
from payments.generated.payment import Charge
from payments.generated.wiring import SERVICE
from payments.jobs.reconcile import Comparison

DUE = datetime(2026, 11, 23, 3, tzinfo=UTC)
ORDER = UUID("c0ffee00-0000-4000-8000-000000000002")
PAYMENT = Payment(
    payment_id=UUID("c0ffee00-0000-4000-8000-000000000005"),
    order_id=ORDER,
    amount=Money.of("18.47", "EUR"),
    status="completed",
)


def row(version: int, **changed: Any) -> dict[str, Any]:
    return {**encode(PAYMENT), "version": version, **changed}


def test_a_payment_that_the_ledger_shows_as_it_is_matches() -> None:
    found = Comparison()
    found.add(PAYMENT, 1, row(1))
    assert (found.behind, found.differing) == (0, [])


def test_what_the_ledger_has_not_heard_of_yet_is_behind() -> None:
    found = Comparison()
    found.add(PAYMENT, 2, row(1, status="failed"))
    found.add(PAYMENT, 1, None)
    assert (found.behind, found.differing) == (2, [])


def test_another_amount_of_the_same_version_differs() -> None:
    found = Comparison()
    found.add(PAYMENT, 1, row(1, amount={"amount": "18.48", "currency": "EUR"}))
    assert found.differing == [PAYMENT.payment_id]


async def test_the_result_is_recorded_under_the_id_of_the_job(tmp_path: Path) -> None:
    def pay(uow: UnitOfWork) -> None:
        for number in range(3):
            id = UUID(int=number)
            command = Charge(payment_id=id, order_id=ORDER, amount=Money.of("10.00", "EUR"))
            next(each for each in SERVICE.use_cases if each.command is Charge).handle(command, uow)

    ended = await perform(SERVICE, Reconcile(due=DUE), tmp_path, given=pay)
    assert (ended.status, ended.error) == ("done", "")
    db = Database(f"sqlite:///{tmp_path / 'test.db'}")
    found: Reconciliation | None = await db.read(
        lambda conn: Session(conn).aggregates.load(RECONCILIATION, ended.id).state
    )
    db.close()
    assert found is not None
    [total] = found.totals
    assert (total.status, total.payments, total.amount) == ("completed", 3, Money.of("30.00", "EUR"))
    assert (found.day, found.behind, found.status) == ("2026-11-23", 3, "matched")
