"""What a run left behind, gathered as plain values for the invariants to judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.torture import stream
from tests.torture.customers import Ledger
from tests.torture.databases import Databases, Row
from tests.torture.plan import Plan
from tests.torture.stream import Copy

PAGE = 200


@dataclass(frozen=True)
class View:
    """A read model at `path` of a service, and the kind of aggregate whose rows it shows."""

    service: str
    path: str
    kind: str
    key: str


VIEWS = (
    View("orders", "/order-details", "Order", "order_id"),
    View("payments", "/ledger", "Payment", "payment_id"),
    View("inventory", "/availability", "Stock", "sku"),
    View("inventory", "/order-reservations", "Reservation", "reservation_id"),
    View("shipping", "/tracking", "Shipment", "shipment_id"),
    View("notifications", "/messages", "Notification", "notification_id"),
)


@dataclass(frozen=True)
class Evidence:
    """States of aggregates by kind, each with its `version`; rows of views; and all that was said."""

    style: str
    plan: Plan
    ledger: Ledger
    states: Mapping[str, list[Row]]
    views: Mapping[View, list[Row]]
    versions: Mapping[str, int]
    sagas: list[Row]
    steps: list[Row]
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
    databases: Databases,
    url: Callable[[str], str],
    broker_url: str,
) -> Evidence:
    """Read everything. The services must be up; orders and views are asked for over HTTP."""
    with httpx.Client(timeout=20, trust_env=False) as client:
        states = {
            "Order": [
                _get(client, f"{url('orders')}/orders/{id}") for id in databases.streams("orders", "Order")
            ],
            "Payment": databases.aggregates("payments", "Payment"),
            "Stock": databases.aggregates("inventory", "Stock"),
            "Reservation": databases.aggregates("inventory", "Reservation"),
            "Shipment": databases.aggregates("shipping", "Shipment"),
            "Notification": databases.aggregates("notifications", "Notification"),
        }
        views = {view: _pages(client, f"{url(view.service)}{view.path}") for view in VIEWS}
    return Evidence(
        style=style,
        plan=plan,
        ledger=ledger,
        states=states,
        views=views,
        versions=databases.versions(),
        sagas=databases.sagas(),
        steps=databases.steps(),
        outboxes=databases.outboxes(),
        dead_letters=databases.dead_letters(),
        lag=stream.lag(broker_url, "shop"),
        copies=stream.read(broker_url, "shop"),
    )


def _get(client: httpx.Client, url: str) -> Row:
    answer = client.get(url)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _pages(client: httpx.Client, url: str) -> list[Row]:
    rows: list[Row] = []
    after = ""
    while True:
        page = client.get(url, params={"limit": PAGE, "after": after} if after else {"limit": PAGE})
        page.raise_for_status()
        rows += page.json()["items"]
        after = page.json()["next"]
        if not after:
            return rows
