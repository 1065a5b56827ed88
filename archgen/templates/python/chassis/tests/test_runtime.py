"""Services as they run, on a real broker: sagas go through while it dies and comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import insert, select, update

from chassis import runtime as runtimes
from chassis import upkeep
from chassis.db import Database
from chassis.domain import AggregateType, UseCase
from chassis.errors import Refused, Unavailable
from chassis.runtime import Runtime
from chassis.saga import Saga, Step
from chassis.service import Service
from chassis.settings import Settings
from chassis.tables import dead_letters, inbox, outbox, sagas
from chassis.testing.fakes import FakeBus
from chassis.testing.servers import Nats, free_port
from chassis.uow import Origin, Session, UnitOfWork


def event(name: str) -> type[Any]:
    names = {"NAME": name, "__annotations__": {"order_id": "str"}}
    return dataclass(frozen=True)(type(name.replace(".", "_"), (), names))


def command(name: str, emits: type[Any]) -> type[Any]:
    names = {"NAME": name, "ID": "order_id", "CREATES": False, "EMITS": emits, "FAILS": None}
    names["__annotations__"] = {"order_id": "str"}
    return dataclass(frozen=True)(type(name.replace(".", "_"), (), names))


CREATE = command("orders.create", event("order.created"))
CONFIRM = command("orders.confirm", event("order.confirmed"))
CANCEL = command("orders.cancel", event("order.cancelled"))
RESERVE = command("stock.reserve", event("stock.reserved"))
RELEASE = command("stock.release", event("stock.released"))
SHIP = command("stock.ship", event("stock.shipped"))


@dataclass(frozen=True)
class Story:
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    commands: tuple[type[Any], ...]
    name: ClassVar[str] = "thing"

    @property
    def type(self) -> AggregateType[Story]:
        events = tuple(c.EMITS for c in self.commands)
        return AggregateType("thing", Story, "order_id", self._decide, self._evolve, events)

    @property
    def use_cases(self) -> tuple[UseCase, ...]:
        return tuple(UseCase(c, self._handle) for c in self.commands)

    @staticmethod
    def _decide(_: Story | None, command: Any) -> Sequence[Any]:
        if command.NAME == "stock.ship" and command.order_id.endswith("7"):
            raise Refused("no lorry")
        return [command.EMITS(command.order_id)]

    @staticmethod
    def _evolve(state: Story | None, event: Any) -> Story:
        return Story((*(state.told if state else ()), event.NAME))

    def _handle(self, command: Any, unit: UnitOfWork) -> None:
        unit.handle(self.type, command.order_id, command)


PLACE = Saga(
    "place_order",
    CREATE.EMITS,
    [Step(RESERVE, RELEASE), Step(SHIP)],
    then=CONFIRM,
    otherwise=CANCEL,
    timeout=2.0,
    attempts=5,
)
ORDERS_KIND, STOCK_KIND = Kind((CREATE, CONFIRM, CANCEL)), Kind((RESERVE, RELEASE, SHIP))
ORDERS = Service("shop", "orders", (ORDERS_KIND.type,), ORDERS_KIND.use_cases, sagas=(PLACE,))
STOCK = Service("shop", "stock", (STOCK_KIND.type,), STOCK_KIND.use_cases)


def settings(service: Service, database: str, broker: str) -> Settings:
    return Settings.from_env(service.name, env={"DATABASE_URL": database, "BROKER_URL": broker})


@pytest.fixture
def broker() -> Iterator[Nats]:
    with Nats() as server:
        yield server


@pytest.fixture
async def system(url: str, tmp_path: Path, broker: Nats) -> AsyncIterator[tuple[Runtime, ...]]:
    """Two replicas of orders, on either database, and stock on SQLite."""
    stock = f"sqlite:///{tmp_path}/stock.db"
    running = (
        Runtime(ORDERS, settings(ORDERS, url, broker.url)),
        Runtime(ORDERS, replace(settings(ORDERS, url, broker.url), port=8001)),
        Runtime(STOCK, settings(STOCK, stock, broker.url)),
    )
    for runtime in running:
        await runtime.start()
    yield running
    await asyncio.gather(*(runtime.stop() for runtime in running))


async def place(runtime: Runtime, order: str) -> None:
    def work(session: Session) -> None:
        unit = UnitOfWork(session, Origin("shop", "orders"))
        unit.handle(ORDERS_KIND.type, order, CREATE(order))
        unit.complete()

    await runtime.transact(work)


async def statuses(runtime: Runtime) -> list[str]:
    return await runtime.db.read(lambda conn: list(conn.scalars(select(sagas.c.status))))


async def story(runtime: Runtime, order: str) -> tuple[str, ...]:
    kind = runtime.service.aggregates[0]
    held = await runtime.db.read(lambda conn: Session(conn).aggregates.load(kind, order))
    return held.state.told if held.state else ()


async def until_all_ended(runtime: Runtime, count: int, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        now = await statuses(runtime)
        if len(now) == count and set(now) <= {"done", "compensated"}:
            return
        assert time.monotonic() < deadline, now
        await asyncio.sleep(0.05)


async def all_is_well(orders: Runtime, stock: Runtime, names: list[str]) -> None:
    for name in names:
        good = not name.endswith("7")
        assert await story(orders, name) == (
            "order.created",
            "order.confirmed" if good else "order.cancelled",
        )
        expected = ("stock.reserved", "stock.shipped" if good else "stock.released")
        assert await story(stock, name) == expected
    for runtime in (orders, stock):
        assert await runtime.db.read(lambda conn: conn.execute(select(dead_letters)).all()) == []


async def test_sagas_go_through_on_two_replicas(system: tuple[Runtime, ...]) -> None:
    first, second, stock = system
    names = [f"o{number}" for number in range(40)]
    await asyncio.gather(*(place(system[n % 2], name) for n, name in enumerate(names)))
    await until_all_ended(first, 40)
    await all_is_well(second, stock, names)


async def test_sagas_survive_a_broker_that_is_killed_in_between(
    system: tuple[Runtime, ...], broker: Nats
) -> None:
    first, second, stock = system
    names = [f"o{number}" for number in range(60)]
    for start in range(0, 60, 20):
        await asyncio.gather(*(place(first, name) for name in names[start : start + 20]))
        await asyncio.sleep(0.05)
        broker.kill()
        await asyncio.sleep(0.1)
        await asyncio.gather(*(place(second, f"{name}-meanwhile") for name in names[start : start + 5]))
        broker.start()
    await until_all_ended(first, 75, 20.0)
    await all_is_well(first, stock, names)


async def test_a_service_serves_and_stops_without_ever_reaching_its_broker(url: str) -> None:
    runtime = Runtime(ORDERS, settings(ORDERS, url, f"nats://127.0.0.1:{free_port()}"))
    await runtime.start()
    await place(runtime, "o1")
    await runtime.check_database()
    with pytest.raises(Unavailable):
        await runtime.check_broker()
    began = time.monotonic()
    await asyncio.wait_for(runtime.stop(), 10)
    assert time.monotonic() - began < 3
    db = Database(url)
    assert len(await db.read(lambda conn: conn.execute(select(outbox)).all())) == 2, "kept for the next start"
    db.close()


@pytest.fixture
async def idle(url: str) -> AsyncIterator[Runtime]:
    """Orders, started by hand where a test wants it."""
    runtime = Runtime(ORDERS, settings(ORDERS, url, "nats://127.0.0.1:1"), broker=FakeBus())
    yield runtime
    await runtime.stop()


async def test_a_saga_that_cannot_be_moved_holds_up_no_other(
    idle: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        await place(idle, name)
    late = update(sagas).values(deadline=time.time() - 1)
    await idle.db.run(lambda conn: conn.execute(late))
    [broken, *_] = await idle.db.read(lambda conn: list(conn.scalars(select(sagas.c.id))))
    overdue = idle.service.orchestrator.overdue

    def break_one(session: Session, id: str) -> None:
        if id == broken:
            raise ValueError("a bug")
        overdue(session, id)

    monkeypatch.setattr(
        type(idle.service.orchestrator), "overdue", lambda _, session, id: break_one(session, id)
    )
    await idle._overdue()
    query = select(sagas.c.id).where(sagas.c.deadline < time.time())
    assert await idle.db.read(lambda conn: list(conn.scalars(query))) == [broken]


async def test_sagas_that_this_service_no_longer_has_are_left_alone(idle: Runtime) -> None:
    row = {"name": "gone", "status": "running", "version": 1, "state": {}, "deadline": 1.0, "updated_at": 0.0}
    rows = [{**row, "id": f"g{number}"} for number in range(150)]
    await idle.db.run(lambda conn: conn.execute(insert(sagas), rows))
    await place(idle, "a")
    late = update(sagas).where(sagas.c.name == "place_order").values(deadline=2.0)
    await idle.db.run(lambda conn: conn.execute(late))
    await idle._overdue()
    query = select(sagas.c.deadline).where(sagas.c.name == "place_order")
    [deadline] = await idle.db.read(lambda conn: list(conn.scalars(query)))
    assert deadline is not None
    assert deadline > time.time()


async def test_upkeep_goes_on_while_there_is_something_to_forget(
    idle: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "PIECE", 10)
    rows = [{"consumer": "c", "message_id": f"m{n}", "handled_at": 0.0} for n in range(35)]
    await idle.db.run(lambda conn: conn.execute(insert(inbox), rows))
    await idle._upkeep()
    assert await idle.db.read(lambda conn: conn.execute(select(inbox)).all()) == []


async def test_a_background_task_that_fails_is_tried_again(
    idle: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = 0

    async def flaky() -> None:
        nonlocal runs
        runs += 1
        raise OSError("not now")

    task = asyncio.create_task(idle._every(0.01, flaky))
    await asyncio.sleep(0.2)
    task.cancel()
    assert runs > 2
    assert PLACE.timeout > runtimes.SAGA_LOOK
