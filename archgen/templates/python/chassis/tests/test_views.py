from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import ClassVar

import pytest

from chassis import views
from chassis.db import Database
from chassis.inbox import Attempts, Inbox
from chassis.jsons import decode
from chassis.messages import Message
from chassis.testing.fakes import FakeDelivery
from chassis.uow import Session
from chassis.views import View


@dataclass(frozen=True)
class Created:
    NAME: ClassVar[str] = "order.created"
    amount: int


@dataclass(frozen=True)
class Noted:
    NAME: ClassVar[str] = "order.noted"


@dataclass(frozen=True)
class Changed:
    NAME: ClassVar[str] = "order.changed"
    amount: int


@dataclass(frozen=True)
class Details:
    amount: int
    changes: int = 0


def project(row: Details | None, event: Created | Noted | Changed) -> Details | None:
    match event:
        case Created(amount):
            return Details(amount)
        case Changed(amount) if row:
            return Details(amount, row.changes + 1)
    return row


VIEW = View("order_details", Details, (Created, Noted, Changed), project)
EVENTS = {"order.created": Created, "order.noted": Noted, "order.changed": Changed}


def message(version: int, event: Created | Noted | Changed, order: str = "o1") -> Message:
    data = {"amount": event.amount} if not isinstance(event, Noted) else {}
    return Message(f"{order}-{version}", event.NAME, "/shop/orders", order, data, version=version)


STORY = [
    message(1, Created(10)),
    message(2, Noted()),
    message(3, Changed(20)),
    message(4, Changed(30)),
]
END = {"amount": 30, "changes": 2, "version": 4}


def apply(session: Session, message: Message) -> None:
    VIEW.apply(session.views, message, decode(EVENTS[message.type], message.data))


async def deliver(db: Database, messages: Sequence[Message], fetch: int) -> None:
    """Bring `messages` in fetches, and what is to be retried again behind the rest."""
    inbox = Inbox("orders-view", apply, db, Attempts(limit=1, patience=20))
    waiting = [FakeDelivery(one) for one in messages]
    for _ in range(100):
        if not waiting:
            return
        now, waiting = waiting[:fetch], waiting[fetch:]
        await inbox.take(now)
        waiting += [FakeDelivery(d.body, d.attempt + 1) for d in now if d.settled != ["ack"]]
    raise AssertionError("it never heals")


async def shown(db: Database, order: str = "o1") -> object:
    return await db.read(lambda conn: views.find(conn, "order_details", order))


async def test_events_make_a_row(db: Database) -> None:
    assert await shown(db) is None
    for count, event in enumerate(STORY):
        await deliver(db, [event], 1)
        row = await shown(db)
        assert isinstance(row, dict)
        assert row["version"] == count + 1
    assert await shown(db) == END


@pytest.mark.parametrize("fetch", [1, 2, 10])
async def test_whatever_order_they_come_in_the_row_is_the_same(db: Database, fetch: int) -> None:
    for number, order in enumerate(permutations(STORY)):
        mine = [replace(m, id=f"{number}-{m.id}", subject=f"o{number}") for m in order]
        await deliver(db, mine, fetch)
        assert await shown(db, f"o{number}") == END


async def test_an_event_that_comes_again_changes_nothing_even_under_another_id(db: Database) -> None:
    await deliver(db, STORY, 10)
    await deliver(db, [replace(one, id=f"again-{one.id}") for one in STORY], 10)
    assert await shown(db) == END
    twice = [replace(one, id=f"{one.id}-{time}", subject="o2") for one in STORY for time in (1, 2)]
    await deliver(db, twice, 10)
    assert await shown(db, "o2") == END


async def test_a_view_that_has_nothing_to_show_yet_still_counts(db: Database) -> None:
    """The version is kept although there is no row, or the next event would wait for ever."""
    await deliver(db, [message(1, Noted()), message(2, Noted())], 10)
    assert await shown(db) is None
    await deliver(db, [message(3, Created(5))], 1)
    assert await shown(db) == {"amount": 5, "changes": 0, "version": 3}


async def test_a_gap_of_one_aggregate_does_not_hold_up_another(db: Database) -> None:
    inbox = Inbox("orders-view", apply, db)
    early, other = FakeDelivery(message(2, Noted())), FakeDelivery(message(1, Created(1), "o2"))
    await inbox.take([early, other])
    assert other.acked
    assert isinstance(early.settled[0], float)
    assert await shown(db, "o2") == {"amount": 1, "changes": 0, "version": 1}


async def test_pages_follow_each_other_until_the_last(db: Database) -> None:
    await deliver(db, [message(1, Created(n), f"o{n}") for n in range(7)], 10)
    await deliver(db, [message(1, Noted(), "o3x")], 1)  # nothing to show
    seen: list[int] = []
    after, pages = "", 0
    while True:
        rows, following = await db.read(
            lambda conn, after=after: views.page(conn, "order_details", limit=3, after=after)  # type: ignore[misc]
        )
        seen += [row["amount"] for row in rows]
        pages += 1
        if not following:
            break
        after = following
    assert seen == list(range(7))
    assert pages == 3
    assert await db.read(lambda conn: views.page(conn, "order_details", limit=0)) == ([], "")
    assert await db.read(lambda conn: views.page(conn, "nothing", limit=3)) == ([], "")
