"""What a use case does: all of it or nothing, also when somebody else writes at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from chassis.db import Database
from chassis.domain import AggregateType
from chassis.errors import Conflict, Refused
from chassis.messages import Message
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.store import AggregateStore
from chassis.tables import outbox
from chassis.testing.fakes import FakeBus
from chassis.uow import Origin, Session, UnitOfWork


@dataclass(frozen=True)
class Added:
    NAME: ClassVar[str] = "counter.added"
    number: int


@dataclass(frozen=True)
class Counter:
    total: int = 0


def decide(state: Counter | None, number: int) -> Sequence[Added]:
    if number < 0:
        raise Refused("it only counts up")
    return [Added(1)] * number


def evolve(state: Counter | None, event: Added) -> Counter:
    return Counter((state or Counter()).total + event.number)


COUNTER = AggregateType("counter", Counter, "id", decide, evolve, (Added,))
ORIGIN = Origin("shop", "counters", "trace", "corr", "cause", "saga", "saga-1", {"k": 1})


async def total(db: Database, id: str = "a") -> int:
    held = await db.read(lambda conn: AggregateStore(conn).load(COUNTER, id))
    return held.state.total if held.state else 0


async def said(db: Database) -> list[Message]:
    query = select(outbox.c.subject, outbox.c.body).order_by(outbox.c.position)
    rows = await db.read(lambda conn: conn.execute(query).all())
    return [Message.from_json(row.body, row.subject) for row in rows]


async def test_the_change_and_its_events_are_written_together(db: Database) -> None:
    def work(conn: Any) -> None:
        session = Session(conn)
        unit = UnitOfWork(session, ORIGIN)
        assert unit.load(COUNTER, "a") is None
        unit.handle(COUNTER, "a", 2)
        assert unit.load(COUNTER, "a") == Counter(2), "it sees what it did itself"
        unit.handle(COUNTER, "a", 1)
        assert unit.touched == {"a": 3}
        unit.complete()
        session.flush()

    await db.run(work)
    assert await total(db) == 3
    messages = await said(db)
    assert [(m.version, m.subject, m.type, m.address) for m in messages] == [
        (version, "a", "shop.counter.added.v1", "shop.event.counter.added") for version in (1, 2, 3)
    ]
    first = messages[0]
    assert (first.source, first.data) == ("/shop/counters", {"number": 1})
    assert (first.trace, first.correlation_id, first.causation_id) == ("trace", "corr", "cause")
    assert (first.saga, first.saga_id, first.saga_data) == ("saga", "saga-1", {"k": 1})
    assert len({m.id for m in messages}) == 3


async def test_a_use_case_that_raises_is_as_if_it_had_never_been(db: Database) -> None:
    def work(conn: Any) -> None:
        session = Session(conn)
        good, bad = UnitOfWork(session, ORIGIN), UnitOfWork(session, ORIGIN)
        good.handle(COUNTER, "a", 1)
        good.complete()
        bad.handle(COUNTER, "a", 5)
        with pytest.raises(Refused):
            bad.handle(COUNTER, "b", -1)
        session.flush()

    await db.run(work)
    assert (await total(db, "a"), await total(db, "b")) == (1, 0)
    assert len(await said(db)) == 1


async def test_units_of_one_session_follow_each_other(db: Database) -> None:
    def work(conn: Any) -> None:
        session = Session(conn)
        for _ in range(3):
            unit = UnitOfWork(session, ORIGIN)
            unit.handle(COUNTER, "a", 1)
            unit.complete()
        session.flush()

    await db.run(work)
    assert await total(db) == 3
    assert [m.version for m in await said(db)] == [1, 2, 3]


async def test_what_happens_because_of_a_message_names_it() -> None:
    cause = Message("m1", "t", "/s", "x", {}, trace="tr", saga="sg", saga_id="si", saga_data={"a": 1})
    origin = Origin("shop", "counters").caused_by(cause)
    assert (origin.trace, origin.causation_id, origin.correlation_id) == ("tr", "m1", "m1")
    assert (origin.saga, origin.saga_id, origin.saga_data) == ("sg", "si", {"a": 1})
    assert origin.source == "/shop/counters"


@pytest.fixture
async def runtime(url: str) -> AsyncIterator[Runtime]:
    env = {"DATABASE_URL": url, "BROKER_URL": "nats://127.0.0.1:1"}
    service = Service("shop", "counters", aggregates=(COUNTER,))
    running = Runtime(service, Settings.from_env("counters", env=env), broker=FakeBus())
    yield running
    await running.stop()


def add(session: Session) -> int:
    unit = UnitOfWork(session, ORIGIN)
    unit.handle(COUNTER, "a", 1)
    unit.complete()
    return unit.touched["a"]


async def test_transact_writes_and_tells_the_result(runtime: Runtime) -> None:
    done: list[str] = []

    def work(session: Session) -> int:
        session.after_commit.append(lambda: done.append("told"))
        return add(session)

    assert await runtime.transact(work) == 1
    assert await total(runtime.db) == 1
    assert done == ["told"]


async def test_transact_decides_anew_when_somebody_else_was_faster(runtime: Runtime, url: str) -> None:
    """The other one writes between our read and our write, twice; on SQLite it can't, but may try."""
    clashes = 2
    hooks: list[int] = []

    def work(session: Session) -> int:
        nonlocal clashes
        version = add(session)
        session.after_commit.append(lambda: hooks.append(version))
        if clashes:
            clashes -= 1
            raise Conflict("somebody else wrote")
        return version

    assert await runtime.transact(work) == 1
    assert hooks == [1], "only what was committed is told"
    assert await total(runtime.db) == 1


async def test_transact_gives_up_on_a_row_that_never_rests(runtime: Runtime) -> None:
    tries = 0

    def work(session: Session) -> None:
        nonlocal tries
        tries += 1
        raise Conflict("again")

    with pytest.raises(Conflict):
        await runtime.transact(work)
    assert tries == 3
    assert await total(runtime.db) == 0


async def test_replicas_that_write_the_same_aggregate_lose_nothing(runtime: Runtime, url: str) -> None:
    other = Runtime(runtime.service, runtime.settings, broker=FakeBus())

    async def patiently(which: Runtime) -> None:
        while True:
            try:
                return await which.transact(add)  # type: ignore[no-any-return]
            except Conflict:
                continue

    await asyncio.gather(*(patiently(which) for which in (runtime, other) for _ in range(15)))
    assert await total(runtime.db) == 30
    assert sorted(m.version for m in await said(runtime.db)) == list(range(1, 31))
    await other.stop()


async def test_stopping_publishes_what_is_left(url: str) -> None:
    bus = FakeBus()
    env = {"DATABASE_URL": url, "BROKER_URL": "nats://127.0.0.1:1"}
    service = Service("shop", "counters", aggregates=(COUNTER,))
    runtime = Runtime(service, Settings.from_env("counters", env=env), broker=bus)
    await runtime.transact(add)
    await runtime.stop()
    assert [m.type for m in bus.messages] == ["shop.counter.added.v1"]
