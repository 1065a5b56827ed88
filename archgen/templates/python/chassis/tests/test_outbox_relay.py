import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from chassis import relay as relays
from chassis.bus import Outgoing
from chassis.db import Database
from chassis.errors import Conflict
from chassis.inbox import Inbox
from chassis.messages import Message
from chassis.outbox import LARGEST, Outbox
from chassis.relay import Lease, Relay, backlog
from chassis.tables import leases, outbox, view_rows
from chassis.testing.fakes import FakeBus, FakeDelivery
from chassis.uow import Session
from chassis.versioned import VersionedRows


def message(number: int, subject: str = "o1") -> Message:
    return Message(f"m{number}", "t.v1", "/shop/orders", subject, {"n": number}, address="shop.event.t")


async def say(db: Database, *messages: Message) -> None:
    def work(conn: Connection) -> None:
        box = Outbox(conn)
        for one in messages:
            box.add(one)
        box.flush()

    await db.run(work)


async def waiting(db: Database) -> list[str]:
    query = select(outbox.c.message_id).order_by(outbox.c.position)
    return await db.read(lambda conn: list(conn.scalars(query)))


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


async def test_a_message_is_written_as_it_goes_out(db: Database, bus: FakeBus) -> None:
    await say(db, message(1))
    assert await Relay(db, bus).publish_batch() == 1
    assert bus.sent == [Outgoing("m1", "shop.event.t", bus.sent[0].body)]
    assert bus.data() == [{"n": 1}]
    assert await waiting(db) == []


async def test_a_transaction_that_fails_says_nothing(db: Database) -> None:
    def work(conn: Connection) -> None:
        box = Outbox(conn)
        box.add(message(1))
        assert box.flush() == 1
        assert box.flush() == 0, "each is written once"
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        await db.run(work)
    assert await waiting(db) == []


async def test_the_order_is_kept_also_over_batches(
    db: Database, bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "BATCH", 7)
    for start in range(0, 30, 10):
        await say(db, *map(message, range(start, start + 10)))
    relay = Relay(db, bus)
    assert [await relay.publish_batch() for _ in range(6)] == [7, 7, 7, 7, 2, 0]
    assert [data["n"] for data in bus.data()] == list(range(30))


async def test_while_the_broker_is_away_rows_stay_and_later_go_out_in_order(
    db: Database, bus: FakeBus
) -> None:
    await say(db, message(1), message(2))
    relay = Relay(db, bus)
    bus.down = True
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await relay.publish_batch()
    await say(db, message(3))
    assert await waiting(db) == ["m1", "m2", "m3"]
    bus.down = False
    await relay.publish_batch()
    assert [data["n"] for data in bus.data()] == [1, 2, 3]
    assert await waiting(db) == []


async def test_a_crash_between_publishing_and_deleting_repeats_and_is_consumed_once(
    db: Database, bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError("the process ends here")

    await say(db, message(1), message(2))
    with monkeypatch.context() as patch:
        patch.setattr(relays, "_remove", crash)
        with pytest.raises(OSError):
            await Relay(db, bus).publish_batch()
    await db.run(lambda conn: conn.execute(update(leases).values(expires_at=0)))
    await Relay(db, bus).publish_batch()
    assert [item.id for item in bus.sent] == ["m1", "m2", "m1", "m2"], "under the same ids"

    effects: list[str] = []
    inbox = Inbox("c", lambda _session, message: effects.append(message.id), db)
    for one in bus.messages:
        await inbox.take([FakeDelivery(one)])
    assert effects == ["m1", "m2"]


async def test_of_two_relays_one_works_until_it_hands_over(
    db: Database, bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Relay(db, bus), Relay(db, bus)
    await say(db, message(1))
    assert await first.publish_batch() == 1
    await say(db, message(2))
    assert await second.publish_batch() == 0
    assert await waiting(db) == ["m2"]
    await first.close()
    assert await waiting(db) == [], "what was left went out before it handed over"
    await say(db, message(3))
    assert await second.publish_batch() == 1


async def test_when_the_holder_dies_another_takes_over_after_the_lease(db: Database, bus: FakeBus) -> None:
    await Relay(db, bus).publish_batch()
    survivor = Relay(db, bus)
    await say(db, message(1))
    assert await survivor.publish_batch() == 0
    await db.run(lambda conn: conn.execute(update(leases).values(expires_at=time.time() - 0.1)))
    assert await survivor.publish_batch() == 1


async def test_a_replica_that_comes_back_under_its_name_goes_on_at_once(db: Database, bus: FakeBus) -> None:
    await Relay(db, bus, "host:8001").publish_batch()
    await say(db, message(1))
    assert await Relay(db, bus, "host:8002").publish_batch() == 0
    assert await Relay(db, bus, "host:8001").publish_batch() == 1


async def test_a_lease_has_one_holder_and_only_the_holder_can_release_it(db: Database) -> None:
    mine, yours = Lease("l", "me", 60), Lease("l", "you", 60)
    other = Lease("another", "you", 60)
    assert [await db.run(lease.hold) for lease in (mine, yours, mine, other)] == [True, False, True, True]
    await db.run(yours.release)
    assert not await db.run(yours.hold)
    await db.run(mine.release)
    assert await db.run(yours.hold)
    assert not await db.run(mine.hold)


async def test_a_machine_whose_clock_is_ahead_takes_nothing_over(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's clock decides; a SQLite file has one machine, and so one clock."""
    assert await db.run(Lease("l", "me", 60).hold)
    ahead = time.time() + 3600
    monkeypatch.setattr("chassis.clock.time.time", lambda: ahead)
    assert await db.run(Lease("l", "you", 60).hold) == db.sqlite


async def test_of_many_that_want_the_lease_at_once_one_gets_it(db: Database) -> None:
    holds = await asyncio.gather(*(db.run(Lease("l", f"h{n}", 60).hold) for n in range(8)))
    assert sum(holds) == 1


async def test_a_holder_that_was_slow_looks_again_before_it_publishes(
    db: Database, bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It trusts its lease for half of its time only, so a pause does not make two relays of one."""
    monkeypatch.setattr(relays, "LEASE", 0.2)
    frozen, other = Relay(db, bus), Relay(db, bus)
    await frozen.publish_batch()
    await db.run(lambda conn: conn.execute(update(leases).values(expires_at=0)))
    await other.publish_batch()
    await say(db, message(1))
    await asyncio.sleep(0.15)
    assert await frozen.publish_batch() == 0


async def test_one_that_is_cancelled_just_as_it_is_woken_ends(db: Database, bus: FakeBus) -> None:
    """A service that stops finishes its last batch, which wakes the relay, and cancels it at once."""
    relay = Relay(db, bus)
    task = asyncio.create_task(relay.run())
    await until(lambda: relay._held_until > 0)
    await asyncio.sleep(0.1)  # it has found nothing, and waits
    relay.wake()
    task.cancel()
    await asyncio.wait([task], timeout=1.0)
    assert task.cancelled()


@pytest.fixture
async def running(db: Database, bus: FakeBus) -> AsyncIterator[Relay]:
    relay = Relay(db, bus)
    task = asyncio.create_task(relay.run())
    yield relay
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(condition: Any, seconds: float = 3.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        await asyncio.sleep(0.01)


async def test_running_it_publishes_what_it_is_woken_for_at_once(
    db: Database, bus: FakeBus, running: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "IDLE", 30.0)
    await asyncio.sleep(0.1)  # it has looked, found nothing, and waits
    for number in range(5):
        await say(db, message(number))
        running.wake()
        await until(lambda n=number: len(bus.sent) == n + 1)


async def test_running_it_looks_by_itself_now_and_then(db: Database, bus: FakeBus, running: Relay) -> None:
    await say(db, message(1))
    await until(lambda: len(bus.sent) == 1)


async def test_running_it_survives_a_broker_that_goes_and_comes(
    db: Database, bus: FakeBus, running: Relay
) -> None:
    bus.down = True
    await say(db, *map(message, range(3)))
    running.wake()
    await asyncio.sleep(0.3)
    assert bus.sent == []
    bus.down = False
    await until(lambda: len(bus.sent) == 3)
    assert [data["n"] for data in bus.data()] == [0, 1, 2]


async def test_close_gives_up_quietly_when_the_broker_is_away(db: Database, bus: FakeBus) -> None:
    relay = Relay(db, bus)
    await say(db, message(1))
    bus.down = True
    await relay.close()
    assert await waiting(db) == ["m1"]


ROW = {"subject": "shop.event.t", "body": message(1).to_json(), "created_at": 0.0}


async def insert_at(db: Database, position: int) -> None:
    values = {"position": position, "message_id": f"m{position}", **ROW}
    await db.run(lambda conn: conn.execute(insert(outbox), values))


async def test_a_lower_position_that_commits_later_is_not_lost(db: Database) -> None:
    """PostgreSQL hands out positions before the commit: "all up to here" would delete unseen rows."""

    class Meanwhile(FakeBus):
        async def publish(self, batch: Sequence[Outgoing]) -> None:
            if not self.sent:
                await insert_at(db, 50)
            await super().publish(batch)

    bus = Meanwhile()
    relay = Relay(db, bus)
    await insert_at(db, 100)
    await relay.publish_batch()
    assert await waiting(db) == ["m50"]
    await relay.publish_batch()
    assert [item.id for item in bus.sent] == ["m100", "m50"]


async def test_events_of_an_aggregate_leave_in_the_order_of_their_versions(
    db: Database, bus: FakeBus
) -> None:
    """Many writers append to a few streams; a stream's rows are taken while its row is locked."""

    async def write(key: str) -> None:
        def work(conn: Connection) -> None:
            rows = VersionedRows(conn, view_rows)
            version = rows.load("v", key).version + 1
            rows.save("v", key, version=version, row={}, owner=None)
            rows.flush()
            box = Outbox(conn)
            box.add(replace(message(version, key), id=f"{key}-{version}", version=version))
            box.flush()

        while True:
            try:
                return await db.run(work)
            except Conflict:
                continue

    await asyncio.gather(*(write(key) for _ in range(15) for key in "abc"))
    while await Relay(db, bus).publish_batch():
        await db.run(lambda conn: conn.execute(update(leases).values(expires_at=0)))
    for key in "abc":
        assert [m.version for m in bus.messages if m.subject == key] == list(range(1, 16))


async def test_a_message_that_no_broker_would_take_never_gets_in(db: Database) -> None:
    def work(conn: Connection, size: int) -> None:
        session = Session(conn)
        session.outbox.add(replace(message(1), data={"text": "ü" * (size // 2)}))
        session.flush()

    with pytest.raises(ValueError, match="larger"):
        await db.run(lambda conn: work(conn, LARGEST))
    assert await waiting(db) == []
    await db.run(lambda conn: work(conn, LARGEST - 1000))
    assert await waiting(db) == ["m1"]


async def test_the_backlog_tells_number_and_age(db: Database) -> None:
    assert await db.read(backlog) == (0, 0.0)
    await say(db, message(1), message(2))
    await db.run(lambda conn: conn.execute(update(outbox).values(created_at=time.time() - 60)))
    count, age = await db.read(backlog)
    assert count == 2
    assert 59 < age < 62
