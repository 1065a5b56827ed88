"""Compares every payment with what the ledger shows of it, and records the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from chassis import views
from chassis.jobs import Effect, Run
from chassis.jsons import decode, encode
from chassis.money import Money
from chassis.tables import aggregates
from chassis.uow import UnitOfWork
from payments.commands.record import record
from payments.domain.payment import Payment
from payments.generated.jobs import Reconcile
from payments.generated.reconciliation import Record
from payments.generated.types import Total

PAGE = 500


@dataclass
class Comparison:
    """What was found so far; see `payments.domain.reconciliation`."""

    totals: dict[tuple[str, str], Total] = field(default_factory=dict)
    behind: int = 0
    differing: list[UUID] = field(default_factory=list)

    def add(self, payment: Payment, version: int, row: dict[str, Any] | None) -> None:
        """Take one payment into account, with its row of the ledger and the version that each shows."""
        key = (payment.status, payment.amount.currency)
        so_far = self.totals.get(key, Total(status=key[0], payments=0, amount=Money.zero(key[1])))
        self.totals[key] = Total(
            status=key[0], payments=so_far.payments + 1, amount=so_far.amount + payment.amount
        )
        if row is None or row["version"] < version:
            self.behind += 1
        elif row["version"] == version and _shown(row) != _shown(encode(payment)):
            self.differing.append(payment.payment_id)


async def reconcile(args: Reconcile, run: Run) -> Effect:
    """Reads page by page, outside of the transaction that records the result: payments go on meanwhile."""
    found = Comparison()
    after = ""
    while page := await run.read(lambda conn, after=after: _page(conn, after)):  # type: ignore[misc]
        for payment, version, row in page:
            found.add(payment, version, row)
        after = str(page[-1][0].payment_id)
    command = Record(
        # One result per job, however often the job is tried.
        reconciliation_id=UUID(run.key),
        day=args.due.date().isoformat(),
        totals=tuple(found.totals[key] for key in sorted(found.totals)),
        behind=found.behind,
        differing=tuple(found.differing),
    )

    def effect(uow: UnitOfWork) -> None:
        record(command, uow)

    return effect


def _page(conn: Connection, after: str) -> Sequence[tuple[Payment, int, dict[str, Any] | None]]:
    query = (
        select(aggregates.c.id, aggregates.c.version, aggregates.c.state)
        .where(aggregates.c.kind == "Payment", aggregates.c.id > after)
        .order_by(aggregates.c.id)
        .limit(PAGE)
    )
    return [
        (decode(Payment, row.state), row.version, views.find(conn, "ledger", row.id))
        for row in conn.execute(query).all()
    ]


def _shown(values: dict[str, Any]) -> tuple[Any, ...]:
    return values["status"], values["order_id"], values["amount"]
