"""A copy that is brought forward by the stream is the database that was lost."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select

from chassis.db import Database
from chassis.domain import AggregateType, UseCase
from chassis.errors import Refused
from chassis.messages import Message, derived_id
from chassis.migrate import migrate
from chassis.recovery import sqlite
from chassis.recovery.errors import RecoveryError
from chassis.recovery.invariants import Kept, keep
from chassis.recovery.redo import Redone, redo
from chassis.saga import Saga, Step
from chassis.sent import keep as keep_sent
from chassis.sent import send_again
from chassis.service import Service
from chassis.tables import outbox
from chassis.uow import Session, UnitOfWork


@dataclass(frozen=True)
class Created:
    NAME: ClassVar[str] = "order.created"
    order_id: str


@dataclass(frozen=True)
class Confirmed(Created):
    NAME: ClassVar[str] = "order.confirmed"


@dataclass(frozen=True)
class Cancelled:
    NAME: ClassVar[str] = "order.cancelled"
    order_id: str
    reason: str


@dataclass(frozen=True)
class Charged:
    NAME: ClassVar[str] = "payment.charged"
    order_id: str


@dataclass(frozen=True)
class Create:
    NAME: ClassVar[str] = "orders.create"
    ID: ClassVar[str] = "order_id"
    CREATES: ClassVar[bool] = True
    EMITS: ClassVar[type] = Created
    FAILS: ClassVar[type | None] = None
    order_id: str


@dataclass(frozen=True)
class Confirm(Create):
    NAME: ClassVar[str] = "orders.confirm"
    CREATES: ClassVar[bool] = False
    EMITS: ClassVar[type] = Confirmed


@dataclass(frozen=True)
class Cancel:
    NAME: ClassVar[str] = "orders.cancel"
    ID: ClassVar[str] = "order_id"
    CREATES: ClassVar[bool] = False
    EMITS: ClassVar[type] = Cancelled
    FAILS: ClassVar[type | None] = None
    order_id: str
    reason: str = ""


@dataclass(frozen=True)
class Charge(Confirm):
    NAME: ClassVar[str] = "payments.charge"
    EMITS: ClassVar[type] = Charged


@dataclass(frozen=True)
class Refund(Charge):
    NAME: ClassVar[str] = "payments.refund"


@dataclass(frozen=True)
class Ship(Charge):
    NAME: ClassVar[str] = "shipping.ship"


@dataclass(frozen=True)
class Recall(Charge):
    NAME: ClassVar[str] = "shipping.recall"


@dataclass(frozen=True)
class Order:
    status: str
    changes: int


def decide(state: Order | None, command: Any) -> Sequence[Any]:
    if state is not None and state.status != "created":
        raise Refused(f"it is {state.status} already")
    match command:
        case Cancel(order_id=id, reason=reason):
            return [Cancelled(id, reason)]
        case Confirm(order_id=id):
            return [Confirmed(id)]
    return [Created(command.order_id)]


def evolve(state: Order | None, event: Any) -> Order:
    return Order(event.NAME.partition(".")[2], state.changes + 1 if state else 1)


ORDER = AggregateType("Order", Order, "order_id", decide, evolve, (Created, Confirmed, Cancelled))
PLACE = Saga(
    "place",
    starts_on=Created,
    steps=[Step(Charge, undo=Refund), Step(Ship, undo=Recall)],
    then=Confirm,
    otherwise=Cancel,
    timeout=0.0,
    attempts=1,
)


def service(event_sourced: bool) -> Service:
    kind = replace(ORDER, event_sourced=event_sourced)

    def handle(command: Any, uow: UnitOfWork) -> None:
        uow.handle(kind, command.order_id, command)

    use_cases = tuple(UseCase(command, handle) for command in (Create, Confirm, Cancel))
    return Service("shop", "orders", aggregates=(kind,), use_cases=use_cases, sagas=(PLACE,))


class Shop:
    """The service at work, and everything that it and its peers have said so far."""

    def __init__(self, folder: Path, of: Service) -> None:
        self.service = of
        self.path = folder / "orders.db"
        self.db = Database(f"sqlite:///{self.path}")
        self.db.submit(migrate).result()
        self.stream: list[Message] = []

    def work(self, what: Any) -> None:
        def run(conn: Connection) -> list[Message]:
            session = Session(conn, self.service.local)
            what(session)
            session.flush()
            rows = conn.execute(select(outbox).order_by(outbox.c.position)).all()
            conn.execute(delete(outbox))
            return [Message.from_json(row.body, row.subject) for row in rows]

        self.stream += self.db.submit(run).result()

    def create(self, id: str) -> None:
        def do(session: Session) -> None:
            unit = UnitOfWork(session, self.service.origin)
            unit.handle(self.service.aggregates[0], id, Create(id))
            unit.complete()

        self.work(do)

    def answer(self, command: Message, outcome: str) -> None:
        """A peer does as `outcome` says: done, refused, or nothing at all until it is given up."""
        if outcome == "silence":
            self.work(lambda session: self.service.orchestrator.overdue(session, command.saga_id))
            return
        reply = Message(
            id=derived_id(command.id, "reply"),
            type="shop.reply.v1",
            source=f"/shop/{command.address.split('.')[2]}",
            subject=command.subject,
            data={"outcome": outcome, "reason": "no", "result": {}},
            address=command.reply_to,
            causation_id=command.id,
            saga=command.saga,
            saga_id=command.saga_id,
            saga_step=command.saga_step,
            saga_phase=command.saga_phase,
        )
        self.stream.append(reply)
        [sagas] = [one for one in self.service.consumers if one.name == "orders-sagas"]
        self.work(lambda session: sagas.handle(session, self.service.origin, reply))

    def kept(self) -> Kept:
        return self.db.submit(lambda conn: keep(self.service, conn)).result()


def redone(shop: Shop, copy: Path, since: int, times: int = 1) -> tuple[Kept, list[Redone]]:
    """The copy after it was brought forward, and how far each time."""
    db = Database(f"sqlite:///{copy}")
    try:

        def work(conn: Connection) -> Redone:
            done = redo(shop.service, shop.stream[since:], conn)
            conn.execute(delete(outbox))
            return done

        counts = [db.submit(work).result() for _ in range(times)]
        return db.submit(lambda conn: keep(shop.service, conn)).result(), counts
    finally:
        db.close()


@settings(max_examples=60, deadline=None)
@given(
    outcomes=st.lists(st.sampled_from(["done", "refused", "silence"]), max_size=10),
    orders=st.integers(1, 3),
    copied_after=st.integers(0, 12),
    event_sourced=st.booleans(),
)
def test_a_copy_of_any_age_becomes_what_was_lost(
    outcomes: list[str], orders: int, copied_after: int, event_sourced: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder), service(event_sourced))
        copy, since, step, answered = Path(folder) / "copy.db", 0, 0, set[str]()
        acts: list[Any] = [lambda n=n: shop.create(f"o{n}") for n in range(orders)]
        while True:
            if step == copied_after:
                sqlite.backup(shop.path, copy)
                since = len(shop.stream)
            step += 1
            if acts:
                acts.pop(0)()
                continue
            asked = [m for m in shop.stream if ".command." in m.address and m.id not in answered]
            if not asked or not outcomes:
                break
            answered.add(asked[0].id)
            # An undo is not refused for ever, and its silence would make the saga stuck.
            outcome = outcomes.pop(0)
            shop.answer(asked[0], "done" if asked[0].saga_phase == "undo" else outcome)
        if not copy.exists():
            sqlite.backup(shop.path, copy)
            since = len(shop.stream)
        lost = shop.kept()
        once, _ = redone(shop, copy, since)
        shop.db.close()
        assert once.states == lost.states
        assert sorted(once.sagas) == sorted(lost.sagas)
        assert sorted(once.steps) == sorted(lost.steps)


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, service(True))
    sqlite.backup(shop.path, tmp_path / "copy.db")
    shop.create("o1")
    for outcome in ("done", "done"):
        shop.answer(shop.stream[-1], outcome)
    kept, (first, second) = redone(shop, tmp_path / "copy.db", 0, times=2)
    assert kept.states["Order"]["o1"][0]["status"] == "confirmed"
    assert [status for _, _, status in kept.sagas] == ["done"]
    assert (first.events, first.sagas, first.asked_again) == (2, 1, 0)
    assert (second.events, second.steps, second.sagas) == (0, 0, 0)
    shop.db.close()


def test_what_a_saga_waits_for_is_asked_once_more(tmp_path: Path) -> None:
    shop = Shop(tmp_path, service(False))
    sqlite.backup(shop.path, tmp_path / "copy.db")
    shop.create("o1")
    shop.answer(shop.stream[-1], "done")
    db = Database(f"sqlite:///{tmp_path}/copy.db")
    done = db.submit(lambda conn: redo(shop.service, shop.stream, conn)).result()
    waiting = db.submit(lambda conn: list(conn.scalars(select(outbox.c.subject)))).result()
    assert done.asked_again == 1
    assert waiting == ["shop.command.shipping.ship"]
    db.close()
    shop.db.close()


def test_a_gap_in_the_stream_is_told(tmp_path: Path) -> None:
    shop = Shop(tmp_path, service(False))
    sqlite.backup(shop.path, tmp_path / "copy.db")
    shop.create("o1")
    for outcome in ("done", "done"):
        shop.answer(shop.stream[-1], outcome)
    shop.stream = [one for one in shop.stream if one.version != 1]
    with pytest.raises(
        RecoveryError, match="Order o1 is at version 0, and the next that the stream has is 2"
    ):
        redone(shop, tmp_path / "copy.db", 0)
    shop.db.close()


async def test_what_was_sent_is_sent_again_in_order_under_its_old_id(db: Database) -> None:
    rows = [
        {"message_id": f"m{n}", "subject": "shop.event.t", "body": "{}", "created_at": 1.0} for n in range(3)
    ]

    def publish(conn: Connection) -> None:
        conn.execute(insert(outbox), rows)
        positions = list(conn.scalars(select(outbox.c.position)))
        keep_sent(conn, positions)
        conn.execute(delete(outbox))

    await db.run(publish)
    assert await db.run(lambda conn: send_again(conn, 9e12)) == 0
    assert await db.run(lambda conn: send_again(conn, 0.0)) == 3
    query = select(outbox.c.message_id).order_by(outbox.c.position)
    assert await db.read(lambda conn: list(conn.scalars(query))) == ["m0", "m1", "m2"]
