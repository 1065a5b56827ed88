"""Does one job for a test, with a real worker on a SQLite file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from chassis.db import Database
from chassis.jobs import queue
from chassis.jobs.definition import JobArgs
from chassis.jobs.worker import Worker
from chassis.migrate import migrate
from chassis.service import Service
from chassis.uow import Session, UnitOfWork


async def perform(
    service: Service,
    args: JobArgs,
    folder: Path,
    *,
    given: Callable[[UnitOfWork], object] = lambda uow: None,
    seconds: float = 20.0,
) -> Any:
    """Do what is `given`, then the job; returns its row once it is done or failed.

    A failure is not tried again. The database stays in `folder`, as test.db. Raises TimeoutError when
    the job did not end within `seconds`.
    """
    jobs = tuple(replace(job, attempts=1) for job in service.jobs)
    db = Database(f"sqlite:///{folder / 'test.db'}")
    await db.run(migrate)

    def enqueue(conn: Any) -> str:
        session = Session(conn)
        uow = UnitOfWork(session, service.origin)
        given(uow)
        id = uow.enqueue(args)
        uow.complete()
        session.flush()
        return id

    id = await db.run(enqueue)
    worker = Worker(replace(service, jobs=jobs), db)
    worker.start()
    try:
        async with asyncio.timeout(seconds):
            while True:
                row = await db.read(lambda conn: queue.find(conn, id))
                if row is not None and row.status in ("done", "failed"):
                    return row
                await asyncio.sleep(0.02)
    finally:
        await worker.stop(1.0)
        db.close()
