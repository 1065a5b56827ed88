"""Job queues under one interface, each in a process of its own: `enqueue` some jobs, or `work` until killed.

A job waits a little, writes one row durably, and waits a little again. What the row costs is the same for
all; what differs is whether the queue's own record of the job commits with it. Run in an environment with
the chassis and the libraries; `benchmarks.jobs` makes one.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

LOCAL = threading.local()
LEASE = 5.0  # seconds until a killed worker is missed, where that can be set
SQL = "INSERT INTO effects (job, at) VALUES ({0}, {0})"
TABLE = "CREATE TABLE IF NOT EXISTS effects (job INTEGER, at DOUBLE PRECISION)"


@dataclass(frozen=True)
class Place:
    """Where a contender keeps its data: a folder, and the address of a server if it needs one."""

    folder: Path
    url: str
    slots: int

    def effect(self, job: int) -> None:
        """One durable row in the application's database, committed by itself."""
        if self.url.startswith("postgres"):
            _postgres(self.url).execute(SQL.format("%s"), (job, time.time()))
        else:
            _sqlite(self.folder / "effects.db").execute(SQL.format("?"), (job, time.time()))


def _sqlite(path: Path) -> sqlite3.Connection:
    if not hasattr(LOCAL, "sqlite"):
        LOCAL.sqlite = sqlite3.connect(path, timeout=30, isolation_level=None)
        LOCAL.sqlite.execute("PRAGMA journal_mode = WAL")
        LOCAL.sqlite.execute("PRAGMA synchronous = FULL")
        LOCAL.sqlite.execute(TABLE)
    return LOCAL.sqlite  # type: ignore[no-any-return]


def _postgres(url: str) -> Any:
    import psycopg

    if not hasattr(LOCAL, "postgres"):
        LOCAL.postgres = psycopg.connect(url, autocommit=True)
    return LOCAL.postgres


def slow(place: Place, job: int, before: float, after: float) -> None:
    pause(before)
    place.effect(job)
    pause(after)


def counted(count: int) -> Iterator[int]:
    """The jobs to enqueue; in the end, prints how many seconds that took."""
    began = time.perf_counter()
    yield from range(count)
    print(time.perf_counter() - began, flush=True)


def pause(seconds: float) -> None:
    if seconds:  # even sleeping for nothing gives up the processor
        time.sleep(seconds)


def own(place: Place, role: str, count: int, before: float, after: float) -> None:
    """The chassis: table and effect in one database, effect and completion in one transaction."""
    from dataclasses import dataclass

    from chassis.db import Database
    from chassis.jobs import Effect, Job, Run
    from chassis.jobs.worker import Worker
    from chassis.migrate import migrate
    from chassis.service import Service
    from chassis.uow import Origin, Session, UnitOfWork

    @dataclass(frozen=True, kw_only=True)
    class Bench:
        NAME: ClassVar[str] = "bench"
        PRIORITY: ClassVar[int] = 2
        job: int
        before: float
        after: float

    mark = "?" if not place.url.startswith("postgres") else "%s"

    def effect(uow: UnitOfWork, args: Bench) -> None:
        uow._session.conn.exec_driver_sql(SQL.format(mark), (args.job, time.time()))
        pause(args.after)

    async def worldly(args: Bench, run: Run) -> Effect:
        await asyncio.sleep(args.before)
        return lambda uow: effect(uow, args)

    def pure(args: Bench, uow: UnitOfWork) -> None:
        effect(uow, args)

    handler = worldly if before else pure
    service = Service("bench", "bench", jobs=(Job(Bench, handler, keep=0.0),))
    db = Database(place.url or f"sqlite:///{place.folder / 'effects.db'}")

    def one(conn: Any, job: int) -> None:
        session = Session(conn)
        uow = UnitOfWork(session, Origin("bench", "bench"))
        uow.enqueue(Bench(job=job, before=before, after=after))
        uow.complete()
        session.flush()

    async def run() -> None:
        await db.run(migrate)
        await db.run(lambda conn: conn.exec_driver_sql(TABLE))
        if role == "enqueue":
            for job in counted(count):
                await db.run(lambda conn, job=job: one(conn, job))  # type: ignore[misc]
            return
        Worker(service, db, slots=place.slots, lease=LEASE).start()
        await asyncio.Event().wait()

    asyncio.run(run())


def procrastinate(place: Place, role: str, count: int, before: float, after: float) -> None:
    """PostgreSQL only. A job whose worker is gone is found by a look that its user has to write."""
    from procrastinate import App, PsycopgConnector

    app = App(connector=PsycopgConnector(conninfo=place.url))

    @app.task(name="bench", queue="bench")
    def bench(job: int, before: float, after: float) -> None:
        slow(place, job, before, after)

    async def rescue() -> None:
        while True:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LEASE):
                await app.job_manager.retry_job(job)
            await asyncio.sleep(0.5)

    async def run() -> None:
        async with app.open_async():
            if role == "enqueue":
                if not await app.check_connection_async():  # says whether the schema is there
                    await app.schema_manager.apply_schema_async()
                for job in counted(count):
                    await bench.defer_async(job=job, before=before, after=after)
                return
            rescuer = asyncio.create_task(rescue())
            await app.run_worker_async(
                queues=["bench"],
                concurrency=place.slots,
                fetch_job_polling_interval=0.2,
                update_heartbeat_interval=1.0,
                delete_jobs="successful",
            )
            rescuer.cancel()

    if role == "enqueue":
        _postgres(place.url).execute(TABLE)
    asyncio.run(run())


def huey(place: Place, role: str, count: int, before: float, after: float) -> None:
    """SQLite. A job leaves the queue when a worker takes it."""
    from huey import SqliteHuey

    queue = SqliteHuey("bench", filename=str(place.folder / "huey.db"), fsync=True, results=False)

    @queue.task()  # type: ignore[untyped-decorator]
    def bench(job: int, before: float, after: float) -> None:
        slow(place, job, before, after)

    if role == "enqueue":
        _sqlite(place.folder / "effects.db")
        for job in counted(count):
            bench(job, before, after)
        return
    queue.create_consumer(workers=place.slots, initial_delay=0.02, max_delay=0.2, periodic=False).run()


def taskiq(place: Place, role: str, count: int, before: float, after: float) -> None:
    """taskiq on JetStream, in its receiver's process; enqueuing waits for the broker's acknowledgement."""
    from nats.js.api import ConsumerConfig
    from taskiq.api import run_receiver_task
    from taskiq_nats import PullBasedJetStreamBroker

    config = ConsumerConfig(durable_name="bench", ack_wait=LEASE)
    broker = PullBasedJetStreamBroker(
        servers=[place.url],
        subject="bench",
        stream_name="bench",
        durable="bench",
        pull_consume_batch=place.slots,
        consumer_config=config,
    )

    @broker.task(task_name="bench")
    def bench(job: int, before: float, after: float) -> None:
        slow(place, job, before, after)

    async def run() -> None:
        broker.is_worker_process = role == "work"
        await broker.startup()
        if role == "enqueue":
            _sqlite(place.folder / "effects.db")
            for job in counted(count):
                await bench.kiq(job, before, after)
            await broker.shutdown()
            return
        await run_receiver_task(broker, sync_workers=place.slots, max_async_tasks=place.slots)

    asyncio.run(run())


def dbos(place: Place, role: str, count: int, before: float, after: float) -> None:
    """DBOS queues: a job is a workflow of one step, recovered when its executor starts again."""
    from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions

    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": place.url or f"sqlite:///{place.folder}/dbos.db",
        "log_level": "ERROR",
        "run_admin_server": False,
        "application_version": "1",
    }
    DBOS(config=config)

    @DBOS.workflow()
    def bench(job: int, before: float, after: float) -> None:
        slow(place, job, before, after)

    DBOS.launch()
    DBOS.register_queue("bench", worker_concurrency=place.slots, polling_interval_sec=0.2)
    if role == "work":
        threading.Event().wait()
    DBOS.destroy()  # it made the schema; whoever only enqueues is a client
    _sqlite(place.folder / "effects.db")
    client = DBOSClient(system_database_url=str(config["system_database_url"]))
    options: EnqueueOptions = {"queue_name": "bench", "workflow_name": bench.__qualname__, "app_version": "1"}
    for job in counted(count):
        client.enqueue(options, job, before, after)


CONTENDERS: dict[str, Callable[[Place, str, int, float, float], None]] = {
    each.__name__: each for each in (own, procrastinate, huey, taskiq, dbos)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("role", choices=("enqueue", "work"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--url", default="")
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--before", type=float, default=0.0)
    parser.add_argument("--after", type=float, default=0.0)
    options = parser.parse_args()
    place = Place(options.folder, options.url, options.slots)
    CONTENDERS[options.contender](place, options.role, options.count, options.before, options.after)


if __name__ == "__main__":
    main()
