"""A participant with its database: stock that is reserved and released as steps of a saga."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from chassis.db import Database
from chassis.domain import AggregateType, UseCase
from chassis.errors import Refused, existing
from chassis.inbox import Attempts, Inbox
from chassis.messages import Message
from chassis.saga.participant import carry_out
from chassis.tables import outbox, saga_steps
from chassis.testing.fakes import FakeDelivery
from chassis.uow import Origin, Session, UnitOfWork


@dataclass(frozen=True)
class Reserved:
    NAME: ClassVar[str] = "stock.reserved"
    sku: str
    left: int


@dataclass(frozen=True)
class SoldOut:
    NAME: ClassVar[str] = "stock.sold_out"
    sku: str
    reason: str


@dataclass(frozen=True)
class Released:
    NAME: ClassVar[str] = "stock.released"
    sku: str
    left: int


@dataclass(frozen=True)
class Reserve:
    NAME: ClassVar[str] = "inventory.reserve"
    ID: ClassVar[str] = "sku"
    CREATES: ClassVar[bool] = False
    EMITS: ClassVar[type] = Reserved
    FAILS: ClassVar[type | None] = SoldOut
    sku: str


@dataclass(frozen=True)
class Release:
    NAME: ClassVar[str] = "inventory.release"
    ID: ClassVar[str] = "sku"
    CREATES: ClassVar[bool] = False
    EMITS: ClassVar[type] = Released
    FAILS: ClassVar[type | None] = None
    sku: str


@dataclass(frozen=True)
class Stock:
    left: int


def decide(state: Stock | None, command: Reserve | Release) -> Sequence[Any]:
    stock = existing(state, "Stock", command.sku) if command.sku == "unknown" else state or Stock(1)
    match command:
        case Reserve(sku="forbidden"):
            raise Refused("not for sale")
        case Reserve(sku=sku):
            return [Reserved(sku, stock.left - 1)] if stock.left else [SoldOut(sku, "none left")]
        case Release(sku="glued"):
            raise Refused("it is stuck")
        case Release(sku=sku):
            return [Released(sku, stock.left + 1)]


def evolve(state: Stock | None, event: Reserved | SoldOut | Released) -> Stock:
    return (state or Stock(1)) if isinstance(event, SoldOut) else Stock(event.left)


STOCK = AggregateType("stock", Stock, "sku", decide, evolve, (Reserved, SoldOut, Released))


def handle(command: Reserve | Release, unit: UnitOfWork) -> None:
    if command.sku == "broken":
        raise RuntimeError("bug")
    unit.handle(STOCK, command.sku, command)


USE_CASES = {"do": UseCase(Reserve, handle), "undo": UseCase(Release, handle)}


class Participant:
    """A replica: what it is told goes through its inbox, what it says is in its outbox."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.count = 0
        self.inbox = Inbox("inventory-commands", self._handle, db, Attempts(limit=1))

    @staticmethod
    def _handle(session: Session, message: Message) -> None:
        use_case = USE_CASES["undo" if message.type.endswith("release.v1") else "do"]
        carry_out(use_case, session, Origin("shop", "inventory").caused_by(message), message)

    def command(self, phase: str, sku: str = "book", *, saga_id: str = "s1") -> Message:
        self.count += 1
        return Message(
            id=f"c{id(self)}-{self.count}",
            type=f"shop.inventory.{'release' if phase == 'undo' else 'reserve'}.v1",
            source="/shop/orders",
            subject=sku,
            data={"sku": sku},
            reply_to="shop.reply.orders" if saga_id else "",
            correlation_id="corr",
            trace="00-aa-bb-01",
            saga="place_order" if saga_id else "",
            saga_id=saga_id,
            saga_step="1.inventory.reserve" if saga_id else "",
            saga_phase=phase if saga_id else "",
        )

    async def hears(self, *messages: Message) -> list[Message]:
        """What it says, in order, when it is told these in one fetch."""
        before = len(await self.said())
        deliveries = [FakeDelivery(message) for message in messages]
        await self.inbox.take(deliveries)
        assert all(delivery.acked for delivery in deliveries)
        return (await self.said())[before:]

    async def said(self) -> list[Message]:
        query = select(outbox.c.subject, outbox.c.body).order_by(outbox.c.position)
        rows = await self.db.read(lambda conn: conn.execute(query).all())
        return [Message.from_json(row.body, row.subject) for row in rows]

    async def left(self, sku: str = "book") -> int:
        held = await self.db.read(lambda conn: Session(conn).aggregates.load(STOCK, sku))
        return held.state.left if held.state else 1


@pytest.fixture
def inventory(db: Database) -> Participant:
    return Participant(db)


def outcomes(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(m.data["outcome"], m.data["reason"]) for m in messages if m.type == "shop.reply.v1"]


def events(messages: Sequence[Message]) -> list[str]:
    return [m.type for m in messages if m.type != "shop.reply.v1"]


async def test_a_step_is_done_and_answered(inventory: Participant) -> None:
    command = inventory.command("do")
    event, reply = await inventory.hears(command)
    assert (event.type, event.data, event.version) == (
        "shop.stock.reserved.v1",
        {"sku": "book", "left": 0},
        1,
    )
    assert reply.address == "shop.reply.orders"
    assert reply.data == {"outcome": "done", "reason": "", "result": {"sku": "book", "left": 0}}
    assert (reply.saga, reply.saga_id) == ("place_order", "s1")
    assert (reply.saga_step, reply.saga_phase) == ("1.inventory.reserve", "do")
    assert (reply.correlation_id, reply.causation_id, reply.trace) == ("corr", command.id, "00-aa-bb-01")
    assert await inventory.left() == 0


async def test_asked_again_it_gives_the_first_answer_and_does_nothing(inventory: Participant) -> None:
    [_, first] = await inventory.hears(inventory.command("do"))
    [second] = await inventory.hears(inventory.command("do"))
    assert second.data == first.data
    assert second.id != first.id
    assert await inventory.left() == 0


async def test_asked_twice_in_one_fetch_it_does_it_once(inventory: Participant) -> None:
    said = await inventory.hears(inventory.command("do"), inventory.command("do"))
    assert events(said) == ["shop.stock.reserved.v1"]
    assert outcomes(said) == [("done", ""), ("done", "")]


async def test_what_was_done_is_undone_once(inventory: Participant) -> None:
    await inventory.hears(inventory.command("do"))
    said = await inventory.hears(inventory.command("undo"), inventory.command("undo"))
    assert events(said) == ["shop.stock.released.v1"]
    assert outcomes(said) == [("done", ""), ("done", "")]
    said = await inventory.hears(inventory.command("undo"))
    assert (events(said), outcomes(said)) == ([], [("done", "")])
    assert await inventory.left() == 1


async def test_what_was_refused_stays_refused_and_needs_no_undo(inventory: Participant) -> None:
    said = await inventory.hears(inventory.command("do", "forbidden"))
    assert (events(said), outcomes(said)) == ([], [("refused", "not for sale")])
    assert outcomes(await inventory.hears(inventory.command("do", "book"))) == [("refused", "not for sale")]
    said = await inventory.hears(inventory.command("undo", "forbidden"))
    assert (events(said), outcomes(said)) == ([], [("done", "")])


async def test_a_failure_that_the_domain_records_is_a_refusal_that_left_an_event(
    inventory: Participant,
) -> None:
    await inventory.hears(inventory.command("do"))
    said = await inventory.hears(inventory.command("do", saga_id="s2"))
    assert events(said) == ["shop.stock.sold_out.v1"]
    assert outcomes(said) == [("refused", "none left")]
    said = await inventory.hears(inventory.command("undo", saga_id="s2"))
    assert (events(said), outcomes(said)) == ([], [("done", "")])
    assert await inventory.left() == 0, "the other saga's reservation is untouched"


async def test_something_that_is_not_there_is_a_refusal(inventory: Participant) -> None:
    said = await inventory.hears(inventory.command("do", "unknown"))
    assert outcomes(said) == [("refused", "Stock 'unknown' does not exist")]


async def test_an_undo_that_is_refused_says_so_and_may_be_tried_again(inventory: Participant) -> None:
    await inventory.hears(inventory.command("do", "book"))
    said = await inventory.hears(inventory.command("undo", "glued"))
    assert outcomes(said) == [("refused", "it is stuck")]
    said = await inventory.hears(inventory.command("undo", "book"))
    assert (events(said), outcomes(said)) == (["shop.stock.released.v1"], [("done", "")])


async def test_the_end_of_a_saga_that_was_given_up_is_thought_over_again(inventory: Participant) -> None:
    def end(sku: str) -> Message:
        return replace(inventory.command("do", sku), saga_step="else")

    assert outcomes(await inventory.hears(end("forbidden"))) == [("refused", "not for sale")]
    said = await inventory.hears(end("book"), end("book"))
    assert events(said) == ["shop.stock.reserved.v1"]
    assert outcomes(said) == [("done", ""), ("done", "")]


async def test_the_same_step_of_another_saga_is_another_step(inventory: Participant) -> None:
    await inventory.hears(inventory.command("do", "a", saga_id="s1"))
    said = await inventory.hears(inventory.command("do", "b", saga_id="s2"))
    assert outcomes(said) == [("done", "")]


async def test_do_and_undo_in_one_fetch_follow_their_order(inventory: Participant) -> None:
    said = await inventory.hears(inventory.command("do"), inventory.command("undo"))
    assert events(said) == ["shop.stock.reserved.v1", "shop.stock.released.v1"]
    assert [m.version for m in said if m.version] == [1, 2]
    assert await inventory.left() == 1


async def test_a_bug_answers_nothing_and_remembers_nothing(inventory: Participant) -> None:
    said = await inventory.hears(inventory.command("do", "broken"))
    assert said == []
    assert await inventory.db.read(lambda conn: conn.execute(select(saga_steps)).all()) == []


async def test_a_command_outside_of_a_saga_is_carried_out_without_a_reply(inventory: Participant) -> None:
    said = await inventory.hears(inventory.command("do", saga_id=""))
    assert [m.type for m in said] == ["shop.stock.reserved.v1"]


async def test_do_and_undo_at_two_replicas_at_once_leave_nothing_done(db: Database, url: str) -> None:
    """Whoever comes second sees what the first did, or clashes and is delivered again."""
    replicas = [Participant(db), Participant(Database(url))]
    for number in range(10):
        saga_id = f"race{number}"
        messages = [
            replicas[0].command("do", f"sku{number}", saga_id=saga_id),
            replicas[1].command("undo", f"sku{number}", saga_id=saga_id),
        ]
        pending = list(zip(replicas, messages, strict=True))
        while pending:
            deliveries = [(replica, message, FakeDelivery(message)) for replica, message in pending]
            for replica, _, _ in deliveries:
                replica.inbox._attempts = replace(Attempts(), first=0.0)
            await _all_at_once(deliveries)
            pending = [(r, m) for r, m, delivery in deliveries if delivery.settled != ["ack"]]
        assert await replicas[0].left(f"sku{number}") == 1
    replicas[1].db.close()


async def _all_at_once(deliveries: list[tuple[Participant, Message, FakeDelivery]]) -> None:
    await asyncio.gather(*(replica.inbox.take([delivery]) for replica, _, delivery in deliveries))
