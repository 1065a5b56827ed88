"""Workers as processes, killed or frozen in the middle of a job: nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from jobs_for_tests import Call, Note, done, enqueue, prepare, until_ended
from sqlalchemy import create_engine, func, insert, select
from sqlalchemy.exc import OperationalError

from chassis.db import Database
from chassis.jobs import queue
from chassis.tables import jobs, schedules
from chassis.testing.servers import free_port

NEVER, EVERY_MINUTE = "0 0 30 2 *", "* * * * *"
Start = Callable[..., tuple[subprocess.Popen[bytes], int]]


@pytest.fixture(autouse=True)
async def _effects(db: Database) -> None:
    await prepare(db)


@pytest.fixture
def start(url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker process on the test's database, and says its port; all are ended afterwards."""
    started: list[subprocess.Popen[bytes]] = []
    here = Path(__file__).parent

    def begin(nightly: str = NEVER) -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        settings = {"DATABASE_URL": url, "PORT": str(port), "JOB_LEASE_SECONDS": "1", "JOB_SLOTS": "4"}
        settings["NIGHTLY"] = nightly
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(here / "jobs_process_for_tests.py")],
                env={**os.environ, **settings, "PYTHONPATH": f"{here.parent / 'src'}{os.pathsep}{here}"},
                stdout=log,
                stderr=log,
            )
        started.append(process)
        return process, port

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


async def running(db: Database, count: int, patience: float = 30.0) -> None:
    """Return once so many jobs are running at the same time."""
    query = select(func.count()).where(jobs.c.status == "running")
    async with asyncio.timeout(patience):
        while (await db.read(lambda conn: conn.scalar(query)) or 0) < count:
            await asyncio.sleep(0.02)


async def freeze(process: subprocess.Popen[bytes], url: str) -> None:
    """Stop a process where it holds no lock: what it holds, nobody else gets before it goes on."""
    for _ in range(100):
        process.send_signal(signal.SIGSTOP)
        if await asyncio.to_thread(_nothing_is_locked, url):
            return
        process.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.01)
    raise AssertionError("the process holds a lock whenever it is stopped")


def _nothing_is_locked(url: str) -> bool:
    """Whether somebody else could change the jobs right now."""
    sqlite = url.startswith("sqlite:")
    options = {"connect_args": {"timeout": 0.05}} if sqlite else {}
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), **options)
    try:
        with engine.connect() as conn:
            if sqlite:
                conn.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                conn.execute(select(jobs.c.id).with_for_update(nowait=True))
            conn.rollback()
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return True


async def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_repeats_nothing(
    db: Database, start: Start
) -> None:
    ids = [f"job-{number}" for number in range(12)]
    for number, id in enumerate(ids):
        await enqueue(db, id, (Call if number % 2 else Note)(what=id, seconds=0.2))
    for _ in range(2):
        worker, _ = start()
        await running(db, 2)
        worker.kill()
        worker.wait()
    start()
    assert await until_ended(db, *ids, patience=40) == ["done"] * len(ids)
    assert sorted(await done(db)) == sorted(ids)


async def test_a_worker_that_was_frozen_and_wakes_up_does_not_do_again_what_was_taken_over(
    db: Database, start: Start, url: str
) -> None:
    await enqueue(db, "one", Call(what="one", seconds=1.0))
    first, _ = start()
    await running(db, 1)
    await freeze(first, url)
    start()
    await until_ended(db, "one", patience=40)
    first.send_signal(signal.SIGCONT)
    await asyncio.sleep(2.0)
    assert await done(db) == ["one"]
    taken = await db.read(lambda conn: queue.find(conn, "one"))
    assert taken is not None
    assert (taken.status, taken.attempt) == ("done", 2)


async def test_due_times_that_passed_while_no_worker_ran_are_made_up_for_once_by_two(
    db: Database, start: Start
) -> None:
    # The job is due every minute, and was last seen to a little more than three minutes ago.
    now = time.time()
    await db.run(lambda conn: conn.execute(insert(schedules).values(name="nightly", seen_at=now - 185)))
    start(EVERY_MINUTE)
    start(EVERY_MINUTE)
    async with asyncio.timeout(40):
        while len(await done(db)) < 3:
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.5)
    found = [datetime.fromisoformat(due).replace(tzinfo=UTC) for due in await done(db)]
    assert len(found) == len(set(found)) >= 3
    assert {due.second for due in found} == {0}


async def test_a_worker_tells_how_it_is_and_stops_in_good_order(db: Database, start: Start) -> None:
    process, port = start()
    await enqueue(db, "n", Note(what="n"))
    await until_ended(db, "n", patience=40)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert (await client.get("/health/ready")).json()["status"] == "ready"
        told = (await client.get("/metrics")).text
    assert 'jobs_ended_total{job="note",outcome="done"} 1.0' in told
    assert 'job_attempts_total{job="note"} 1.0' in told
    process.terminate()
    assert await asyncio.to_thread(process.wait, 20) == 0
