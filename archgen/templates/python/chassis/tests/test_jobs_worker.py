"""The worker on both databases: what it does, in which order, how often, and what is left of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs_for_tests import Call, Nightly, Note, Poison, World, done, enqueue, prepare, service, until_ended
from sqlalchemy import select, update

from chassis.db import Database
from chassis.jobs import Backoff, queue, schedule
from chassis.jobs.queue import Lost
from chassis.jobs.worker import Worker
from chassis.service import Service
from chassis.tables import jobs
from chassis.uow import Origin, Session, UnitOfWork


@contextlib.asynccontextmanager
async def working(db: Database, described: Service, **options: Any) -> AsyncIterator[Worker]:
    worker = Worker(described, db, **options)
    worker.start()
    try:
        yield worker
    finally:
        await worker.stop(1.0)


@pytest.fixture(autouse=True)
async def _effects(db: Database) -> None:
    await prepare(db)


async def row(db: Database, id: str) -> Any:
    return await db.read(lambda conn: queue.find(conn, id))


async def test_jobs_are_enqueued_with_the_use_case_or_not_at_all(db: Database) -> None:
    def use_case(conn: Any, fails: bool) -> str:
        session = Session(conn)
        uow = UnitOfWork(session, Origin("shop", "tested"))
        id = uow.enqueue(Note(what="x"))
        uow.complete()
        session.flush()
        if fails:
            raise RuntimeError("rolled back")
        return id

    with pytest.raises(RuntimeError):
        await db.run(lambda conn: use_case(conn, True))
    assert await db.read(queue.listed) == []
    id = await db.run(lambda conn: use_case(conn, False))
    assert [job["id"] for job in await db.read(queue.listed)] == [id]


async def test_every_job_is_done_once_by_two_workers(db: Database) -> None:
    ids = [f"job-{number}" for number in range(60)]
    for id in ids:
        await enqueue(db, id, Note(what=id))
    async with working(db, service(), slots=4), working(db, service(), slots=4):
        assert await until_ended(db, *ids) == ["done"] * 60
    assert sorted(await done(db)) == sorted(ids)


async def test_the_lowest_priority_number_comes_first_then_the_oldest(db: Database) -> None:
    for number, (id, priority) in enumerate((("c", 2), ("d", 2), ("a", 1), ("e", 3), ("b", 1))):
        await enqueue(db, id, Note(what=id), priority=priority, at=1000.0 + number)
    async with working(db, service(), slots=1):
        await until_ended(db, *"abcde")
    assert await done(db) == ["a", "b", "c", "d", "e"]


async def test_a_delayed_job_waits(db: Database) -> None:
    await enqueue(db, "later", Note(what="later"), at=time.time() + 0.7)
    async with working(db, service()):
        await asyncio.sleep(0.3)
        assert (await row(db, "later")).status == "waiting"
        await until_ended(db, "later")


async def test_a_poison_job_fails_after_its_attempts_with_the_reason_and_no_effect(db: Database) -> None:
    await enqueue(db, "p", Poison())
    async with working(db, service()):
        assert await until_ended(db, "p") == ["failed"]
    failed = await row(db, "p")
    assert (failed.attempt, failed.error) == (3, "RuntimeError: it never works")
    assert await done(db) == []


async def test_giving_up_and_arguments_that_do_not_fit_end_at_once(db: Database) -> None:
    await enqueue(db, "hopeless", Poison(hopeless=True))
    await enqueue(db, "wrong", Note(what="x"))
    await db.run(lambda conn: conn.execute(update(jobs).where(jobs.c.id == "wrong").values(args={"no": 1})))
    async with working(db, service()):
        assert await until_ended(db, "hopeless", "wrong") == ["failed", "failed"]
    assert [(await row(db, id)).attempt for id in ("hopeless", "wrong")] == [1, 1]
    assert "do not fit" in (await row(db, "wrong")).error


async def test_a_failed_job_is_redriven_from_its_first_attempt(db: Database) -> None:
    await enqueue(db, "p", Poison())
    broken = service()
    async with working(db, broken):
        await until_ended(db, "p")
    assert await db.run(lambda conn: queue.redrive(conn, "other")) == 0
    assert await db.run(queue.redrive) == 1
    mended = [
        replace(job, handler=lambda args, uow: None) if job.name == "poison" else job for job in broken.jobs
    ]
    async with working(db, replace(broken, jobs=tuple(mended))):
        assert await until_ended(db, "p") == ["done"]
    ended = await row(db, "p")
    assert (ended.attempt, ended.error) == (1, "")


async def test_what_takes_too_long_has_no_effect(db: Database) -> None:
    quick = service()
    impatient = [
        replace(job, timeout=0.1, attempts=1) if job.name in ("note", "call") else job for job in quick.jobs
    ]
    await enqueue(db, "n", Note(what="n", seconds=0.3))
    await enqueue(db, "c", Call(what="c", seconds=30))
    async with working(db, replace(quick, jobs=tuple(impatient))):
        assert await until_ended(db, "n", "c") == ["failed", "failed"]
    assert (await row(db, "n")).error == (await row(db, "c")).error == "took longer than 0.1 s"
    assert await done(db) == []


async def test_a_job_that_outlives_its_lease_is_held_on_to(db: Database) -> None:
    world = World()
    await enqueue(db, "slow", Call(what="slow", seconds=2.5))
    async with working(db, service(world), lease=0.9), working(db, service(world), lease=0.9):
        await until_ended(db, "slow")
    assert world.keys == ["slow"]
    assert await done(db) == ["slow"]


async def test_whose_hold_has_run_out_changes_nothing_any_more(db: Database) -> None:
    known = {job.name: job for job in service().jobs}
    await enqueue(db, "n", Note(what="n"))
    [first], _ = await db.run(lambda conn: queue.take(conn, known, 10, 0.0))
    [second], _ = await db.run(lambda conn: queue.take(conn, known, 10, 60.0))
    assert (first.id, first.attempt, second.attempt) == ("n", 1, 2)
    assert await db.run(lambda conn: queue.extend(conn, [first], 60.0)) == set()
    for end in (
        lambda conn: queue.finish(conn, first, 60.0),
        lambda conn: queue.fail(conn, first, "late", None),
    ):
        with pytest.raises(Lost):
            await db.run(end)
    await db.run(lambda conn: queue.finish(conn, second, 60.0))
    assert (await row(db, "n")).status == "done"


async def test_a_worker_whose_own_hold_ran_out_keeps_hold_of_the_attempt_that_counts(db: Database) -> None:
    """It was frozen, say, and took the job again when it woke, while the first attempt still went on."""
    world = World()
    await enqueue(db, "one", Call(what="one", seconds=1.0))
    worker = Worker(service(world), db, lease=0.9)
    worker.start()
    async with asyncio.timeout(10):
        while len(world.keys) < 2:
            await asyncio.sleep(0.01)
            if len(world.keys) == 1:
                await db.run(lambda conn: conn.execute(update(jobs).values(due_at=0.0)))
        while (counts := await row(db, "one")).status != "done":
            if counts.status == "running" and ("one", counts.token) not in worker._held:
                assert (await row(db, "one")).status == "done", "it ended just then, or nobody holds on to it"
            await asyncio.sleep(0.01)
    await worker.stop()
    assert await done(db) == ["one"]


async def test_a_job_that_takes_its_workers_down_fails_after_its_attempts(db: Database) -> None:
    known = {job.name: job for job in service().jobs}
    await enqueue(db, "killer", Note(what="x"))
    for _ in range(3):
        held, spent = await db.run(lambda conn: queue.take(conn, known, 10, 0.0))
        assert (len(held), spent) == (1, [])
    assert await db.run(lambda conn: queue.take(conn, known, 10, 0.0)) == ([], ["note"])
    failed = await row(db, "killer")
    assert (failed.status, failed.attempt, failed.error) == ("failed", 3, queue.WORKER_LOST)


async def test_a_worker_that_is_told_to_stop_hands_back_what_it_can_not_finish(db: Database) -> None:
    world = World()
    await enqueue(db, "long", Call(what="long", seconds=60))
    worker = Worker(service(world), db)
    worker.start()
    async with asyncio.timeout(10):
        while not world.keys:
            await asyncio.sleep(0.02)
    await worker.stop(0.1)
    left = await row(db, "long")
    assert (left.status, left.attempt) == ("ready", 0)


async def test_done_jobs_are_removed_at_once_or_after_a_while(db: Database) -> None:
    await enqueue(db, "gone", Note(what="gone"))
    async with working(db, service(keep=0.0)):
        async with asyncio.timeout(10):
            while await row(db, "gone"):
                await asyncio.sleep(0.02)
    assert await done(db) == ["gone"]
    await enqueue(db, "kept", Note(what="kept"))
    async with working(db, service(keep=0.5)):
        assert await until_ended(db, "kept") == ["done"]
    assert await db.run(queue.forget) == 0
    await asyncio.sleep(0.6)
    assert await db.run(queue.forget) == 1


async def test_jobs_of_another_version_are_left_for_it(db: Database) -> None:
    described = service()
    await enqueue(db, "n", Note(what="n"))
    async with working(db, replace(described, jobs=described.jobs[1:])):
        await asyncio.sleep(0.5)
    assert (await row(db, "n")).status == "ready"


async def test_each_due_time_is_enqueued_once_whoever_looks_and_however_often(db: Database) -> None:
    known = service(schedule="0 3 * * *").jobs
    begin = datetime(2026, 11, 20, 12, tzinfo=UTC)

    async def look(now: datetime) -> int:
        return await db.run(lambda conn: schedule.enqueue_due(conn, "tested", known, now))

    assert await look(begin) == 0, "a new schedule begins now"
    assert not await db.read(lambda conn: schedule.due(conn, known, begin + timedelta(hours=1)))
    morning = begin + timedelta(hours=15)
    assert sorted(await asyncio.gather(*(look(morning) for _ in range(4)))) == [0, 0, 0, 1]
    assert await look(morning - timedelta(hours=3)) == 0, "a clock that goes back repeats nothing"
    assert await look(begin + timedelta(days=4)) == 3, "what was missed is made up for, one by one"
    due = await db.read(lambda conn: [args["due"] for args in conn.scalars(select(jobs.c.args)).all()])
    assert sorted(due) == [f"2026-11-{day}T03:00:00+00:00" for day in (21, 22, 23, 24)]


async def test_after_a_long_downtime_only_the_last_due_times_are_made_up_for(db: Database) -> None:
    known = service(schedule="* * * * *").jobs
    begin = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for now, count in (
        (begin, 0),
        (begin + timedelta(days=30), schedule.CATCH_UP),
        (begin + timedelta(days=30), 0),
    ):
        assert await db.run(lambda conn, now=now: schedule.enqueue_due(conn, "tested", known, now)) == count  # type: ignore[misc]


async def test_a_scheduled_job_runs(db: Database) -> None:
    described = service(schedule="* * * * *")
    just_before = datetime.now(UTC) - timedelta(minutes=2)
    await db.run(lambda conn: schedule.enqueue_due(conn, "tested", described.jobs, just_before))
    async with working(db, described):
        async with asyncio.timeout(15):
            while len(await done(db)) < 2:
                await asyncio.sleep(0.05)
    assert len(set(await done(db))) == len(await done(db))


def test_nightly_needs_no_arguments_but_its_due_time() -> None:
    assert Nightly().due == ""


@given(st.integers(1, 400), st.floats(0.001, 3600.0), st.sampled_from(("exponential", "fixed")))
def test_the_wait_doubles_within_its_jitter_and_its_bound(failed: int, delay: float, type: Any) -> None:
    backoff = Backoff(type, delay, longest=900.0)
    full = min(delay * 2 ** (failed - 1) if type == "exponential" and failed < 40 else delay, 900.0)
    if type == "exponential" and failed >= 40:
        full = 900.0
    assert full / 2 <= backoff.wait(failed) <= full
