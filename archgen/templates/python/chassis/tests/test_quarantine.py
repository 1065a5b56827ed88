"""A message that ends the process that handles it: given up in the end, and nobody else with it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from chassis.bus import Outgoing
from chassis.bus.nats import NatsBus
from chassis.db import Database
from chassis.inbox import Attempts, Inbox
from chassis.messages import Message
from chassis.quarantine import suspects
from chassis.tables import dead_letters, inbox
from chassis.testing.fakes import FakeDelivery
from chassis.testing.servers import Nats
from chassis.uow import Session

ATTEMPTS = Attempts(trusted=2, alone=2, first=0.1)


class Crash(BaseException):
    """Stands in for the end of the process: nothing of the chassis catches it."""


class Service:
    """A consumer; what is in `deadly` ends it, what is in `faulty` fails. A new one is a restart."""

    def __init__(self, db: Database, deadly: set[str], faulty: set[str] | None = None) -> None:
        self.handled: list[str] = []
        self.deadly, self.faulty = deadly, faulty or set()
        self.inbox = Inbox("orders-things", self.handle, db, ATTEMPTS)

    def handle(self, session: Session, message: Message) -> None:
        if message.id in self.deadly:
            raise Crash
        self.handled.append(message.id)
        if message.id in self.faulty:
            raise ValueError("boom")


def message(id: str) -> Message:
    return Message(id, "shop.thing.v1", "/shop/orders", "s", {})


async def deliver(service: Service, attempt: int, *ids: str) -> list[FakeDelivery]:
    deliveries = [FakeDelivery(message(id), attempt) for id in ids]
    try:
        await service.inbox.take(deliveries)
    except Crash:
        return deliveries
    return deliveries


async def letters(db: Database) -> list[Any]:
    return await db.read(lambda conn: list(conn.execute(select(dead_letters))))


async def done(db: Database) -> set[str]:
    """What the inbox remembers: handled, or given up."""
    return await db.read(lambda conn: set(conn.scalars(select(inbox.c.message_id))))


async def noted(db: Database) -> dict[str, int]:
    rows = await db.read(lambda conn: conn.execute(select(suspects.c.message_id, suspects.c.times)).all())
    return {row.message_id: row.times for row in rows}


async def test_it_becomes_a_dead_letter_and_its_neighbours_are_done(db: Database) -> None:
    waiting = ["m1", "deadly", "m2"]
    for attempt in range(1, 10):
        deliveries = await deliver(Service(db, {"deadly"}), attempt, *waiting)
        waiting = [id for id, each in zip(waiting, deliveries, strict=True) if each.settled != ["ack"]]
        if not waiting:
            break
    assert attempt == 5, "twice in company, twice alone, then given up"
    [letter] = await letters(db)
    assert (letter.message_id, letter.attempts) == ("deadly", 5)
    assert "ended 2 times" in letter.reason
    assert await done(db) == {"m1", "m2", "deadly"}
    assert await noted(db) == {}


async def test_neighbours_go_first_once_it_is_under_suspicion(db: Database) -> None:
    service = Service(db, {"deadly"})
    deliveries = await deliver(service, 3, "deadly", "also suspicious")
    assert [each.settled for each in deliveries] == [[], []]
    fresh = [FakeDelivery(message("deadly"), 4), FakeDelivery(message("new"), 1)]
    with pytest.raises(Crash):
        await Service(db, {"deadly"}).inbox.take(fresh)
    assert [each.settled for each in fresh] == [[], ["ack"]]


async def test_who_was_only_near_is_acquitted(db: Database) -> None:
    """Killed from outside again and again, while it handled something that is fine."""
    for attempt in range(3, 5):
        [lost] = await deliver(Service(db, {"m1"}), attempt, "m1")
        assert lost.settled == []
    assert await noted(db) == {"m1": 2}
    [given_up] = await deliver(Service(db, set()), 5, "m1")
    assert given_up.acked
    assert len(await letters(db)) == 1, "twice alone is the limit here"
    [fine] = await deliver(Service(db, set()), 5, "m2")
    assert fine.acked
    assert await noted(db) == {}


async def test_a_failure_that_is_survived_is_counted_as_ever(db: Database) -> None:
    service = Service(db, set(), {"m1"})
    for attempt in range(20, 30):
        [delivery] = await deliver(service, attempt, "m1")
        if delivery.acked:
            break
    assert attempt == 20 + ATTEMPTS.limit - 1
    assert [letter.reason for letter in await letters(db)] == ["ValueError: boom"]
    assert await noted(db) == {}
    assert service.handled == ["m1"] * ATTEMPTS.limit


async def test_trust_comes_back_where_it_was_survived(db: Database) -> None:
    service = Service(db, set(), {"m1"})
    await deliver(service, 20, "m1")
    service.faulty.clear()
    await deliver(service, 21, "m1", "m2")
    assert service.handled == ["m1", "m1", "m2"]
    assert service.inbox._troubled == {}


async def test_only_one_at_a_time_is_watched_in_a_process(db: Database) -> None:
    alone = asyncio.Lock()
    names = [f"consumer-{number}" for number in range(3)]
    boxes = [Inbox(name, lambda *_: None, db, ATTEMPTS, alone=alone) for name in names]
    async with alone:
        taking = [asyncio.create_task(box.take([FakeDelivery(message("m1"), 9)])) for box in boxes]
        await asyncio.sleep(0.1)
        assert await noted(db) == {}
    await asyncio.gather(*taking)


PROGRAM = """
import asyncio, os, sys
from chassis.bus import nats
nats.ACK_WAIT = 0.3
from chassis.db import Database
from chassis.inbox import Attempts, Inbox

async def main():
    db, bus = Database(sys.argv[1]), nats.NatsBus(sys.argv[2], "shop")
    await bus.connect()
    subscription = await bus.subscribe("orders-things", ["shop.event.thing"])

    def handle(session, message):
        if message.data["deadly"]:
            os.abort()

    inbox = Inbox("orders-things", handle, db, Attempts(trusted=2, alone=2))
    while True:
        await inbox.take(await subscription.fetch(100, 1.0))

asyncio.run(main())
"""


async def test_a_process_that_aborts_and_is_started_again(db: Database, url: str, tmp_path: Path) -> None:
    """With a real broker and a real abort: the third line of defence after `try` and the lease."""
    program = tmp_path / "consumer.py"
    program.write_text(PROGRAM)
    with Nats() as server:
        bus = NatsBus(server.url, "shop")
        await bus.connect()
        bodies = [Message(f"m{n}", "shop.thing.v1", "/s", "s", {"deadly": n == 7}) for n in range(20)]
        await bus.publish([Outgoing(each.id, "shop.event.thing", each.to_json().encode()) for each in bodies])
        ends = 0
        command = [sys.executable, str(program), url, server.url]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            for _ in range(600):
                if len(await done(db)) == len(bodies):
                    break
                if process.poll() is not None:
                    ends += 1
                    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
                await asyncio.sleep(0.05)
        finally:
            process.kill()
            process.wait()
        await bus.close()
    [letter] = await letters(db)
    assert json.loads(letter.body)["id"] == "m7"
    assert ends == 4
    assert await done(db) == {f"m{n}" for n in range(20)}
