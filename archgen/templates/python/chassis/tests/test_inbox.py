import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event, insert, select, text
from sqlalchemy.exc import OperationalError

from chassis.db import Database
from chassis.errors import Conflict, Refused
from chassis.inbox import Attempts, Inbox
from chassis.messages import Malformed, Message
from chassis.tables import dead_letters, inbox, outbox
from chassis.testing.fakes import FakeDelivery
from chassis.uow import Session
from chassis.views import Early

QUICK = Attempts(limit=3, patience=5, first=0.1, longest=0.4)


def message(number: int | str, **data: Any) -> Message:
    return Message(f"m{number}", "shop.thing.v1", "/shop/orders", "s", {"n": number, **data})


class Service:
    """A consumer whose handler writes a row per message, and does as the message's data says."""

    def __init__(self, db: Database, consumer: str = "orders-things") -> None:
        self.db = db
        self.handled: list[str] = []
        self.trouble: dict[str, Exception] = {}
        self.inbox = Inbox(consumer, self.handle, db, QUICK)

    def handle(self, session: Session, message: Message) -> None:
        self.handled.append(message.id)
        effect = replace(message, id=f"effect of {message.id}", address="shop.event.x")
        session.outbox.add(effect)
        if message.id in self.trouble:
            raise self.trouble[message.id]

    async def take(self, *messages: Message | bytes, attempt: int = 1) -> list[FakeDelivery]:
        deliveries = [FakeDelivery(one, attempt) for one in messages]
        await self.inbox.take(deliveries)
        return deliveries

    async def effects(self) -> list[str]:
        query = select(outbox.c.message_id).order_by(outbox.c.position)
        found = await self.db.read(lambda conn: list(conn.scalars(query)))
        return [id.removeprefix("effect of ") for id in found]

    async def letters(self) -> Sequence[Any]:
        return await self.db.read(lambda conn: conn.execute(select(dead_letters)).all())

    async def settled(self, *messages: Message) -> list[FakeDelivery]:
        """Deliver again and again, as a broker would, until nothing comes back."""
        waiting, every = [FakeDelivery(one) for one in messages], []
        while waiting:
            await self.inbox.take(waiting)
            every += waiting
            again = [d for d in waiting if d.settled != ["ack"]]
            waiting = [FakeDelivery(d.body, d.attempt + 1, d.address) for d in again]
        return every


@pytest.fixture
def service(db: Database) -> Service:
    return Service(db)


async def test_a_message_takes_effect_and_is_acknowledged(service: Service) -> None:
    [delivery] = await service.take(message(1))
    assert delivery.acked
    assert await service.effects() == ["m1"]


async def test_a_fetch_is_handled_in_its_order(service: Service) -> None:
    numbers = [3, 1, 2, 9, 5]
    deliveries = await service.take(*map(message, numbers))
    assert all(delivery.acked for delivery in deliveries)
    assert await service.effects() == [f"m{n}" for n in numbers]


async def test_nothing_to_take_is_fine(service: Service) -> None:
    assert await service.take() == []


async def test_the_same_message_twice_in_a_fetch_takes_effect_once(service: Service) -> None:
    deliveries = await service.take(message(1), message(2), message(1))
    assert [delivery.acked for delivery in deliveries] == [True] * 3
    assert await service.effects() == ["m1", "m2"]


async def test_the_same_message_in_a_later_fetch_takes_effect_once(service: Service) -> None:
    await service.take(message(1))
    deliveries = await service.take(message(1), message(2))
    assert [delivery.acked for delivery in deliveries] == [True] * 2
    assert await service.effects() == ["m1", "m2"]


async def test_another_consumer_has_its_own_memory(service: Service, db: Database) -> None:
    other = Service(db, "orders-views")
    await service.take(message(1))
    await other.take(message(1))
    assert await service.effects() == ["m1", "m1"]


async def test_a_crash_between_commit_and_ack_has_no_second_effect(service: Service, db: Database) -> None:
    class Crash(BaseException):
        pass

    class Dying(FakeDelivery):
        async def ack(self) -> None:
            raise Crash

    with pytest.raises(Crash):
        await service.inbox.take([Dying(message(1)), FakeDelivery(message(2))])
    assert await service.effects() == ["m1", "m2"], "committed before the first ack"
    restarted = Service(db)
    deliveries = await restarted.take(message(1), message(2), attempt=2)
    assert all(delivery.acked for delivery in deliveries)
    assert restarted.handled == []
    assert await service.effects() == ["m1", "m2"]


async def test_a_crash_before_the_commit_leaves_no_record(
    service: Service, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: Session) -> None:
        raise OSError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "flush", crash)
        [delivery] = await service.take(message(1))
    assert delivery.settled == [QUICK.first]
    assert await db.read(lambda conn: conn.execute(select(inbox)).all()) == []
    [delivery] = await service.take(message(1), attempt=2)
    assert delivery.acked
    assert await service.effects() == ["m1"]


async def test_replicas_that_get_the_same_messages_have_one_effect(url: str) -> None:
    """Each replica has its own connections; messages come to all of them in different orders."""
    replicas = [Service(Database(url)) for _ in range(3)]
    for start in range(0, 60, 20):
        batch = [message(n) for n in range(start, start + 20)]
        orders = [batch, batch[::-1], batch[10:] + batch[:10]]
        taken = await asyncio.gather(*(r.take(*order) for r, order in zip(replicas, orders, strict=True)))
        assert all(delivery.acked for deliveries in taken for delivery in deliveries)
    effects = await replicas[0].effects()
    assert sorted(effects) == sorted(f"m{n}" for n in range(60))
    for replica in replicas:
        replica.db.close()


async def test_a_poison_message_costs_its_neighbours_nothing(service: Service) -> None:
    service.trouble["m20"] = ValueError("boom")
    every = await service.settled(*map(message, range(50)))
    assert sorted(await service.effects()) == sorted(f"m{n}" for n in range(50) if n != 20)
    neighbours = [d for d in every if b'"m20"' not in d.body]
    assert len(neighbours) == 49
    assert all_acked(neighbours)
    poison = [d for d in every if b'"m20"' in d.body]
    assert [d.settled for d in poison] == [[0.1], [0.2], ["ack"]], "tried three times, with growing pauses"
    [letter] = await service.letters()
    assert (letter.consumer, letter.message_id, letter.reason) == ("orders-things", "m20", "ValueError: boom")
    assert letter.body == poison[0].body.decode()
    assert letter.redriven_at is None


def all_acked(deliveries: list[FakeDelivery]) -> bool:
    return all(delivery.acked for delivery in deliveries)


async def test_a_dead_letter_that_comes_again_is_not_tried_and_not_kept_twice(service: Service) -> None:
    service.trouble["m1"] = ValueError("boom")
    await service.settled(message(1))
    tried = len(service.handled)
    [delivery] = await service.take(message(1))
    assert delivery.acked
    assert len(service.handled) == tried
    assert len(await service.letters()) == 1


@pytest.mark.parametrize("error", [Refused("sold out"), Malformed("nothing here handles it")])
async def test_what_retrying_cannot_help_is_given_up_at_once(service: Service, error: Exception) -> None:
    service.trouble["m1"] = error
    [first, second] = await service.take(message(1), message(2))
    assert (first.acked, second.acked) == (True, True)
    [letter] = await service.letters()
    assert str(error) in letter.reason
    assert await service.effects() == ["m2"]


@pytest.mark.parametrize("body", [b"not json", b"\xff\x00\xfe", b"[1]", b'{"specversion":"1.0"}'])
async def test_bytes_that_are_no_message_become_a_dead_letter(service: Service, body: bytes) -> None:
    deliveries = await service.take(message(1), body, message(2))
    assert all_acked(deliveries)
    assert await service.effects() == ["m1", "m2"]
    [letter] = await service.letters()
    assert letter.reason.startswith("malformed: ")
    assert letter.subject == "shop.event.x"


async def test_data_that_a_database_cannot_hold_becomes_a_dead_letter(service: Service, db: Database) -> None:
    """PostgreSQL takes no NUL; neither the message nor its dead letter may be tried for ever."""
    nul = b'{"specversion":"1.0","id":"m1\\u0000","type":"t","source":"/s","data":{}}'
    assert all_acked(await service.take(nul))

    def handle(session: Session, _: Message) -> None:
        session.conn.execute(text("SELECT 1 WHERE '1' = :n"), {"n": "a\x00b"})
        raise ValueError("reason with \x00 and \udcff")

    odd = Inbox("odd", handle, db, Attempts(limit=1))
    delivery = FakeDelivery(message(2))
    await odd.take([delivery])
    assert delivery.acked
    assert len(await service.letters()) == 2


async def test_one_that_came_early_is_tried_again_and_heals(service: Service) -> None:
    service.trouble["m2"] = Early("1 is missing")
    [early] = await service.take(message(2))
    assert early.settled == [0.1]
    await service.take(message(1))
    del service.trouble["m2"]
    [healed] = await service.take(message(2), attempt=2)
    assert healed.acked
    assert await service.effects() == ["m1", "m2"]
    assert await service.letters() == []


@pytest.mark.parametrize("error", [Early("too early"), Conflict("somebody else wrote")])
async def test_order_gets_more_patience_than_faults_but_not_for_ever(
    service: Service, error: Exception
) -> None:
    service.trouble["m1"] = error
    every = await service.settled(message(1))
    assert [d.settled[0] for d in every] == [0.1, 0.2, 0.4, 0.4, "ack"]
    assert len(await service.letters()) == 1


async def test_deliveries_that_were_wasted_do_not_count(service: Service) -> None:
    """After an outage the broker has counted a hundred; the first real failure is still the first."""
    service.trouble["m1"] = Early("its predecessor waits, too")
    [early] = await service.take(message(1), attempt=100)
    assert early.settled == [0.1]
    service.trouble["m1"] = ValueError("a hiccup")
    [failed] = await service.take(message(1), attempt=101)
    assert failed.settled == [0.1]
    del service.trouble["m1"]
    [done] = await service.take(message(1), attempt=102)
    assert done.acked
    assert await service.letters() == []
    assert service.inbox._troubled == {}, "nothing is remembered of what is settled"


async def test_memory_of_failures_is_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.inbox.REMEMBER", 5)
    service.trouble = {f"m{n}": ValueError("boom") for n in range(20)}
    for number in range(20):
        await service.take(message(number))
    assert list(service.inbox._troubled) == [f"m{n}" for n in range(15, 20)]


@pytest.fixture
async def away(url: str) -> AsyncIterator[Any]:
    """Makes the database of `url` unavailable and available again."""
    if url.startswith("sqlite"):
        engine = create_engine(url, isolation_level=None)
        holder = engine.connect()

        async def sqlite(gone: bool) -> None:
            holder.exec_driver_sql("BEGIN IMMEDIATE" if gone else "ROLLBACK")

        yield sqlite
        holder.close()
        engine.dispose()
        return
    template = url.replace("postgresql:", "postgresql+psycopg:").removesuffix("postgres") + "template1"
    admin = create_engine(template, isolation_level="AUTOCOMMIT")

    async def postgresql(gone: bool) -> None:
        with admin.connect() as conn:
            conn.execute(text(f"ALTER DATABASE postgres ALLOW_CONNECTIONS {not gone}"))
            if gone:
                others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'"
                conn.execute(text(others))

    yield postgresql
    admin.dispose()


async def test_while_the_database_is_away_nothing_is_lost_and_nothing_given_up(
    service: Service, db: Database, away: Any
) -> None:
    if db.sqlite:
        await db.run(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout = 20"))
    await away(True)
    began = time.monotonic()
    for attempt in range(1, 11):
        deliveries = await service.take(*map(message, range(50)), attempt=attempt)
        assert all(isinstance(d.settled[0], float) for d in deliveries), "each is to come again"
    assert time.monotonic() - began < 5, "it is asked once per fetch, not once per message"
    await away(False)
    assert all_acked(await service.take(*map(message, range(50)), attempt=11))
    assert len(await service.effects()) == 50
    assert await service.letters() == []


async def test_a_dead_letter_that_cannot_be_written_keeps_the_message(
    service: Service, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.trouble["m1"] = Refused("no")

    def broken(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("gone"))

    with monkeypatch.context() as patch:
        patch.setattr("chassis.inbox.insert", broken)
        [delivery] = await service.take(message(1))
    assert delivery.settled == [QUICK.longest]
    [delivery] = await service.take(message(1), attempt=2)
    assert delivery.acked
    assert len(await service.letters()) == 1


async def test_hooks_run_after_the_commit_and_only_then(db: Database) -> None:
    seen: list[object] = []

    def handle(session: Session, message: Message) -> None:
        session.conn.execute(insert(outbox), {"message_id": "x", "subject": "", "body": "", "created_at": 0})
        session.after_commit.append(lambda: seen.append(threading.get_ident()))
        if message.id == "m1":
            raise ValueError("boom")

    box = Inbox("c", handle, db, QUICK)
    await box.take([FakeDelivery(message(1))])
    assert seen == []
    await box.take([FakeDelivery(message(2))])
    assert len(seen) == 1


async def test_a_fetch_costs_a_fixed_number_of_statements(db: Database) -> None:
    """One for the records and one for the outbox, however many messages there are."""
    statements: list[str] = []
    service = Service(db)

    def note(_c: Connection, _cursor: Any, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    await service.take(*map(message, range(50)))
    counted = [s for s in statements if not s.startswith(("BEGIN", "PRAGMA"))]
    assert len(counted) == 2, counted
