"""Transactions, on SQLite and PostgreSQL.

A transaction is a plain synchronous function of a connection, run on a worker thread:

    order = await db.run(lambda conn: load(conn, order_id))

Being synchronous it cannot await a remote call while it holds locks, and it can be run again
when the database asks for that.

SQLite has one writer, so writes queue for one thread, which commits whatever has queued
meanwhile as one transaction (group commit): callers share the cost of an fsync, and each still
gets its own answer, since every unit of work sits in a savepoint.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError

from chassis.jsons import dumps, loads

T = TypeVar("T")
GROUP = 64
BUSY = 10.0  # seconds to wait for another process that writes the same file
RESTED = 1.0  # seconds after which a connection is looked at before it is used again
_RETRIABLE = {"40001", "40P01"}  # serialization_failure, deadlock_detected
# Classes of SQLSTATE: connection, rollback, resources, locks, operator, system.
# Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
_NOT_AT_FAULT = {"08", "40", "53", "55", "57", "58"}


class Database:
    """One service's database. `url` is any SQLAlchemy URL for SQLite or PostgreSQL."""

    def __init__(self, url: str, *, connections: int = 8) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.url.get_backend_name() == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.engine = self._engine(connections)
        self._readers = ThreadPoolExecutor(connections, thread_name_prefix="db")
        self._writer = _GroupCommit(self.engine) if self.sqlite else None

    def _engine(self, connections: int) -> Engine:
        options: dict[str, Any] = {"json_serializer": dumps, "json_deserializer": loads}
        if not self.sqlite:
            engine = create_engine(self.url, pool_size=connections + 1, max_overflow=2, **options)
            event.listen(engine, "checkin", _note_use)
            event.listen(engine, "checkout", _replace_if_dead)
            return engine
        if self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(self.url, connect_args={"check_same_thread": False}, **options)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction and commit it; an exception rolls it back and is raised here.

        When this returns, the change is on disk.
        """
        return await asyncio.wrap_future(self.submit(work))

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """As `run`, for callers without an event loop."""
        # What is logged in there belongs to the caller's trace.
        context = contextvars.copy_context()
        if self._writer:
            return self._writer.submit(lambda conn: context.run(work, conn))
        return self._readers.submit(context.run, self._transact, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads, beside whatever is being written."""
        return await asyncio.wrap_future(self._readers.submit(self._read, work))

    def _transact(self, work: Callable[[Connection], T]) -> T:
        for attempt in range(5):
            try:
                with self.engine.begin() as conn:
                    return work(conn)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in _RETRIABLE or attempt == 4:
                    raise
            # Those who clashed must not meet again at the same instant.
            time.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError("unreachable")

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self.engine.connect().execution_options(read_only=True) as conn:
            return work(conn)

    def close(self) -> None:
        """Finish what was submitted, then let go of every connection."""
        if self._writer:
            self._writer.close()
        self._readers.shutdown()
        self.engine.dispose()


def parameters(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]] | dict[str, Any]:
    """`rows`, at least one, as `Connection.execute` is given them.

    A single one goes as itself: for a list psycopg opens a pipeline, which costs more than one row does.
    """
    return rows[0] if len(rows) == 1 else rows


def unavailable(error: BaseException) -> bool:
    """Whether `error` says that the database could not do its part, not that the work was wrong.

    An OperationalError alone does not say it: drivers raise one for a misspelt table, too.
    """
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if not isinstance(error, OperationalError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        # The low byte is the kind: busy, full, I/O, and so on.
        return error.orig.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state[:2] in _NOT_AT_FAULT


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _replace_if_dead(connection: Any, record: Any, _proxy: object) -> None:
    """Ask a connection that has rested whether it is still there; the pool replaces it if not.

    SQLAlchemy's `pool_pre_ping` asks each time: one round trip more for every transaction, a tenth of what
    a small one takes. Between two that follow each other closely, a server can go away just as in one.
    """
    if time.monotonic() - record.info.get("used_at", 0.0) < RESTED:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise DisconnectionError(str(error)) from error


def _configure_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling begins late and commits early, so it is switched off;
    # `_begin_sqlite` begins, SQLAlchemy commits.
    # Source: https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#sqlite-transactions
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY * 1000:.0f}")
    _use_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Processes that open a new file together get in each other's way here, and SQLite does not wait."""
    deadline = time.monotonic() + BUSY
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(conn: Connection) -> None:
    # A write lock from the start: a transaction that reads first and writes later could find that
    # another process wrote in between, and would have to start again.
    read_only = conn.get_execution_options().get("read_only", False)
    conn.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@dataclass
class _Unit:
    work: Callable[[Connection], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None

    def settle(self, error: BaseException | None = None) -> None:
        failure = self.error or error
        if failure is not None:
            self.future.set_exception(failure)
        else:
            self.future.set_result(self.result)


class _GroupCommit:
    """One thread that writes; units that wait at the same time share a commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="db-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        if self._closed:
            raise RuntimeError("the database is closed")
        unit = _Unit(work)
        self._queue.put(unit)
        return unit.future

    def close(self) -> None:
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while (first := self._queue.get()) is not None:
            units = [first]
            last = False
            while len(units) < GROUP and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    last = True
                    break
                units.append(following)
            self._commit([u for u in units if u.future.set_running_or_notify_cancel()])
            if last:
                return

    def _commit(self, units: list[_Unit]) -> None:
        failure: BaseException | None = None
        try:
            with self._engine.begin() as conn:
                if len(units) == 1:
                    units[0].result = units[0].work(conn)
                else:
                    for unit in units:
                        self._isolated(conn, unit)
        except BaseException as error:
            failure = error
        for unit in units:
            unit.settle(failure)

    @staticmethod
    def _isolated(conn: Connection, unit: _Unit) -> None:
        # Said to the driver: SQLAlchemy's own savepoints take ten times as long.
        driver: Any = conn.connection.driver_connection
        driver.execute("SAVEPOINT unit")
        try:
            unit.result = unit.work(conn)
        except Exception as error:
            unit.error = error
            if not driver.in_transaction:
                # SQLite ends a whole transaction by itself when, say, the disk is full. What the
                # units before this one did is gone, and those after it must not run outside of one.
                raise
            driver.execute("ROLLBACK TO unit")
        driver.execute("RELEASE unit")
