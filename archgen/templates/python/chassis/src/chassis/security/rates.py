"""How often somebody may ask: so many a second on the average, and so many at once for a moment.

The algorithm is GCRA: of each key one number is kept, the moment until which its allowance is used up.
Two places keep it: this process (`Rates`, for the many cheap requests; with several replicas each
allows as much, so the gateway limits, too) and the service's database (`strict`, for passwords,
where the number of replicas must make no difference).
Source: ITU-T I.371, the generic cell rate algorithm.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from chassis.tables import rate_limits

KEYS = 50_000
"""Of so many at most is remembered; the one that asked longest ago is forgotten first."""


@dataclass(frozen=True)
class Rate:
    """`per_second` on the average, and up to `burst` at once."""

    per_second: float
    burst: int

    @property
    def interval(self) -> float:
        return 1.0 / self.per_second

    def take(self, used_until: float, now: float) -> tuple[float, float]:
        """The new moment, and 0; or the old one, and how many seconds to wait."""
        begin = max(used_until, now)
        wait = begin + self.interval - (now + self.burst * self.interval)
        # What is left of a subtraction of two large numbers is not worth waiting for.
        return (begin + self.interval, 0.0) if wait <= 1e-6 else (used_until, wait)


class Rates:
    """One rate for many keys, kept in this process. `None` is no limit at all."""

    def __init__(self, rate: Rate | None) -> None:
        self._rate = rate
        self._used: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, now: float | None = None) -> float:
        """0 when `key` may ask now; else the seconds after which it may."""
        if self._rate is None:
            return 0.0
        now = time.monotonic() if now is None else now
        used, wait = self._rate.take(self._used.get(key, 0.0), now)
        self._used[key] = used
        self._used.move_to_end(key)
        if len(self._used) > KEYS:
            self._used.popitem(last=False)
        return wait


def strict(conn: Connection, key: str, rate: Rate, now: float | None = None) -> float:
    """As `Rates.take`, for all replicas together: one statement, which only one of two can win."""
    now = time.time() if now is None else now
    insert = insert_sqlite if conn.dialect.name == "sqlite" else insert_postgresql
    used = rate_limits.c.used_until
    begin = case((used > now, used), else_=now)
    statement = (
        insert(rate_limits)
        .values(key=key, used_until=now + rate.interval)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={"used_until": begin + rate.interval},
            where=begin + rate.interval <= now + rate.burst * rate.interval + 1e-6,
        )
        .returning(used)
    )
    if conn.execute(statement).first() is not None:
        return 0.0
    until: float = conn.execute(select(used).where(rate_limits.c.key == key)).scalar_one()
    return max(until + rate.interval - now - rate.burst * rate.interval, 0.001)


def forget(conn: Connection, now: float, limit: int) -> int:
    """Delete at most `limit` keys whose allowance is whole again; returns how many."""
    old = select(rate_limits.c.key).where(rate_limits.c.used_until < now).limit(limit)
    return conn.execute(delete(rate_limits).where(rate_limits.c.key.in_(old))).rowcount
