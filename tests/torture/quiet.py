"""Waits until nothing is under way any more, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.torture import stream
from tests.torture.databases import Databases

ENDED = frozenset({"done", "compensated"})


@dataclass(frozen=True)
class Unrest:
    """What is still under way; falsy when nothing is."""

    orders: int
    sagas: int
    stuck: int
    outbox: int
    lag: int

    def __bool__(self) -> bool:
        return any((self.orders, self.sagas, self.stuck, self.outbox, self.lag))

    @property
    def only_stuck(self) -> bool:
        return bool(self.stuck) and not any((self.sagas, self.outbox, self.lag))

    def __str__(self) -> str:
        return (
            f"{self.orders} orders open, {self.sagas} sagas in flight, {self.stuck} stuck, "
            f"{self.outbox} messages unpublished, {self.lag} not yet consumed"
        )


def look(databases: Databases, broker_url: str) -> Unrest:
    statuses = [saga["status"] for saga in databases.sagas()]
    return Unrest(
        orders=databases.open_orders(),
        sagas=sum(status not in ENDED and status != "stuck" for status in statuses),
        stuck=statuses.count("stuck"),
        outbox=sum(databases.outboxes().values()),
        lag=sum(stream.lag(broker_url, "shop").values()),
    )


def settle(
    look_now: Callable[[], Unrest], timeout: float, resume: Callable[[], None], say: Callable[[str], None]
) -> Unrest:
    """The last look, falsy when it became quiet within `timeout` seconds.

    Two looks in a row must be quiet, since they are not one instant. When nothing but stuck sagas is
    left, `resume` is called, as an operator would, twice at most.
    """
    deadline = time.monotonic() + timeout
    told = time.monotonic()
    quiet = resumed = stuck_looks = 0
    while True:
        unrest = look_now()
        quiet = 0 if unrest else quiet + 1
        stuck_looks = stuck_looks + 1 if unrest.only_stuck else 0
        if quiet == 2 or time.monotonic() > deadline:
            return unrest
        if stuck_looks >= 4 and resumed < 2:
            resume()
            resumed += 1
            stuck_looks = 0
        if time.monotonic() - told > 5:
            told = time.monotonic()
            say(f"  still {unrest}")
        time.sleep(0.5)
