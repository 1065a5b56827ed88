"""Streams over time: snapshots that are only a cache, and events whose shape has changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select, update

from chassis import history
from chassis.db import Database
from chassis.domain import AggregateType
from chassis.errors import Conflict, Unavailable
from chassis.snapshots import snapshots
from chassis.store import AggregateStore, Held
from chassis.tables import events, metadata
from chassis.upcasting import Data, Unreadable, lift


@dataclass(frozen=True)
class Tally:
    total: int = 0
    count: int = 0


@dataclass(frozen=True)
class Added:
    NAME: ClassVar[str] = "tally.added"
    amount: int


def evolve(state: Tally | None, event: Any) -> Tally:
    state = state or Tally()
    return replace(state, total=state.total + event.amount, count=state.count + 1)


TALLY: AggregateType[Any] = AggregateType(
    "Tally", Tally, "id", lambda _s, _c: [], evolve, (Added,), True, snapshot_every=5
)


def append(conn: Connection, type: AggregateType[Any], amounts: Sequence[int], id: str = "t") -> None:
    store = AggregateStore(conn)
    state = store.load(type, id).state
    new = [Added(amount) for amount in amounts]
    for event in new:
        state = type.evolve(state, event)
    store.save(type, id, state, new)
    store.flush()


async def load(db: Database, type: AggregateType[Any] = TALLY, id: str = "t") -> Held:
    return await db.read(lambda conn: AggregateStore(conn).load(type, id))


async def kept(db: Database) -> list[tuple[str, int, Any]]:
    query = select(snapshots.c.stream, snapshots.c.version, snapshots.c.state)
    return [tuple(row) for row in await db.read(lambda conn: conn.execute(query).all())]


async def test_a_snapshot_is_kept_whenever_a_multiple_is_passed(db: Database) -> None:
    await db.run(lambda conn: append(conn, TALLY, [1] * 4))
    assert await kept(db) == []
    await db.run(lambda conn: append(conn, TALLY, [1] * 3))
    assert await kept(db) == [("t", 7, {"total": 7, "count": 7})]
    await db.run(lambda conn: append(conn, TALLY, [1]))
    assert await kept(db) == [("t", 7, {"total": 7, "count": 7})]
    await db.run(lambda conn: append(conn, TALLY, [1] * 9))
    assert await kept(db) == [("t", 17, {"total": 17, "count": 17})]


async def test_events_before_a_snapshot_are_not_read_again(db: Database) -> None:
    """Seen by a snapshot that says something else than the events do."""
    await db.run(lambda conn: append(conn, TALLY, [1] * 6))
    await db.run(lambda conn: append(conn, TALLY, [1]))
    await db.run(lambda conn: conn.execute(update(snapshots).values(state={"total": 100, "count": 6})))
    assert (await load(db)).state == Tally(101, 7)


@pytest.mark.parametrize(
    "changed",
    [{"fingerprint": "another release"}, {"state": {"sum": 7}}, {"state": {"total": "x", "count": 1}}],
)
async def test_a_snapshot_that_does_not_fit_is_ignored_and_replaced(
    db: Database, changed: dict[str, Any]
) -> None:
    strict: AggregateType[Any] = AggregateType(
        "Tally", Strict, "id", lambda _s, _c: [], strictly, (Added,), True, 5
    )
    await db.run(lambda conn: append(conn, strict, [1] * 5))
    await db.run(lambda conn: conn.execute(update(snapshots).values(changed)))
    assert (await load(db, strict)).state == Strict(5, 5)
    await db.run(lambda conn: append(conn, strict, [1] * 5))
    assert await kept(db) == [("t", 10, {"total": 10, "count": 10})]
    assert (await load(db, strict)).state == Strict(10, 10)


@dataclass(frozen=True)
class Strict:
    total: int
    count: int


def strictly(state: Strict | None, event: Added) -> Strict:
    return Strict((state.total if state else 0) + event.amount, (state.count if state else 0) + 1)


async def test_snapshots_can_be_switched_off(db: Database) -> None:
    never = replace(TALLY, snapshot_every=0)
    await db.run(lambda conn: append(conn, never, [1] * 20))
    assert await kept(db) == []
    assert (await load(db, never)).version == 20


async def test_a_clash_leaves_no_snapshot(db: Database) -> None:
    await db.run(lambda conn: append(conn, TALLY, [1] * 4))

    def clash(conn: Connection) -> None:
        store = AggregateStore(conn)
        store.load(TALLY, "t")
        append(conn, TALLY, [1])
        store.save(TALLY, "t", Tally(5, 5), [Added(1)])
        store.flush()

    with pytest.raises(Conflict):
        await db.run(clash)
    assert await kept(db) == []


def test_the_fingerprint_tells_states_and_code_apart() -> None:
    assert TALLY.fingerprint == replace(TALLY, snapshot_every=9).fingerprint
    assert TALLY.fingerprint != replace(TALLY, state=Strict).fingerprint
    assert TALLY.fingerprint != replace(TALLY, events=(Strict2,)).fingerprint


@dataclass(frozen=True)
class Strict2:
    NAME: ClassVar[str] = "tally.added"
    amount: int
    reason: str


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(-9, 9), max_size=7), max_size=6), st.integers(0, 4))
def test_with_and_without_snapshots_the_state_is_the_same(writes: list[list[int]], every: int) -> None:
    db = Database("sqlite://")  # in memory: the writer's connection is the only one
    type = replace(TALLY, snapshot_every=every)

    def work(conn: Connection) -> tuple[Any, Any]:
        metadata.create_all(conn)
        for amounts in writes:
            append(conn, type, amounts)
        found = history.replay(conn, type, "t"), history.replay(conn, replace(TALLY, snapshot_every=0), "t")
        metadata.drop_all(conn)
        return found

    short, long = db.submit(work).result()
    db.close()
    flat = [amount for amounts in writes for amount in amounts]
    assert short == long
    assert short == ((Tally(sum(flat), len(flat)), len(flat)) if flat else (None, 0))


# Versions of events


@dataclass(frozen=True)
class AddedNow:
    """In version 2 the amount has a unit; in version 3 the unit is called `currency`."""

    NAME: ClassVar[str] = "tally.added"
    VERSION: ClassVar[int] = 3
    amount: int
    currency: str


def with_unit(data: Data) -> Data:
    return {**data, "unit": "EUR"}


def with_currency(data: Data) -> Data:
    data["currency"] = data.pop("unit")
    return data


@dataclass(frozen=True)
class Sums:
    by_currency: tuple[tuple[str, int], ...] = ()


def evolve_now(state: Sums | None, event: AddedNow) -> Sums:
    sums = dict((state or Sums()).by_currency)
    sums[event.currency] = sums.get(event.currency, 0) + event.amount
    return Sums(tuple(sorted(sums.items())))


NOW = AggregateType(
    "Tally",
    Sums,
    "id",
    lambda _s, _c: [],
    evolve_now,
    (AddedNow,),
    True,
    snapshot_every=5,
    upcasters={"tally.added": (with_unit, with_currency)},
)


async def test_a_stream_of_version_1_still_loads_after_the_event_changed(db: Database) -> None:
    """Written by the code of then, snapshot included, and read and continued by the code of now."""
    await db.run(lambda conn: append(conn, TALLY, [1] * 6))

    def work(conn: Connection) -> None:
        store = AggregateStore(conn)
        held = store.load(NOW, "t")
        assert (held.state, held.version) == (Sums((("EUR", 6),)), 6)
        new = [AddedNow(4, "USD")]
        store.save(NOW, "t", evolve_now(held.state, new[0]), new)
        store.flush()

    await db.run(work)
    held = await db.read(lambda conn: AggregateStore(conn).load(NOW, "t"))
    assert (held.state, held.version) == (Sums((("EUR", 6), ("USD", 4))), 7)
    query = select(events.c.event_version, events.c.data).order_by(events.c.version)
    stored = [tuple(row) for row in await db.read(lambda conn: conn.execute(query).all())]
    assert stored == [(1, {"amount": 1})] * 6 + [(3, {"amount": 4, "currency": "USD"})]


async def test_each_older_version_takes_the_way_from_where_it_is(db: Database) -> None:
    rows = [
        {"version": 1, "event_version": 1, "data": {"amount": 1}},
        {"version": 2, "event_version": 2, "data": {"amount": 2, "unit": "USD"}},
        {"version": 3, "event_version": 3, "data": {"amount": 3, "currency": "GBP"}},
    ]
    common = {"kind": "Tally", "stream": "t", "name": "tally.added", "recorded_at": 0.0}
    await db.run(lambda conn: conn.execute(insert(events), [{**common, **row} for row in rows]))
    state, version = await db.read(lambda conn: history.replay(conn, NOW, "t"))
    assert (state, version) == (Sums((("EUR", 1), ("GBP", 3), ("USD", 2))), 3)


async def test_what_a_newer_release_wrote_is_left_to_it(db: Database) -> None:
    """During a deployment both run: the older one can't answer for this stream, and says so."""

    def work(conn: Connection) -> None:
        store = AggregateStore(conn)
        store.save(NOW, "t", Sums(), [AddedNow(4, "USD")])
        store.flush()

    await db.run(work)
    with pytest.raises(Unavailable, match="stored as version 3, and this release knows 1"):
        await load(db)


async def test_an_upcaster_that_forgets_a_field_is_named(db: Database) -> None:
    await db.run(lambda conn: append(conn, TALLY, [1]))
    wrong = replace(NOW, upcasters={"tally.added": (with_unit, lambda data: data)})
    with pytest.raises(Unreadable, match=r"tally\.added, stored as version 1: currency: Field required"):
        await db.read(lambda conn: history.replay(conn, wrong, "t"))


@pytest.mark.parametrize("steps", [(), (with_unit,), (with_unit, with_currency, with_unit)])
def test_a_version_without_a_way_to_it_is_found_at_start(steps: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=f"version 3: upcasters {len(steps)}, needed 2"):
        replace(NOW, upcasters={"tally.added": steps})


def test_lifting_leaves_what_is_stored_as_it_was() -> None:
    data = {"amount": 1, "unit": "USD"}
    assert lift(AddedNow, data, 2, NOW.upcasters) == {"amount": 1, "currency": "USD"}
    assert data == {"amount": 1, "unit": "USD"}
