"""Orchestrator and participants as they are, each with its database, on a network that misbehaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, delete, select
from sqlalchemy.pool import StaticPool

import chassis.idempotency  # noqa: F401 (its table belongs to the metadata)
from chassis.db import Database
from chassis.domain import AggregateType, UseCase
from chassis.errors import Conflict, Refused
from chassis.inbox import record
from chassis.messages import Malformed, Message
from chassis.saga import Saga, Step
from chassis.saga import log as saga_log
from chassis.service import Service
from chassis.tables import metadata, outbox, sagas
from chassis.uow import Origin, Session, UnitOfWork


@dataclass(frozen=True)
class Happened:
    """The base of all events here."""

    order_id: str


def event(name: str) -> type[Happened]:
    return dataclass(frozen=True)(type(name.replace(".", "_"), (Happened,), {"NAME": name}))


def command(name: str, emits: type[Any], creates: bool = False, reason: bool = False) -> type[Any]:
    names: dict[str, Any] = {
        "NAME": name,
        "ID": "order_id",
        "CREATES": creates,
        "EMITS": emits,
        "FAILS": None,
    }
    names["__annotations__"] = {"order_id": "str"} | ({"reason": "str"} if reason else {})
    return dataclass(frozen=True)(type(name.replace(".", "_"), (), names))


@dataclass(frozen=True)
class State:
    last: str
    story: tuple[str, ...] = ()


class Kind:
    """An aggregate that takes commands in turn; `refuses` are orders that a command says no to."""

    refuses: ClassVar[set[tuple[str, str]]] = set()

    def __init__(self, name: str, *commands: type[Any]) -> None:
        self.type = AggregateType(
            name, State, "order_id", self._decide, self._evolve, tuple(c.EMITS for c in commands)
        )
        self.use_cases = tuple(UseCase(c, self._handle) for c in commands)

    def _decide(self, _: State | None, command: Any) -> Sequence[Any]:
        if (command.NAME, command.order_id) in self.refuses:
            raise Refused(f"{command.NAME} is not possible")
        return [command.EMITS(command.order_id)]

    @staticmethod
    def _evolve(state: State | None, event: Any) -> State:
        return State(event.NAME, (*(state.story if state else ()), event.NAME))

    def _handle(self, command: Any, unit: UnitOfWork) -> None:
        unit.handle(self.type, command.order_id, command)


CREATE = command("orders.create", event("order.created"), creates=True)
CONFIRM = command("orders.confirm", event("order.confirmed"))
CANCEL = command("orders.cancel", event("order.cancelled"), reason=True)
CHARGE = command("payments.charge", event("payment.charged"), creates=True)
REFUND = command("payments.refund", event("payment.refunded"))
RESERVE = command("stock.reserve", event("stock.reserved"), creates=True)
RELEASE = command("stock.release", event("stock.released"))

ORDER = Kind("order", CREATE, CONFIRM, CANCEL)
PLACE_ORDER = Saga(
    "place_order",
    CREATE.EMITS,
    [Step(CHARGE, REFUND), Step(RESERVE, RELEASE)],
    then=CONFIRM,
    otherwise=CANCEL,
    timeout=0.0,  # whenever it is looked at, a reply is overdue
    attempts=3,
)


def service(name: str, kind: Kind, *own: Saga) -> Service:
    return Service("shop", name, (kind.type,), kind.use_cases, sagas=own)


ORDERS = service("orders", ORDER, PLACE_ORDER)
PAYMENTS = service("payments", Kind("payment", CHARGE, REFUND))
STOCK = service("stock", Kind("stock", RESERVE, RELEASE))


class Crash(Exception):
    """The process ends before its transaction commits."""


@dataclass
class Node:
    """A service with a database in memory; what it says is taken from its outbox."""

    service: Service
    engine: Engine = field(
        default_factory=lambda: create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
    )

    def __post_init__(self) -> None:
        metadata.drop_all(self.engine)
        metadata.create_all(self.engine)

    def hear(self, message: Message, crash: bool = False) -> list[Message]:
        for consumer in self.service.consumers:
            if message.address not in consumer.addresses:
                continue
            with self.engine.begin() as conn:
                if record(conn, consumer.name, [message.id]):
                    session = Session(conn, self.service.local)
                    consumer.handle(session, self.service.origin, message)
                    session.flush()
                if crash:
                    raise Crash
        return self.said()

    def does(self, work: Any) -> list[Message]:
        with self.engine.begin() as conn:
            session = Session(conn, self.service.local)
            work(session)
            session.flush()
        return self.said()

    def said(self) -> list[Message]:
        with self.engine.begin() as conn:
            rows = conn.execute(select(outbox.c.subject, outbox.c.body).order_by(outbox.c.position)).all()
            conn.execute(delete(outbox))
        return [Message.from_json(row.body, row.subject) for row in rows]

    def overdue(self) -> list[Message]:
        with self.engine.begin() as conn:
            late = saga_log.overdue(conn, ["place_order"], 9e9)
        return [
            m for id in late for m in self.does(lambda s, id=id: self.service.orchestrator.overdue(s, id))
        ]

    def story(self, order: str) -> tuple[str, ...]:
        with self.engine.begin() as conn:
            state = Session(conn).aggregates.load(self.service.aggregates[0], order).state
            return state.story if state else ()

    def saga(self) -> Any:
        with self.engine.begin() as conn:
            [row] = conn.execute(select(sagas)).all()
            return row


class Network:
    """Keeps every message until it is delivered; it may deliver late, twice and in any order."""

    def __init__(self) -> None:
        self.nodes = [Node(ORDERS), Node(PAYMENTS), Node(STOCK)]
        self.orders = self.nodes[0]
        self.waiting: list[Message] = []
        self.charged: list[str] = []

    def place(self, order: str) -> None:
        origin = Origin("shop", "orders", correlation_id="corr", trace="tr")

        def create(session: Session) -> None:
            unit = UnitOfWork(session, origin)
            unit.handle(ORDER.type, order, CREATE(order))
            unit.complete()

        self.waiting += self.orders.does(create)

    def deliver(self, index: int = 0, *, keep: bool = False, crash: bool = False) -> None:
        message = self.waiting[index]
        if not (keep or crash):
            del self.waiting[index]
        for node in self.nodes:
            try:
                self.waiting += node.hear(message, crash)
            except Crash:
                assert crash

    def settle(self) -> None:
        for _ in range(500):
            if self.waiting:
                self.deliver()
            elif self.orders.saga().status == "stuck":
                self.waiting += self.orders.does(
                    lambda session: ORDERS.orchestrator.resume(session, self.orders.saga().id)
                )
            elif self.orders.saga().status in ("done", "compensated"):
                return
            else:
                self.waiting += self.orders.overdue()
        raise AssertionError("it does not end")

    def stories(self, order: str) -> list[tuple[str, ...]]:
        return [node.story(order) for node in self.nodes]


@pytest.fixture(autouse=True)
def _nobody_refuses() -> Iterator[None]:
    yield
    Kind.refuses.clear()


DONE = [("order.created", "order.confirmed"), ("payment.charged",), ("stock.reserved",)]


def test_an_order_goes_through() -> None:
    network = Network()
    network.place("o1")
    network.settle()
    assert network.stories("o1") == DONE
    row = network.orders.saga()
    assert (row.name, row.status, row.deadline) == ("place_order", "done", None)


def test_a_refused_step_is_taken_back_last_first_and_the_order_is_told_why() -> None:
    Kind.refuses.add(("stock.reserve", "o1"))
    network = Network()
    network.place("o1")
    network.settle()
    assert network.stories("o1") == [
        ("order.created", "order.cancelled"), ("payment.charged", "payment.refunded"), ()
    ]  # fmt: skip
    assert network.orders.saga().state["reason"] == "stock.reserve is not possible"


def test_commands_carry_what_a_participant_needs_to_answer() -> None:
    network = Network()
    network.place("o1")
    [asked] = [m for m in network.waiting if m.address == "shop.command.payments.charge"]
    assert (asked.type, asked.source, asked.subject) == ("shop.payments.charge.v1", "/shop/orders", "o1")
    assert (asked.reply_to, asked.saga, asked.saga_step) == (
        "shop.reply.orders",
        "place_order",
        "0.payments.charge",
    )
    assert (asked.saga_phase, asked.correlation_id, asked.trace) == ("do", "corr", "tr")
    assert asked.saga_id == network.orders.saga().id


def test_the_event_that_starts_it_may_come_twice() -> None:
    network = Network()
    network.place("o1")
    [started] = [m for m in network.waiting if m.address == "shop.event.order.created"]
    again = network.orders.does(
        lambda s: ORDERS.orchestrator.start(PLACE_ORDER, s, ORDERS.origin.caused_by(started), started)
    )
    assert again == [], "it goes on where it is"
    network.settle()
    assert network.stories("o1") == DONE
    assert network.orders.saga().status == "done"


def reply(network: Network, **data: Any) -> Message:
    row = network.orders.saga()
    return Message(
        "r1",
        "shop.reply.v1",
        "/shop/payments",
        "o1",
        data,
        address="shop.reply.orders",
        saga="place_order",
        saga_id=row.id,
        saga_step="0.payments.charge",
        saga_phase="do",
    )


@pytest.mark.parametrize(
    "data", [{}, {"outcome": "perhaps"}, {"outcome": True}, {"outcome": "done", "result": [1]}]
)
def test_a_reply_that_says_nothing_is_no_refusal(data: dict[str, Any]) -> None:
    """The step may have been done; were this a refusal, it would not be undone."""
    network = Network()
    network.place("o1")
    with pytest.raises(Malformed):
        network.orders.hear(reply(network, **data))
    assert network.orders.saga().status == "running"


def test_a_reply_for_a_saga_that_nobody_knows_is_passed_over() -> None:
    network = Network()
    network.place("o1")
    before = network.orders.saga()
    done = reply(network, outcome="done")
    for stray in (replace(done, saga_id="x"), replace(done, saga="y"), replace(done, saga_step="9.z")):
        network.orders.said()
        assert (
            network.orders.hear(replace(stray, id=f"r-{stray.saga}-{stray.saga_id}-{stray.saga_step}")) == []
        )
    assert network.orders.saga() == before


async def test_of_two_replicas_that_hear_the_same_one_moves_the_saga(db: Database, url: str) -> None:
    """They hear different replies to the same step at the same moment; one next command goes out."""
    started = Message("e1", "shop.order.created.v1", "/shop/orders", "o1", {"order_id": "o1"})

    def start(conn: Any) -> None:
        session = Session(conn)
        ORDERS.orchestrator.start(PLACE_ORDER, session, ORDERS.origin.caused_by(started), started)
        session.flush()

    await db.run(start)
    engines = [create_engine(url.replace("postgresql:", "postgresql+psycopg:")) for _ in range(2)]
    [id] = await db.read(lambda conn: list(conn.scalars(select(sagas.c.id))))
    heard = Message(
        "r", "shop.reply.v1", "/p", "o1", {"outcome": "done"},
        saga="place_order", saga_id=id, saga_step="0.payments.charge", saga_phase="do",
    )  # fmt: skip
    with engines[0].connect() as first, engines[1].connect() as second:
        ours, theirs = Session(first), Session(second)
        for session in (ours, theirs):
            ORDERS.orchestrator.hear(session, heard)
        theirs.flush()
        second.commit()
        with pytest.raises(Conflict):
            ours.flush()
        first.rollback()
    asked = await db.read(lambda conn: list(conn.scalars(select(outbox.c.subject))))
    assert asked.count("shop.command.stock.reserve") == 1
    for engine in engines:
        engine.dispose()


def test_what_the_owner_is_told_needs_no_broker() -> None:
    network = Network()
    network.place("o1")
    seen = []
    while network.waiting:
        seen.append(network.waiting[0].address)
        network.deliver()
    assert network.orders.saga().status == "done"
    assert "shop.command.orders.confirm" not in seen
    assert "shop.event.order.confirmed" in seen, "but everybody hears the event"


NETWORK = Network()


@settings(max_examples=50, deadline=None)
@given(
    st.sets(st.sampled_from([("payments.charge", "o1"), ("stock.reserve", "o1"), ("orders.confirm", "o1")])),
    st.data(),
)
def test_on_any_network_it_ends_done_or_wholly_taken_back(refuses: set[Any], data: st.DataObject) -> None:
    """Late, twice, in any order, with crashes before the commit and time running out at any moment."""
    Kind.refuses = set(refuses)
    network = NETWORK
    network.waiting.clear()
    for node in network.nodes:
        node.__post_init__()
    network.place("o1")
    for _ in range(data.draw(st.integers(0, 25))):
        if not network.waiting or data.draw(st.integers(0, 3)) == 0:
            network.waiting += network.orders.overdue()
            continue
        index = data.draw(st.integers(0, len(network.waiting) - 1))
        fate = data.draw(st.sampled_from(["arrives", "arrives", "twice", "crash"]))
        network.deliver(index, keep=fate == "twice", crash=fate == "crash")
    network.settle()
    order, payment, stock = network.stories("o1")
    if network.orders.saga().status == "done":
        assert [order, payment, stock] == DONE
        assert not refuses
    else:
        assert order == ("order.created", "order.cancelled")
        assert payment in ((), ("payment.charged", "payment.refunded"))
        assert stock in ((), ("stock.reserved", "stock.released"))
