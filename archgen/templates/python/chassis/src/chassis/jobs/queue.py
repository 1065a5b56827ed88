"""The queue as a table: what is enqueued, taken, done, failed and tried again.

A row is `waiting` (for its time), `ready`, `running`, `done` or `failed`. Its `due_at` is when it has to
be looked at next: waiting until, ready since, held until, removed after.

Whoever takes a job writes a token of its own into the row. From then on every statement about the job
asks for that token, so a worker that was away for too long, and whose job another one has taken over,
changes nothing any more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from chassis import clock
from chassis.db import parameters
from chassis.jobs.definition import Job
from chassis.tables import jobs

PROMOTED = 500
ERROR_LENGTH = 2000
WORKER_LOST = "its worker ended, or lost hold of it, during this attempt"
_READY = select(jobs).where(jobs.c.status == "ready").order_by(jobs.c.priority, jobs.c.due_at)
# What a worker says about a job it holds; on PostgreSQL the row is then locked until the commit.
_MINE = (jobs.c.id == bindparam("job")) & (jobs.c.token == bindparam("held"))
# Built once: building takes longer than running, and these run for every job.
_DONE = (
    update(jobs)
    .where(_MINE)
    .values(status="done", token="", error="", due_at=bindparam("until"), finished_at=bindparam("now"))
)
_REMOVED = delete(jobs).where(_MINE)
_HELD = select(jobs.c.id, jobs.c.token).with_for_update(skip_locked=True)


class Lost(Exception):
    """The job is no longer this worker's: its hold had run out and the job was taken over."""


@dataclass(frozen=True)
class Held:
    """A job as the worker that took it knows it; `attempt` counts from 1."""

    id: str
    name: str
    args: dict[str, Any]
    attempt: int
    token: str
    trace: str
    correlation_id: str

    @property
    def key(self) -> tuple[str, str]:
        """What tells this attempt from every other one."""
        return self.id, self.token


@dataclass(frozen=True)
class Enqueued:
    """A job to be written; `at` is when it may start, in seconds since the epoch."""

    id: str
    name: str
    args: dict[str, Any]
    priority: int
    at: float
    trace: str = ""
    correlation_id: str = ""


class JobQueue:
    """Collects the jobs of one transaction and writes them in one statement."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._added: list[Enqueued] = []

    def add(self, job: Enqueued) -> None:
        self._added.append(job)

    def flush(self) -> None:
        if self._added:
            write(self._conn, self._added)
            self._added = []


def write(conn: Connection, added: Iterable[Enqueued]) -> None:
    """Enqueue, as part of the transaction of `conn`."""
    now = time.time()
    rows = [
        {
            "id": job.id,
            "name": job.name,
            "args": job.args,
            "priority": job.priority,
            "status": "waiting" if job.at > now else "ready",
            "due_at": job.at,
            "attempt": 0,
            "token": "",
            "error": "",
            "trace": job.trace,
            "correlation_id": job.correlation_id,
            "enqueued_at": now,
        }
        for job in added
    ]
    if rows:
        conn.execute(insert(jobs), parameters(rows))


def work_exists(conn: Connection) -> bool:
    """Whether `take` may find something; a look that takes no lock."""
    now = clock.now(conn)
    ready = select(jobs.c.id).where(jobs.c.status == "ready").limit(1)
    due = select(jobs.c.id).where(jobs.c.status.in_(("waiting", "running")), jobs.c.due_at <= now).limit(1)
    return conn.execute(ready).first() is not None or conn.execute(due).first() is not None


def take(
    conn: Connection, known: Mapping[str, Job], limit: int, lease: float
) -> tuple[list[Held], list[str]]:
    """Take up to `limit` jobs, by priority and then by age, and hold them for `lease` seconds.

    The attempt is counted here, before it begins: a job that takes its worker down with it counts
    as well. The second list names the jobs that failed that way for the last time.
    """
    _promote(conn)
    ready = _READY.where(jobs.c.name.in_(known)).limit(limit).with_for_update(skip_locked=True)
    rows = conn.execute(ready).all()
    spent = [row for row in rows if row.attempt >= known[row.name].attempts]
    if spent:
        conn.execute(update(jobs).where(jobs.c.id.in_([row.id for row in spent])).values(status="failed"))
    taken = [row for row in rows if row.attempt < known[row.name].attempts]
    token = str(uuid4())
    if taken:
        conn.execute(
            update(jobs)
            .where(jobs.c.id.in_([row.id for row in taken]))
            .values(status="running", token=token, attempt=jobs.c.attempt + 1, due_at=clock.now(conn) + lease)
        )
    held = [
        Held(row.id, row.name, row.args, row.attempt + 1, token, row.trace, row.correlation_id)
        for row in taken
    ]
    return held, [row.name for row in spent]


def _promote(conn: Connection) -> None:
    """What has waited long enough is ready, and so is what a worker held and did not finish."""
    now = clock.now(conn)
    for status, change in (("waiting", {}), ("running", {"token": "", "error": WORKER_LOST})):
        due = select(jobs.c.id).where(jobs.c.status == status, jobs.c.due_at <= now).order_by(jobs.c.due_at)
        ids = conn.scalars(due.limit(PROMOTED).with_for_update(skip_locked=True)).all()
        if ids:
            conn.execute(update(jobs).where(jobs.c.id.in_(ids)).values(status="ready", **change))


def extend(conn: Connection, held: Sequence[Held], lease: float) -> set[tuple[str, str]]:
    """Hold these for `lease` seconds from now; returns id and token of those that are still ours.

    One that is being finished in another transaction right now is not among them.
    """
    tokens = {job.token for job in held}
    mine = (jobs.c.id.in_([job.id for job in held]), jobs.c.token.in_(tokens))
    ours = {(row.id, row.token) for row in conn.execute(_HELD.where(*mine)).all()}
    if ours:
        ids = [id for id, _ in ours]
        conn.execute(update(jobs).where(jobs.c.id.in_(ids)).values(due_at=clock.now(conn) + lease))
    return ours


def finish(conn: Connection, held: Held, keep: float) -> None:
    """Mark as done, before the effect and in its transaction. Raises Lost when the job is not ours.

    The row stays locked until the commit, so nobody takes the job over meanwhile.
    """
    mine = {"job": held.id, "held": held.token}
    now = time.time()
    ended = (
        conn.execute(_DONE, {**mine, "until": now + keep, "now": now})
        if keep
        else conn.execute(_REMOVED, mine)
    )
    if ended.rowcount != 1:
        raise Lost(f"job {held.id} was taken over")


def fail(conn: Connection, held: Held, reason: str, again_in: float | None) -> None:
    """Note a failed attempt; `again_in` is the wait before the next, None for the end. Raises Lost."""
    now = time.time()
    next_state = (
        {"status": "failed", "due_at": now, "finished_at": now}
        if again_in is None
        else {"status": "waiting", "due_at": now + again_in}
    )
    change = update(jobs).values(token="", error=reason[:ERROR_LENGTH].replace("\x00", ""), **next_state)
    if conn.execute(change.where(_MINE), {"job": held.id, "held": held.token}).rowcount != 1:
        raise Lost(f"job {held.id} was taken over")


def hand_back(conn: Connection, held: Iterable[Held]) -> None:
    """Let go of jobs without counting the attempt: the worker is told to stop, they did nothing wrong."""
    back = update(jobs).values(status="ready", token="", attempt=jobs.c.attempt - 1, due_at=time.time())
    for job in held:
        conn.execute(back.where(_MINE), {"job": job.id, "held": job.token})


def find(conn: Connection, id: str) -> Any | None:
    """The row of a job; None when there is none, or none any more."""
    return conn.execute(select(jobs).where(jobs.c.id == id)).one_or_none()


def listed(conn: Connection, status: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """The newest jobs, all or of one status."""
    query = select(jobs).order_by(jobs.c.enqueued_at.desc()).limit(limit)
    return [
        dict(row)
        for row in conn.execute(query.where(jobs.c.status == status) if status else query).mappings()
    ]


def redrive(conn: Connection, id: str = "") -> int:
    """Try failed jobs again from their first attempt, all or the one of that id; returns how many."""
    failed = update(jobs).where(jobs.c.status == "failed")
    again = failed.values(status="ready", attempt=0, error="", due_at=time.time(), finished_at=None)
    return conn.execute(again.where(jobs.c.id == id) if id else again).rowcount


def depth(conn: Connection) -> list[tuple[str, str, int, float]]:
    """Job, status, how many, and the earliest `due_at` among them; those that are done left out."""
    query = select(jobs.c.name, jobs.c.status, func.count(), func.min(jobs.c.due_at))
    query = query.where(jobs.c.status.in_(("waiting", "ready", "running", "failed")))
    return [tuple(row) for row in conn.execute(query.group_by(jobs.c.name, jobs.c.status)).all()]


def forget(conn: Connection, limit: int = 5_000) -> int:
    """Remove jobs that were done long enough ago, at most `limit`; returns how many."""
    old = select(jobs.c.id).where(jobs.c.status == "done", jobs.c.due_at <= time.time()).limit(limit)
    return conn.execute(delete(jobs).where(jobs.c.id.in_(old))).rowcount
