"""What a comparison of the payments with the ledger found. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from chassis.errors import Refused
from payments.generated.reconciliation import Command, Event, Record, Recorded
from payments.generated.types import Total


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """The result of one comparison.

    `totals` is what the payments say, by status and currency. `behind` is how many of them the ledger does not
    show in their latest state yet, which is normal for a moment; `differing` are those that it shows wrongly.
    """

    reconciliation_id: UUID
    day: str
    totals: tuple[Total, ...]
    behind: int
    differing: tuple[UUID, ...]
    status: Literal["matched", "differs"]


def decide(reconciliation: Reconciliation | None, command: Command) -> list[Event]:
    """The events that `command` leads to. Raises Refused for a result that is recorded already."""
    match command:
        case Record():
            if reconciliation is not None:
                raise Refused("this reconciliation exists already")
            return [
                Recorded(
                    reconciliation_id=command.reconciliation_id,
                    day=command.day,
                    totals=command.totals,
                    behind=command.behind,
                    differing=command.differing,
                    status="differs" if command.differing else "matched",
                )
            ]


def evolve(reconciliation: Reconciliation | None, event: Event) -> Reconciliation:
    """The state after `event`."""
    match event:
        case Recorded():
            return Reconciliation(
                reconciliation_id=event.reconciliation_id,
                day=event.day,
                totals=event.totals,
                behind=event.behind,
                differing=event.differing,
                status=event.status,
            )
