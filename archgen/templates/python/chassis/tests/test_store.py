"""Aggregates kept as a state and as events: the same tests for both."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy import Connection, select, text

from chassis.db import Database
from chassis.domain import AggregateType
from chassis.errors import Conflict
from chassis.store import AggregateStore, Held
from chassis.tables import aggregates, events


@dataclass(frozen=True)
class Account:
    id: UUID
    balance: int = 0
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    NAME: ClassVar[str] = "account.opened"
    id: UUID


@dataclass(frozen=True)
class Paid:
    NAME: ClassVar[str] = "account.paid"
    amount: int
    tag: str = ""


def evolve(state: Account | None, event: Opened | Paid) -> Account:
    match event:
        case Opened():
            return Account(event.id)
        case Paid():
            assert state is not None
            return replace(state, balance=state.balance + event.amount, tags=(*state.tags, event.tag))


ID = UUID(int=7)
KEY = str(ID)


@pytest.fixture(params=[False, True], ids=["state", "events"])
def account(request: pytest.FixtureRequest) -> AggregateType[Account]:
    return AggregateType("account", Account, "id", lambda _s, _c: [], evolve, (Opened, Paid), request.param)


Step = Callable[[AggregateStore], Any]


async def within(db: Database, *steps: Step) -> None:
    def work(conn: Connection) -> None:
        store = AggregateStore(conn)
        for step in steps:
            step(store)
        store.flush()

    await db.run(work)


def apply(type: AggregateType[Account], *new: Opened | Paid, id: str = KEY) -> Step:
    def step(store: AggregateStore) -> None:
        state = store.load(type, id).state
        for event in new:
            state = evolve(state, event)
        store.save(type, id, state, new)

    return step


async def load(db: Database, type: AggregateType[Account], id: str = KEY) -> Held:
    return await db.read(lambda conn: AggregateStore(conn).load(type, id))


async def test_there_is_none_at_first(db: Database, account: AggregateType[Account]) -> None:
    held = await load(db, account)
    assert (held.state, held.version) == (None, 0)


async def test_what_was_saved_is_loaded_with_its_version(
    db: Database, account: AggregateType[Account]
) -> None:
    await within(db, apply(account, Opened(ID), Paid(5, "a")), apply(account, Paid(3, "ü\U0001f600")))
    held = await load(db, account)
    assert (held.state, held.version) == (Account(ID, 8, ("a", "ü\U0001f600")), 3)
    await within(db, apply(account, Paid(-8)))
    held = await load(db, account)
    assert (held.state.balance, held.version) == (0, 4)  # type: ignore[union-attr]


async def test_loading_without_saving_writes_nothing(db: Database, account: AggregateType[Account]) -> None:
    await within(db, lambda store: store.load(account, KEY))
    tables = [aggregates, events]
    counts = [await db.read(lambda conn, t=t: len(conn.execute(select(t)).all())) for t in tables]  # type: ignore[misc]
    assert counts == [0, 0]


async def test_many_are_written_together(db: Database, account: AggregateType[Account]) -> None:
    ids = [str(UUID(int=n)) for n in range(20)]
    await within(db, *(apply(account, Opened(UUID(id)), Paid(1), id=id) for id in ids))
    await within(db, *(apply(account, Paid(n), id=id) for n, id in enumerate(ids)))
    assert [(await load(db, account, id)).state.balance for id in ids] == [n + 1 for n in range(20)]  # type: ignore[union-attr]


@pytest.mark.parametrize("existing", [True, False])
async def test_a_decision_on_an_old_version_is_a_conflict_and_leaves_nothing(
    db: Database, account: AggregateType[Account], existing: bool
) -> None:
    if existing:
        await within(db, apply(account, Opened(ID)))
    before = await load(db, account)

    def stale(store: AggregateStore) -> None:
        store.load(account, KEY)
        other = AggregateStore(store._conn)
        apply(account, Paid(1) if existing else Opened(ID))(other)
        other.flush()
        apply(account, Paid(100) if existing else Opened(ID))(store)

    with pytest.raises(Conflict):
        await within(db, stale)
    assert await load(db, account) == before


async def test_writers_at_once_lose_no_update(
    db: Database, account: AggregateType[Account], url: str
) -> None:
    """Two processes' worth of connections; whoever clashes decides anew."""
    other = Database(url)
    await within(db, apply(account, Opened(ID)))
    clashes = 0

    async def pay(which: Database) -> None:
        nonlocal clashes
        while True:
            try:
                return await within(which, apply(account, Paid(1)))
            except Conflict:
                clashes += 1

    await asyncio.gather(*(pay(which) for which in (db, other) for _ in range(10)))
    held = await load(db, account)
    assert (held.state.balance, held.version) == (20, 21)  # type: ignore[union-attr]
    if db.sqlite:
        assert clashes == 0, "one writer at a time has nothing to clash with"
    other.close()


async def test_events_are_kept_in_order_and_never_changed(db: Database) -> None:
    sourced = AggregateType("account", Account, "id", lambda _s, _c: [], evolve, (Opened, Paid), True)
    await within(db, apply(sourced, Opened(ID), Paid(5, "a")))
    await within(db, apply(sourced, Paid(3, "b")))
    rows = await db.read(lambda conn: conn.execute(select(events).order_by(events.c.position)).all())
    assert [(r.kind, r.stream, r.version, r.name, r.data) for r in rows] == [
        ("account", KEY, 1, "account.opened", {"id": KEY}),
        ("account", KEY, 2, "account.paid", {"amount": 5, "tag": "a"}),
        ("account", KEY, 3, "account.paid", {"amount": 3, "tag": "b"}),
    ]


async def test_kinds_do_not_share_ids(db: Database, account: AggregateType[Account]) -> None:
    other = replace(account, name="purse")
    await within(db, apply(account, Opened(ID), Paid(1)), apply(other, Opened(ID), Paid(2)))
    assert (await load(db, account)).state.balance == 1  # type: ignore[union-attr]
    assert (await load(db, other)).state.balance == 2  # type: ignore[union-attr]


async def test_the_database_itself_refuses_a_second_event_of_a_version(db: Database) -> None:
    """So even a writer that does not know the rule can't break it."""
    insert = text(
        "INSERT INTO events (kind, stream, version, name, data, recorded_at) "
        "VALUES ('account', 's', 1, 'x', '{}', 0)"
    )
    await db.run(lambda conn: conn.execute(insert))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await db.run(lambda conn: conn.execute(insert))


async def test_an_id_taken_for_new_is_not_looked_for(db: Database, account: AggregateType[Account]) -> None:
    await within(db, lambda store: store.begin(account, KEY), apply(account, Opened(ID), Paid(5)))
    assert (await load(db, account)).version == 2

    def work(conn: Connection) -> tuple[Any, int]:
        store = AggregateStore(conn)
        store.begin(account, KEY)
        held = store.load(account, KEY)
        return held.state, held.version

    assert await db.run(work) == (None, 0)


async def test_an_id_taken_for_new_that_is_not_is_a_conflict(
    db: Database, account: AggregateType[Account]
) -> None:
    await within(db, apply(account, Opened(ID), Paid(5)))
    with pytest.raises(Conflict):
        await within(db, lambda store: store.begin(account, KEY), apply(account, Opened(ID)))
    assert (await load(db, account)).version == 2
