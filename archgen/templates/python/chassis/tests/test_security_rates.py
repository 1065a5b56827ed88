"""Rate limits: never more than promised, in one process and over many."""

from __future__ import annotations

import asyncio
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from chassis.db import Database
from chassis.security import rates
from chassis.security.addresses import client_address
from chassis.security.rates import Rate, Rates, strict

GAPS = st.lists(st.floats(0, 5), min_size=1, max_size=60)


@given(GAPS, st.floats(0.1, 20), st.integers(1, 10))
def test_in_no_time_more_than_the_rate_and_the_burst(gaps: list[float], rate: float, burst: int) -> None:
    limit = Rates(Rate(rate, burst))
    taken = [at for at in accumulate(gaps) if not limit.take("k", at)]
    for first, begin in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - begin) * rate + 1.001


@given(GAPS, st.floats(0.1, 20), st.integers(1, 10))
def test_who_waits_as_long_as_told_is_let_through(gaps: list[float], rate: float, burst: int) -> None:
    limit = Rates(Rate(rate, burst))
    for at in accumulate(gaps):
        if wait := limit.take("k", at):
            assert limit.take("k", at + wait + 1e-3) == 0.0
            return


def test_keys_are_apart_and_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "KEYS", 3)
    limit = Rates(Rate(1, 1))
    assert [limit.take(key, 0.0) for key in ("a", "b")] == [0.0, 0.0]
    assert limit.take("a", 0.0) > 0
    for key in "cdefg":
        limit.take(key, 0.0)
    assert len(limit._used) == 3


def test_no_rate_is_no_limit() -> None:
    assert {Rates(None).take("k", 0.0) for _ in range(1000)} == {0.0}


async def test_replicas_share_one_allowance(db: Database) -> None:
    # At one moment for all: with clocks of their own the one that is behind may be told to wait
    # for no longer than it is behind.
    rate, now = Rate(per_second=0.001, burst=5), 1_000_000.0
    waits = await asyncio.gather(*(db.run(lambda conn: strict(conn, "k", rate, now)) for _ in range(20)))
    assert sorted(waits) == pytest.approx([0.0] * 5 + [1000.0] * 15)


async def test_replicas_whose_clocks_differ_allow_no_more(db: Database) -> None:
    rate, behind = Rate(per_second=0.001, burst=5), [number % 7 / 10 for number in range(40)]
    calls = (db.run(lambda conn, at=1_000_000.0 - late: strict(conn, "k", rate, at)) for late in behind)  # type: ignore[misc]
    assert sum(wait == 0.0 for wait in await asyncio.gather(*calls)) == 5


@pytest.mark.parametrize("at", [[0, 0, 0, 0, 1.1, 1.1, 5, 5, 5, 5]])
async def test_the_database_decides_as_the_process_does(db: Database, at: list[float]) -> None:
    rate, limit = Rate(1, 3), Rates(Rate(1, 3))
    for moment in at:
        now = 1_000_000.0 + moment
        kept = await db.run(lambda conn, now=now: strict(conn, "k", rate, now))  # type: ignore[misc]
        assert kept == pytest.approx(limit.take("k", now), abs=1e-3)


async def test_what_is_whole_again_is_forgotten(db: Database) -> None:
    def work(conn: Any) -> tuple[int, int]:
        strict(conn, "k", Rate(1, 3), 100.0)
        return rates.forget(conn, 100.5, 10), rates.forget(conn, 102.0, 10)

    assert await db.run(work) == (0, 1)


def request(peer: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 1)})


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, ["1.2.3.4"], "10.0.0.1"),  # anybody can send the header
        (1, [], "10.0.0.1"),
        (1, ["1.2.3.4"], "1.2.3.4"),
        (1, ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        (1, ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        (2, ["6.6.6.6, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
        (2, ["1.2.3.4"], "10.0.0.1"),
        (1, ["x' OR 1=1"], "unknown"),
        (1, ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        (1, ["::ffff:1.2.3.4"], "1.2.3.4"),
    ],
)
def test_whose_address_counts(proxies: int, forwarded: list[str], address: str) -> None:
    assert client_address(request("10.0.0.1", *forwarded), proxies) == address
