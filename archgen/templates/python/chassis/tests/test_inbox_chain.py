"""Many events of one aggregate that wait for the same missing one."""

from __future__ import annotations

from random import Random

from chassis.db import Database
from chassis.inbox import Attempts, Inbox
from chassis.messages import Message
from chassis.testing.fakes import FakeDelivery
from chassis.uow import Session
from chassis.views import Early


async def test_they_come_back_together_and_soon_however_often_they_came_early(db: Database) -> None:
    def early(session: Session, message: Message) -> None:
        raise Early("not yet")

    inbox = Inbox("view", early, db)
    for _ in range(50):
        deliveries = [FakeDelivery(event(version)) for version in (2, 3)]
        await inbox.take(deliveries)
    assert [delivery.settled for delivery in deliveries] == [[1.0], [1.0]]


async def test_one_fetch_is_enough_once_the_missing_one_is_there(db: Database) -> None:
    seen: list[int] = []

    def in_order(session: Session, message: Message) -> None:
        if message.version != len(seen) + 1:
            raise Early("not yet")
        seen.append(message.version)

    shuffled = [FakeDelivery(event(version)) for version in range(1, 81)]
    Random(1).shuffle(shuffled)
    await Inbox("view", in_order, db).take(shuffled)
    assert seen == list(range(1, 81))
    assert all(delivery.acked for delivery in shuffled)


def test_delays_stay_finite() -> None:
    assert Attempts().delay(10_000) == 30.0
    assert Attempts().delay(10_000, "order") == 1.0


def event(version: int) -> Message:
    return Message(f"e{version}", "shop.stock.received.v1", "/shop/inventory", "sku", {}, version=version)
