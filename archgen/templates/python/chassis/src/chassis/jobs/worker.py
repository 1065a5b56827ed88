"""The worker: takes jobs, does them, and holds on to them while it does.

A job that is pure runs in the transaction that marks it as done. One that talks to the world runs
outside, and what it returns is written in that transaction. Either way effect and completion are one
commit, and a worker that is killed before it leaves a job that is ready again once its hold runs out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from pydantic import ValidationError
from sqlalchemy import Connection

from chassis import metrics, tracing
from chassis.db import Database
from chassis.errors import Conflict
from chassis.jobs import queue, schedule
from chassis.jobs.definition import Effect, GiveUp, Job, Pure, Run, Worldly
from chassis.jobs.queue import Held, Lost
from chassis.jsons import decode
from chassis.service import Service
from chassis.uow import Session, UnitOfWork

log = logging.getLogger(__name__)
SLOTS = 32
LEASE = 30.0
IDLE = 0.2  # seconds between looks when there was nothing to do
SCHEDULE_LOOK = 1.0
GAUGE_LOOK = 2.0
FORGET_LOOK = 30.0
CLASHES = 3


class Worker:
    """Does the jobs of `service`, up to `slots` at a time, each held for `lease` seconds at a time."""

    def __init__(self, service: Service, db: Database, *, slots: int = SLOTS, lease: float = LEASE) -> None:
        self.service = service
        self.db = db
        self.slots = slots
        self.lease = lease
        self._jobs = {job.name: job for job in service.jobs}
        # By id and token: after a long pause this worker may find itself with two attempts at one job.
        self._held: dict[tuple[str, str], tuple[Held, asyncio.Task[None]]] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._every(0.0, self._take), name="take"),
            asyncio.create_task(self._every(self.lease / 3, self._hold), name="hold"),
            asyncio.create_task(self._every(SCHEDULE_LOOK, self._schedule), name="schedule"),
            asyncio.create_task(self._every(GAUGE_LOOK, self._gauges), name="gauges"),
            asyncio.create_task(self._every(FORGET_LOOK, self._forget), name="forget"),
        ]

    async def stop(self, patience: float = 10.0) -> None:
        """Take nothing more, finish what is at hand for at most `patience` seconds, hand back the rest."""
        self._stopping = True
        self._wake.set()
        await asyncio.gather(self._tasks[0], return_exceptions=True)
        running = [task for _, task in self._held.values()]
        if running:
            await asyncio.wait(running, timeout=patience)
        rest = list(self._held.values())
        for task in [*self._tasks, *(task for _, task in rest)]:
            task.cancel()
        await asyncio.gather(*self._tasks, *(task for _, task in rest), return_exceptions=True)
        if rest:
            await self.db.run(lambda conn: queue.hand_back(conn, [held for held, _ in rest]))

    async def _take(self) -> None:
        self._wake.clear()
        free = self.slots - len(self._held)
        if free and await self.db.read(queue.work_exists):
            taken, spent = await self.db.run(lambda conn: queue.take(conn, self._jobs, free, self.lease))
            for name in spent:
                metrics.jobs_ended.labels(name, "failed").inc()
            for held in taken:
                metrics.job_attempts.labels(held.name).inc()
                self._held[held.key] = held, asyncio.create_task(self._attempt(held), name=held.name)
            if taken:
                return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE):
                await self._wake.wait()

    async def _attempt(self, held: Held) -> None:
        """One attempt, whatever comes of it."""
        job = self._jobs[held.name]
        began = time.perf_counter()
        outcome = "lost"
        try:
            with self._traced(held):
                outcome = await self._outcome(job, held)
        except Exception as error:
            # Not even the failure could be noted; the hold runs out, and the job is ready again.
            log.warning("a job's end could not be written", extra={"job": job.name}, exc_info=error)
        finally:
            self._held.pop(held.key, None)
            self._wake.set()
            metrics.jobs_ended.labels(job.name, outcome).inc()
            metrics.job_seconds.labels(job.name).observe(time.perf_counter() - began)

    async def _outcome(self, job: Job, held: Held) -> str:
        try:
            await self._do(job, held)
        except Lost:
            log.warning("a job was taken over", extra={"job": job.name, "job_id": held.id})
            return "lost"
        except Exception as error:
            return await self._failed(job, held, error)
        return "done"

    async def _do(self, job: Job, held: Held) -> None:
        try:
            args = decode(job.args, held.args)
        except ValidationError as error:
            raise GiveUp(f"the arguments do not fit: {error}") from error
        if job.worldly:
            async with asyncio.timeout(job.timeout):
                handler = cast(Worldly, job.handler)
                effect = await handler(args, Run(held.id, held.attempt, self.db))
        else:
            pure = cast(Pure, job.handler)

            def effect(uow: UnitOfWork) -> None:
                began = time.monotonic()
                pure(args, uow)
                # It can't be interrupted, so what took too long is at least rolled back.
                if time.monotonic() - began > job.timeout:
                    raise TimeoutError

        for clash in range(CLASHES):
            try:
                session = await self.db.run(lambda conn: self._written(conn, job, held, effect))
                break
            except Conflict:
                # Another process wrote the same aggregate just then; what is read now decides.
                if clash == CLASHES - 1:
                    raise
        for hook in session.after_commit:
            hook()

    def _written(self, conn: Connection, job: Job, held: Held, effect: Effect | None) -> Session:
        """The end of a job and its effect, in one transaction."""
        queue.finish(conn, held, job.keep)
        session = Session(conn, self.service.local)
        if effect is not None:
            origin = replace(
                self.service.origin,
                trace=tracing.inject().get("traceparent", ""),
                correlation_id=held.correlation_id or held.id,
                causation_id=held.id,
            )
            uow = UnitOfWork(session, origin)
            effect(uow)
            uow.complete()
        session.flush()
        return session

    async def _failed(self, job: Job, held: Held, error: Exception) -> str:
        last = held.attempt >= job.attempts or isinstance(error, GiveUp)
        again_in = None if last else job.backoff.wait(held.attempt)
        reason = f"took longer than {job.timeout:g} s" if isinstance(error, TimeoutError) else _text(error)
        details = {"job": job.name, "job_id": held.id, "attempt": held.attempt, "reason": reason}
        log.log(logging.ERROR if last else logging.WARNING, "a job failed", extra=details, exc_info=error)
        await self.db.run(lambda conn: queue.fail(conn, held, reason, again_in))
        return "failed" if last else "retried"

    @contextlib.contextmanager
    def _traced(self, held: Held) -> Iterator[None]:
        parent = tracing.extract(held.trace)
        about = {"job.id": held.id, "job.attempt": str(held.attempt)}
        with (
            tracing.span(f"job {held.name}", attributes=about, parent=parent),
            tracing.correlated(held.correlation_id),
        ):
            yield

    async def _hold(self) -> None:
        """Keep hold of what is being worked on, and stop working on what somebody else took over."""
        held = [job for job, _ in self._held.values()]
        if not held:
            return
        ours = await self.db.run(lambda conn: queue.extend(conn, held, self.lease))
        for job in held:
            if self._jobs[job.name].worldly and job.key not in ours and job.key in self._held:
                found = await self.db.read(lambda conn, id=job.id: queue.find(conn, id))  # type: ignore[misc]
                if found is None or found.token != job.token:
                    self._held[job.key][1].cancel() if job.key in self._held else None

    async def _schedule(self) -> None:
        if any(job.schedule for job in self.service.jobs):
            known = self.service.jobs
            if await self.db.read(lambda conn: schedule.due(conn, known)):
                await self.db.run(lambda conn: schedule.enqueue_due(conn, self.service.name, known))
                self._wake.set()

    async def _gauges(self) -> None:
        counts: dict[tuple[str, str], tuple[int, float]] = {
            (name, status): (count, due) for name, status, count, due in await self.db.read(queue.depth)
        }
        now = time.time()
        for name in self._jobs:
            for status in ("waiting", "ready", "running", "failed"):
                metrics.jobs_queued.labels(name, status).set(counts.get((name, status), (0, 0.0))[0])
            oldest = counts.get((name, "ready"), (0, now))[1]
            metrics.job_oldest.labels(name).set(max(0.0, now - oldest))

    async def _forget(self) -> None:
        await self.db.run(queue.forget)

    async def _every(self, seconds: float, work: Any) -> None:
        while not self._stopping or work != self._take:
            try:
                await work()
            except Exception as error:
                log.warning("the worker could not go on", extra={"reason": repr(error)})
                await asyncio.sleep(max(IDLE, seconds))
                continue
            if seconds:
                await asyncio.sleep(seconds)


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
