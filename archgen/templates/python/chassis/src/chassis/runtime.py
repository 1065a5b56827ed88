"""A running service: its database, its broker, and the tasks that move messages between them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, text

from chassis import bus, dead_letters, metrics, relay, upkeep
from chassis.bus import Bus
from chassis.db import Database
from chassis.errors import Conflict, Unavailable
from chassis.inbox import Attempts, Inbox
from chassis.messages import Message
from chassis.migrate import migrate
from chassis.saga import log as saga_log
from chassis.service import Consumer, Service
from chassis.settings import Settings
from chassis.uow import Session

log = logging.getLogger(__name__)
FETCH = 100
SAGA_LOOK = 0.5
GAUGE_LOOK = 2.0
UPKEEP_LOOK = 60.0


class Runtime:
    """Everything of one process of `service` that has a beginning and an end."""

    def __init__(
        self,
        service: Service,
        settings: Settings,
        *,
        broker: Bus | None = None,
        attempts: Attempts | None = None,
    ) -> None:
        self.service = service
        self.settings = settings
        self.db = Database(settings.database_url)
        self.bus = broker or bus.from_url(settings.broker_url, service.system)
        self.relay = relay.Relay(self.db, self.bus, f"{socket.gethostname()}:{settings.port}")
        self._attempts = attempts
        self._alone = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._consumers: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Bring the schema up to date and set everything going. The broker may come later."""
        await self.db.run(migrate)
        self._tasks = [
            asyncio.create_task(self._connect(), name="connect"),
            asyncio.create_task(self._every(SAGA_LOOK, self._overdue), name="sagas"),
            asyncio.create_task(self._every(GAUGE_LOOK, self._gauges), name="gauges"),
            asyncio.create_task(self._every(UPKEEP_LOOK, self._upkeep), name="upkeep"),
        ]

    async def stop(self) -> None:
        """Finish the batches at hand, publish what they led to, and let go of everything."""
        self._stopping.set()
        await asyncio.gather(*self._consumers, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self.relay.close()
        await self.bus.close()
        await asyncio.to_thread(self.db.close)

    async def transact(self, work: Callable[[Session], Any]) -> Any:
        """Run `work` and write what it did, in one transaction. Raises Conflict after three clashes.

        A clash means that another replica wrote the same aggregate at the same moment; since `work`
        decides anew on what it then reads, running it again is safe. A caller who named the version that
        it wants (`Conflict.expected`) gets that Conflict at once.
        """
        for attempt in range(3):
            try:
                result, session = await self.db.run(lambda conn: _flushed(self._session(conn), work))
            except Conflict as clash:
                if attempt == 2 or clash.expected is not None:
                    raise
                await asyncio.sleep(0.01 * 2**attempt)
                continue
            for hook in session.after_commit:
                hook()
            self.relay.wake()
            return result
        raise AssertionError("unreachable")

    def _session(self, conn: Connection) -> Session:
        return Session(conn, self.service.local)

    async def check_database(self) -> None:
        await self.db.read(lambda conn: conn.execute(text("SELECT 1")).scalar())

    async def check_broker(self) -> None:
        if not self.bus.connected:
            raise Unavailable("the broker is not connected")

    async def _connect(self) -> None:
        """Reach the broker, however long it takes; then consume and relay."""
        delay = 0.1
        while True:
            try:
                await self.bus.connect()
                subscriptions = [
                    (consumer, await self._subscribe(consumer)) for consumer in self.service.consumers
                ]
                break
            except Exception as error:
                log.warning("the broker can't be reached yet", extra={"reason": repr(error)})
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
        self._tasks.append(asyncio.create_task(self.relay.run(), name="relay"))
        for consumer, subscription in subscriptions:
            self._consumers.append(
                asyncio.create_task(self._consume(consumer, subscription), name=consumer.name)
            )
            self._tasks.append(
                asyncio.create_task(self._every(GAUGE_LOOK, self._lag(consumer, subscription)), name="lag")
            )

    async def _subscribe(self, consumer: Consumer) -> bus.Subscription:
        redriven = dead_letters.address(self.service.system, consumer.name)
        return await self.bus.subscribe(consumer.name, (*consumer.addresses, redriven))

    async def _consume(self, consumer: Consumer, subscription: bus.Subscription) -> None:
        origin = self.service.origin

        def handle(session: Session, message: Message) -> None:
            consumer.handle(session, origin, message)

        inbox = Inbox(
            consumer.name, handle, self.db, self._attempts, self._session, self._alone, consumer.foresee
        )
        while not self._stopping.is_set():
            try:
                deliveries = await subscription.fetch(FETCH, 1.0)
                if deliveries:
                    await inbox.take(deliveries)
                    self.relay.wake()
            except Exception as error:
                log.warning("consuming failed", extra={"consumer": consumer.name, "reason": repr(error)})
                await asyncio.sleep(0.5)
        await subscription.close()

    def _lag(self, consumer: Consumer, subscription: bus.Subscription) -> Callable[[], Awaitable[None]]:
        async def measure() -> None:
            waiting = await subscription.lag()
            metrics.consumer_lag.labels(consumer.name).set(waiting)
            if consumer.view:
                # An event that is not with the broker yet has not been seen by the view either.
                unsent = await self.db.read(lambda conn: relay.waiting(conn, consumer.addresses))
                metrics.view_position_lag.labels(consumer.view).set(waiting + unsent)

        return measure

    async def _overdue(self) -> None:
        if not self.service.sagas:
            return
        names = [saga.name for saga in self.service.sagas]
        for id in await self.db.read(lambda conn: saga_log.overdue(conn, names, time.time())):
            try:
                await self.transact(lambda session, id=id: self.service.orchestrator.overdue(session, id))  # type: ignore[misc]
            except Conflict:
                continue  # another replica was faster
            except Exception:
                # One that can't be moved must not hold up those behind it.
                log.exception("a saga that is overdue could not be moved", extra={"saga_id": id})

    async def _gauges(self) -> None:
        pending, oldest = await self.db.read(relay.backlog)
        metrics.outbox_pending.set(pending)
        metrics.outbox_oldest.set(oldest)
        waiting = await self.db.read(dead_letters.waiting)
        for consumer in self.service.consumers:
            metrics.dead_letters_waiting.labels(consumer.name).set(waiting.get(consumer.name, 0))
        if self.service.sagas:
            counts = await self.db.read(saga_log.in_flight)
            for saga in self.service.sagas:
                of_saga = {status: count for (name, status), count in counts.items() if name == saga.name}
                metrics.saga_stuck.labels(saga.name).set(of_saga.get("stuck", 0))
                metrics.saga_in_flight.labels(saga.name).set(sum(of_saga.values()))

    async def _upkeep(self) -> None:
        while await self.db.run(upkeep.forget) >= upkeep.PIECE:
            await asyncio.sleep(0.1)  # others want to write, too

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception as error:
                log.warning("a background task failed", extra={"reason": repr(error)})
            await asyncio.sleep(seconds)


def _flushed(session: Session, work: Callable[[Session], Any]) -> tuple[Any, Session]:
    result = work(session)
    session.flush()
    return result, session
