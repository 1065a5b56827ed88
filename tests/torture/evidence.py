"""What a run left behind, gathered as plain values for the invariants to judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.torture import history, stream
from tests.torture.caller import Caller
from tests.torture.customers import Ledger
from tests.torture.databases import Databases, Row, Stored
from tests.torture.gateway import Records
from tests.torture.operators import Log
from tests.torture.plan import Plan
from tests.torture.stream import Copy

Rows = dict[str, tuple[int, Any]]  # version and row, by key


@dataclass(frozen=True)
class View:
    """A read model at `path` of a service, and the kind of aggregate whose rows it shows."""

    service: str
    name: str
    kind: str
    key: str

    @property
    def path(self) -> str:
        return f"/{self.name.replace('_', '-')}"


VIEWS = (
    View("orders", "order_details", "Order", "order_id"),
    View("payments", "ledger", "Payment", "payment_id"),
    View("payments", "reconciliation_results", "Reconciliation", "reconciliation_id"),
    View("inventory", "availability", "Stock", "sku"),
    View("inventory", "order_reservations", "Reservation", "reservation_id"),
    View("shipping", "tracking", "Shipment", "shipment_id"),
    View("notifications", "messages", "Notification", "notification_id"),
)
KEPT_AS_STATE = (
    ("payments", "Payment"),
    ("payments", "Reconciliation"),
    ("inventory", "Stock"),
    ("inventory", "Reservation"),
    ("shipping", "Shipment"),
    ("notifications", "Notification"),
)


@dataclass(frozen=True)
class Evidence:
    """States of aggregates by kind, each with its `version`; rows of views; and all that was said.

    `events` and `replays` are those of orders: the events as stored, and the state after each of them, made
    from nothing. `kept` and `rebuilt` are the rows of each view before and after it was made again.
    """

    style: str
    plan: Plan
    ledger: Ledger
    operators: Log
    gateway: Records
    states: Mapping[str, list[Row]]
    views: Mapping[View, list[Row]]
    kept: Mapping[View, Rows]
    rebuilt: Mapping[View, Rows]
    events: Mapping[str, list[Stored]]
    replays: Mapping[str, list[Row]]
    snapshots: Mapping[str, tuple[int, Row]]
    versions: Mapping[str, int]
    sagas: list[Row]
    steps: list[Row]
    jobs: list[Row]
    outboxes: Mapping[str, int]
    dead_letters: list[Row]
    lag: Mapping[str, int]
    copies: list[Copy]

    def of_order(self, kind: str, order_id: str) -> list[Row]:
        return [state for state in self.states[kind] if state["order_id"] == order_id]


def gather(
    style: str,
    plan: Plan,
    ledger: Ledger,
    operators: Log,
    gateway: Records,
    databases: Databases,
    caller: Caller,
    broker_url: str,
    rebuild: Callable[[View], None],
) -> Evidence:
    """Read everything. The services must be up; orders and views are asked for over HTTP."""
    events = databases.events("orders", "Order")
    states = {"Order": [caller.read("orders", f"/orders/{id}") for id in events]}
    states |= {kind: databases.aggregates(service, kind) for service, kind in KEPT_AS_STATE}
    views = {view: caller.pages(view.service, view.path) for view in VIEWS}
    kept = {view: databases.view(view.service, view.name) for view in VIEWS}
    for view in VIEWS:
        rebuild(view)
    return Evidence(
        style=style,
        plan=plan,
        ledger=ledger,
        operators=operators,
        gateway=gateway,
        states=states,
        views=views,
        kept=kept,
        rebuilt={view: databases.view(view.service, view.name) for view in VIEWS},
        events=events,
        replays={id: history.replay(stored) for id, stored in events.items()},
        snapshots=databases.snapshots("orders", "Order"),
        versions=databases.versions(),
        sagas=databases.sagas(),
        steps=databases.steps(),
        jobs=databases.jobs(),
        outboxes=databases.outboxes(),
        dead_letters=databases.dead_letters(),
        lag=stream.lag(broker_url, "shop"),
        copies=stream.read(broker_url, "shop"),
    )
