from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from chassis import dead_letters
from chassis.db import Database
from chassis.inbox import Attempts, Inbox
from chassis.messages import Message
from chassis.relay import Relay
from chassis.tables import outbox
from chassis.testing.fakes import FakeBus, FakeDelivery
from chassis.uow import Session


class Consumer:
    def __init__(self, db: Database, name: str) -> None:
        self.broken = False
        self.effects: list[str] = []
        self.inbox = Inbox(name, self._handle, db, Attempts(limit=1))

    def _handle(self, _: Session, message: Message) -> None:
        if self.broken:
            raise ValueError("a bug")
        self.effects.append(message.id)

    async def take(self, message: Message) -> None:
        delivery = FakeDelivery(message)
        await self.inbox.take([delivery])
        assert delivery.acked


def message(number: int) -> Message:
    return Message(f"m{number}", "shop.x.v1", "/shop/a", "s", {"n": number}, address="shop.event.x")


@pytest.fixture
async def consumers(db: Database) -> tuple[Consumer, Consumer]:
    """One with a bug that gave three messages up, and one without that has handled them."""
    broken, sound = Consumer(db, "broken"), Consumer(db, "sound")
    broken.broken = True
    for number in range(3):
        await broken.take(message(number))
        await sound.take(message(number))
    broken.broken = False
    return broken, sound


async def listed(db: Database) -> Sequence[dict[str, Any]]:
    return await db.read(dead_letters.listed)


async def sent(db: Database) -> list[Message]:
    bus = FakeBus()
    await Relay(db, bus, "the only one").publish_batch()
    return bus.messages


async def test_they_are_listed_with_what_a_person_needs(
    db: Database, consumers: tuple[Consumer, Consumer]
) -> None:
    first, *_ = letters = await listed(db)
    assert [letter["message_id"] for letter in letters] == ["m0", "m1", "m2"]
    assert (first["consumer"], first["reason"], first["attempts"]) == ("broken", "ValueError: a bug", 1)
    assert Message.from_json(first["body"]).data == {"n": 0}


async def test_a_redriven_message_reaches_the_one_that_gave_up_and_nobody_twice(
    db: Database, consumers: tuple[Consumer, Consumer]
) -> None:
    broken, sound = consumers
    assert await db.run(dead_letters.redrive) == 3
    assert await listed(db) == []
    again = await sent(db)
    assert [m.id for m in again] == ["m0", "m1", "m2"]
    for one in again:
        await broken.take(one)
        await sound.take(one)
    assert broken.effects == ["m0", "m1", "m2"]
    assert sound.effects == ["m0", "m1", "m2"], "once, the first time"


async def test_it_is_sent_to_the_one_that_gave_up(db: Database, consumers: tuple[Consumer, Consumer]) -> None:
    [letter, *_] = await listed(db)
    system = letter["subject"].partition(".")[0]
    await db.run(dead_letters.redrive)
    addresses = await db.read(lambda conn: conn.scalars(select(outbox.c.subject)).all())
    assert set(addresses) == {dead_letters.address(system, "broken")}


async def test_one_of_them_can_be_redriven(db: Database, consumers: tuple[Consumer, Consumer]) -> None:
    assert await db.run(lambda conn: dead_letters.redrive(conn, "m1")) == 1
    assert [m.id for m in await sent(db)] == ["m1"]
    assert [letter["message_id"] for letter in await listed(db)] == ["m0", "m2"]
    assert await db.run(lambda conn: dead_letters.redrive(conn, "m1")) == 0
    assert await db.run(lambda conn: dead_letters.redrive(conn, "nobody knows")) == 0


async def test_the_broker_gets_it_under_another_id_each_time(
    db: Database, consumers: tuple[Consumer, Consumer]
) -> None:
    """Its own id it would drop as a repeat, for as long as it remembers."""
    broken, _ = consumers
    broken.broken = True
    ids: set[str] = set()
    for _ in range(3):
        await db.run(lambda conn: dead_letters.redrive(conn, "m1"))
        query = select(outbox.c.message_id)
        ids |= set(await db.read(lambda conn, q=query: conn.scalars(q).all()))  # type: ignore[misc]
        for one in await sent(db):
            await broken.take(one)
    assert len(ids) == 3
    assert not ids & {"m1"}


async def test_what_fails_again_is_a_dead_letter_again(
    db: Database, consumers: tuple[Consumer, Consumer]
) -> None:
    broken, _ = consumers
    broken.broken = True
    await db.run(dead_letters.redrive)
    for one in await sent(db):
        await broken.take(one)
    assert [letter["message_id"] for letter in await listed(db)] == ["m0", "m1", "m2"]
    broken.broken = False
    await db.run(dead_letters.redrive)
    for one in await sent(db):
        await broken.take(one)
    assert broken.effects == ["m0", "m1", "m2"]


async def test_a_crash_while_redriving_leaves_the_letter(
    db: Database, consumers: tuple[Consumer, Consumer]
) -> None:
    def crash(conn: Any) -> None:
        dead_letters.redrive(conn)
        raise OSError("the process ends here")

    with pytest.raises(OSError):
        await db.run(crash)
    assert len(await listed(db)) == 3
    assert await sent(db) == []
