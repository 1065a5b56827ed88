"""Waits until nothing is under way any more, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple, dataclass

from tests.torture import stream
from tests.torture.databases import Databases

ENDED = frozenset({"done", "compensated"})
UNDER_WAY = frozenset({"waiting", "ready", "running"})
HELP = 4


@dataclass(frozen=True)
class Unrest:
    """What is still under way; falsy when nothing is."""

    orders: int
    sagas: int
    stuck: int
    outbox: int
    lag: int
    jobs: int
    failed: int

    def __bool__(self) -> bool:
        return any(astuple(self))

    @property
    def for_a_person(self) -> bool:
        """Nothing goes on by itself any more, and yet it is not done."""
        stopped = not any((self.sagas, self.outbox, self.lag, self.jobs))
        return stopped and bool(self.stuck or self.failed)

    def __str__(self) -> str:
        return (
            f"{self.orders} orders open, {self.sagas} sagas in flight, {self.stuck} stuck, "
            f"{self.outbox} messages unpublished, {self.lag} not yet consumed, "
            f"{self.jobs} jobs to be done, {self.failed} failed"
        )


def look(databases: Databases, broker_url: str) -> Unrest:
    statuses = [saga["status"] for saga in databases.sagas()]
    jobs = [job["status"] for job in databases.jobs()]
    return Unrest(
        orders=databases.open_orders(),
        sagas=sum(status not in ENDED and status != "stuck" for status in statuses),
        stuck=statuses.count("stuck"),
        outbox=sum(databases.outboxes().values()),
        lag=sum(stream.lag(broker_url, "shop").values()),
        jobs=sum(status in UNDER_WAY for status in jobs),
        failed=jobs.count("failed"),
    )


def settle(
    look_now: Callable[[], Unrest], timeout: float, help: Callable[[], None], say: Callable[[str], None]
) -> Unrest:
    """The last look, falsy when it became quiet within `timeout` seconds.

    Two looks in a row must be quiet, since they are not one instant. When nothing is left but what waits
    for a person, `help` is called, as an operator would, a few times at most.
    """
    deadline = time.monotonic() + timeout
    told = time.monotonic()
    quiet = helped = stuck_looks = 0
    while True:
        unrest = look_now()
        quiet = 0 if unrest else quiet + 1
        stuck_looks = stuck_looks + 1 if unrest.for_a_person else 0
        if quiet == 2 or time.monotonic() > deadline:
            return unrest
        if stuck_looks >= 4 and helped < HELP:
            help()
            helped += 1
            stuck_looks = 0
        if time.monotonic() - told > 5:
            told = time.monotonic()
            say(f"  still {unrest}")
        time.sleep(0.5)
