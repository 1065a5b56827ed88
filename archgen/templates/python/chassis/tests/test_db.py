import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from chassis.db import GROUP, Database, unavailable
from chassis.testing.servers import Postgres


@contextlib.asynccontextmanager
async def held_up(db: Database, writers: int = 1) -> AsyncIterator[None]:
    """Inside, every thread that writes is busy, so that what is submitted queues."""
    go = threading.Event()
    busy = [asyncio.ensure_future(db.run(lambda _: go.wait(10))) for _ in range(writers)]
    await asyncio.sleep(0.05)
    yield
    go.set()
    await asyncio.gather(*busy)


def put(number: int) -> Callable[[Connection], int]:
    def work(conn: Connection) -> int:
        conn.execute(text("INSERT INTO notes VALUES (:n)"), {"n": number})
        return number

    return work


def put_and_fail(number: int) -> Callable[[Connection], int]:
    def work(conn: Connection) -> int:
        put(number)(conn)
        raise ValueError(f"no {number}")

    return work


def notes(conn: Connection) -> list[int]:
    return list(conn.scalars(text("SELECT n FROM notes ORDER BY n")))


def create(conn: Connection) -> None:
    conn.execute(text("DROP TABLE IF EXISTS notes"))
    conn.execute(text("CREATE TABLE notes (n INTEGER PRIMARY KEY)"))


@pytest.fixture
async def db(db: Database) -> Database:
    await db.run(create)
    return db


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    db = Database(f"sqlite:///{tmp_path}/only.db")
    await db.run(create)
    yield db
    db.close()


async def test_what_run_returned_for_is_there_for_everybody_else(db: Database, url: str) -> None:
    assert await db.run(put(1)) == 1
    other = Database(url)
    assert await other.read(notes) == [1]
    other.close()


async def test_a_unit_that_raises_leaves_nothing(db: Database) -> None:
    with pytest.raises(ValueError, match="no 1"):
        await db.run(put_and_fail(1))
    assert await db.read(notes) == []


async def test_of_many_at_once_only_the_failing_ones_are_lost(db: Database) -> None:
    """On SQLite they share commits, and still each gets its own answer."""
    units = [put_and_fail(n) if n % 25 == 7 else put(n) for n in range(100)]
    results = await asyncio.gather(*(db.run(unit) for unit in units), return_exceptions=True)
    for number, result in enumerate(results):
        if number % 25 == 7:
            assert isinstance(result, ValueError), str(result)
        else:
            assert result == number
    assert await db.read(notes) == [n for n in range(100) if n % 25 != 7]


async def test_a_statement_that_fails_costs_only_its_unit(db: Database) -> None:
    await db.run(put(5))
    results = await asyncio.gather(*(db.run(put(n)) for n in range(10)), return_exceptions=True)
    assert [type(r) for r in results] == [IntegrityError if n == 5 else int for n in range(10)]
    assert await db.read(notes) == list(range(10))


async def test_units_that_wait_together_share_a_commit(sqlite: Database) -> None:
    """The writer is held up until all have queued; then it commits them in groups."""
    commits: list[str] = []
    event.listen(sqlite.engine, "commit", lambda _: commits.append("commit"))
    async with held_up(sqlite):
        units = [asyncio.ensure_future(sqlite.run(put(n))) for n in range(2 * GROUP)]
        await asyncio.sleep(0.05)
    await asyncio.gather(*units)
    assert len(commits) == 3
    assert len(await sqlite.read(notes)) == 2 * GROUP


async def test_a_commit_that_fails_is_told_to_everybody_in_it(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(db.engine.dialect, "do_commit", broken)
        results = await asyncio.gather(*(db.run(put(n)) for n in range(8)), return_exceptions=True)
    assert all(isinstance(result, Exception) for result in results)
    assert await db.read(notes) == []


async def test_a_transaction_that_ended_under_the_group_fails_all_of_it(sqlite: Database) -> None:
    """SQLite rolls back by itself when a disk is full: what was done before is gone, too."""

    def end(conn: Connection) -> None:
        conn.exec_driver_sql("ROLLBACK")
        raise ValueError("disk full")

    async with held_up(sqlite):
        units = [asyncio.ensure_future(sqlite.run(unit)) for unit in (put(1), end, put(2))]
        await asyncio.sleep(0.05)
    results = await asyncio.gather(*units, return_exceptions=True)
    assert all(isinstance(result, Exception) for result in results), str(results)
    assert await sqlite.read(notes) == [], "told that it failed, so it must not be there"
    assert await sqlite.run(put(3)) == 3


async def test_it_survives_the_process(db: Database, url: str) -> None:
    await asyncio.gather(*(db.run(put(n)) for n in range(10)))
    db.close()
    again = Database(url)
    assert await again.read(notes) == list(range(10))
    again.close()


async def test_a_caller_who_gave_up_before_its_turn_has_no_effect(db: Database) -> None:
    async with held_up(db, writers=8):
        late = asyncio.ensure_future(db.run(put(1)))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.sleep(0)
    assert await db.run(notes) == []


async def test_reading_goes_on_beside_a_writer(db: Database) -> None:
    go = threading.Event()
    await db.run(put(1))

    def slow(conn: Connection) -> None:
        put(2)(conn)
        go.wait(10)

    writing = asyncio.ensure_future(db.run(slow))
    await asyncio.sleep(0.05)
    assert await asyncio.wait_for(db.read(notes), 5) == [1]
    go.set()
    await writing
    assert await db.read(notes) == [1, 2]


async def test_reading_never_writes(db: Database) -> None:
    await db.read(put(1))
    assert await db.read(notes) == []


async def test_close_finishes_what_was_submitted_and_takes_no_more(db: Database, url: str) -> None:
    futures = [db.submit(put(n)) for n in range(20)]
    await asyncio.to_thread(db.close)
    assert [future.result(0) for future in futures] == list(range(20))
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(db.run(put(99)), 5)
    again = Database(url)
    assert await again.read(notes) == list(range(20))
    again.close()


async def test_a_deadlock_is_tried_again(db: Database) -> None:
    """Two transactions take two rows in opposite order; PostgreSQL ends one, and it is run again."""
    await asyncio.gather(db.run(put(1)), db.run(put(2)))
    meet = threading.Barrier(2)
    runs: list[int] = []

    def lock(first: int, second: int) -> Callable[[Connection], None]:
        def work(conn: Connection) -> None:
            runs.append(first)
            conn.execute(text("UPDATE notes SET n = n WHERE n = :n"), {"n": first})
            if not db.sqlite and runs.count(first) == 1:
                meet.wait(10)
            conn.execute(text("UPDATE notes SET n = n WHERE n = :n"), {"n": second})

        return work

    await asyncio.gather(db.run(lock(1, 2)), db.run(lock(2, 1)))
    assert len(runs) == (2 if db.sqlite else 3)


async def test_a_database_that_went_away_is_told_from_work_that_is_wrong(db: Database) -> None:
    for statement in ("SELECT * FROM nowhere", "SELEC 1", "INSERT INTO notes VALUES (1), (1)"):
        with pytest.raises((OperationalError, ProgrammingError, IntegrityError)) as wrong:
            await db.run(lambda conn, sql=statement: conn.execute(text(sql)))  # type: ignore[misc]
        assert not unavailable(wrong.value), statement
    assert not unavailable(ValueError("no"))


async def test_a_locked_sqlite_file_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    db = Database(f"sqlite:///{path}?timeout=0.1")
    await db.run(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout = 50"))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError) as locked:
        await db.run(lambda conn: conn.execute(text("SELECT 1")))
    assert unavailable(locked.value)
    holder.close()
    assert await db.run(lambda conn: conn.scalar(text("SELECT 1"))) == 1
    db.close()


async def test_a_postgresql_that_is_gone_is_unavailable_and_comes_back() -> None:
    with Postgres() as server:
        db = Database(server.url)
        assert await db.run(lambda conn: conn.scalar(text("SELECT 1"))) == 1
        server.kill()
        for ask in (db.run, db.read):
            with pytest.raises(OperationalError) as gone:
                await ask(lambda conn: conn.scalar(text("SELECT 1")))
            assert unavailable(gone.value)
        server.start()
        assert await db.run(lambda conn: conn.scalar(text("SELECT 1"))) == 1
        db.close()


async def test_a_connection_that_rested_and_died_is_replaced_unnoticed(
    _postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, admin = Database(_postgres_url, connections=1), Database(_postgres_url)
    mine = await db.run(lambda conn: conn.scalar(text("SELECT pg_backend_pid()")))
    assert mine == await db.run(lambda conn: conn.scalar(text("SELECT pg_backend_pid()")))
    await admin.run(lambda conn: conn.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine}))
    monkeypatch.setattr("chassis.db.RESTED", 0.0)
    assert mine != await db.run(lambda conn: conn.scalar(text("SELECT pg_backend_pid()")))
    db.close()
    admin.close()
