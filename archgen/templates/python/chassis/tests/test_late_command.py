"""The late-command case: an undo arrives before the command it undoes.

The orchestrator gave the step up because no answer came, and had it undone; only then does the
command, which was on its way all the time, reach the participant. Were it carried out, the card
would be charged for an order that is cancelled, and nobody would ever take it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import select

from chassis.db import Database
from chassis.domain import AggregateType, UseCase
from chassis.inbox import Inbox
from chassis.messages import Message
from chassis.saga.participant import carry_out
from chassis.tables import aggregates, dead_letters, outbox
from chassis.testing.fakes import FakeDelivery
from chassis.uow import Origin, Session, UnitOfWork


@dataclass(frozen=True)
class Charged:
    NAME: ClassVar[str] = "payment.charged"
    payment_id: str


@dataclass(frozen=True)
class Refunded:
    NAME: ClassVar[str] = "payment.refunded"
    payment_id: str


@dataclass(frozen=True)
class Charge:
    NAME: ClassVar[str] = "payments.charge"
    ID: ClassVar[str] = "payment_id"
    CREATES: ClassVar[bool] = True
    EMITS: ClassVar[type] = Charged
    FAILS: ClassVar[type | None] = None
    payment_id: str


@dataclass(frozen=True)
class Refund(Charge):
    NAME: ClassVar[str] = "payments.refund"
    CREATES: ClassVar[bool] = False
    EMITS: ClassVar[type] = Refunded


@dataclass(frozen=True)
class Payment:
    last: str


def decide(_: Payment | None, command: Charge | Refund) -> Sequence[Any]:
    return [command.EMITS(command.payment_id)]


def evolve(_: Payment | None, event: Charged | Refunded) -> Payment:
    return Payment(event.NAME)


PAYMENT = AggregateType("payment", Payment, "payment_id", decide, evolve, (Charged, Refunded))


def handle(command: Charge | Refund, unit: UnitOfWork) -> None:
    unit.handle(PAYMENT, command.payment_id, command)


USE_CASES = {"do": UseCase(Charge, handle), "undo": UseCase(Refund, handle)}


def asked(phase: str, id: str, saga_id: str = "s1") -> Message:
    use_case = USE_CASES[phase]
    return Message(
        id=id,
        type=f"shop.{use_case.command.NAME}.v1",
        source="/shop/orders",
        subject="p1",
        data={"payment_id": "p1"},
        reply_to="shop.reply.orders",
        saga="place_order",
        saga_id=saga_id,
        saga_step="0.payments.charge",
        saga_phase=phase,
    )


async def told(db: Database, *fetches: Sequence[Message]) -> list[tuple[str, str, str]]:
    """What payments says when these arrive: the outcome of each reply, or the name of an event."""

    def carry(session: Session, message: Message) -> None:
        origin = Origin("shop", "payments").caused_by(message)
        carry_out(USE_CASES[message.saga_phase], session, origin, message)

    for fetch in fetches:
        deliveries = [FakeDelivery(message) for message in fetch]
        await Inbox("payments-commands", carry, db).take(deliveries)
        assert all(delivery.acked for delivery in deliveries)
    rows = await db.read(lambda conn: conn.scalars(select(outbox.c.body).order_by(outbox.c.position)).all())
    said = [Message.from_json(body) for body in rows]
    return [(m.type, m.data.get("outcome", ""), m.data.get("reason", "")) for m in said]


DONE = ("shop.reply.v1", "done", "")
REFUSED = ("shop.reply.v1", "refused", "this step was undone before it was done")


async def nothing_was_charged(db: Database) -> None:
    assert await db.read(lambda conn: conn.execute(select(aggregates)).all()) == []
    assert await db.read(lambda conn: conn.execute(select(dead_letters)).all()) == []


async def test_the_late_command_is_refused_and_has_no_effect(db: Database) -> None:
    assert await told(db, [asked("undo", "m2")], [asked("do", "m1")]) == [DONE, REFUSED]
    await nothing_was_charged(db)


async def test_also_when_both_arrive_in_one_fetch(db: Database) -> None:
    assert await told(db, [asked("undo", "m2"), asked("do", "m1")]) == [DONE, REFUSED]
    await nothing_was_charged(db)


async def test_also_when_each_comes_more_than_once(db: Database) -> None:
    said = await told(
        db,
        [asked("undo", "m2"), asked("undo", "m3")],
        [asked("do", "m1"), asked("do", "m4")],
        [asked("undo", "m5"), asked("do", "m1"), asked("do", "m6")],
    )
    assert said == [DONE, DONE, REFUSED, REFUSED, DONE, REFUSED]
    await nothing_was_charged(db)


async def test_another_saga_is_not_refused(db: Database) -> None:
    said = await told(db, [asked("undo", "m2", saga_id="s1")], [asked("do", "m1", saga_id="s2")])
    assert said == [DONE, ("shop.payment.charged.v1", "", ""), DONE]
