"""Puts scheduled jobs into the queue: each due time once, from however many workers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from chassis.jobs.definition import Job
from chassis.jobs.queue import Enqueued, write
from chassis.messages import derived_id
from chassis.tables import schedules

log = logging.getLogger(__name__)
# Due times that passed while no worker ran and are still made up for; of more, the last ones.
CATCH_UP = 100


def due(conn: Connection, known: Iterable[Job], now: datetime | None = None) -> bool:
    """Whether `enqueue_due` has something to do; a look that takes no lock."""
    now = now or datetime.now(UTC)
    seen = _seen(conn)
    return any(
        job.name not in seen or job.schedule.latest(now, seen[job.name]) for job in known if job.schedule
    )


def enqueue_due(conn: Connection, service: str, known: Iterable[Job], now: datetime | None = None) -> int:
    """Enqueue a job for every due time since the last look; returns how many.

    How far a schedule has come is a row that is locked here, so a due time belongs to one worker.
    A schedule that is new begins now: it makes up for nothing.
    """
    now = now or datetime.now(UTC)
    count = 0
    for job in known:
        if job.schedule is None:
            continue
        row = select(schedules.c.seen_at).where(schedules.c.name == job.name).with_for_update()
        seen_at = conn.scalar(row)
        if seen_at is None:
            insert = sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert
            conn.execute(
                insert(schedules).values(name=job.name, seen_at=now.timestamp()).on_conflict_do_nothing()
            )
            continue
        times = job.schedule.between(datetime.fromtimestamp(seen_at, UTC), now, CATCH_UP)
        if not times:
            continue
        if len(times) == CATCH_UP:
            log.warning("due times were missed; the oldest may be left out", extra={"job": job.name})
        write(conn, [_scheduled(service, job, time) for time in times])
        seen = update(schedules).where(schedules.c.name == job.name)
        conn.execute(seen.values(seen_at=times[-1].timestamp()))
        count += len(times)
    return count


def _scheduled(service: str, job: Job, time: datetime) -> Enqueued:
    # The id follows from the due time, so the same one could not be in the table twice.
    id = derived_id(service, job.name, time.isoformat())
    return Enqueued(
        id, job.name, {"due": time.isoformat()}, job.args.PRIORITY, time.timestamp(), correlation_id=id
    )


def _seen(conn: Connection) -> Mapping[str, datetime]:
    rows = conn.execute(select(schedules.c.name, schedules.c.seen_at)).all()
    return {row.name: datetime.fromtimestamp(row.seen_at, UTC) for row in rows}
