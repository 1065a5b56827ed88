import time
from typing import Any

import pytest
from sqlalchemy import Connection

from chassis.db import Database
from chassis.errors import Conflict
from chassis.tables import sagas, view_rows
from chassis.versioned import VersionedRows


def row(number: int) -> dict[str, Any]:
    return {"row": {"n": number}, "owner": None}


async def write(db: Database, keys: dict[str, int], version: int) -> None:
    def work(conn: Connection) -> None:
        rows = VersionedRows(conn, view_rows)
        for key, number in keys.items():
            rows.save("v", key, version=version, **row(number))
        rows.flush()

    await db.run(work)


async def read(db: Database, *keys: str) -> list[tuple[Any, int]]:
    def work(conn: Connection) -> list[tuple[Any, int]]:
        rows = VersionedRows(conn, view_rows)
        loaded = [rows.load("v", key) for key in keys]
        return [(one.values.get("row"), one.version) for one in loaded]

    return await db.read(work)


async def test_what_is_not_there_is_version_0(db: Database) -> None:
    assert await read(db, "a") == [(None, 0)]


async def test_written_once_and_read_back(db: Database) -> None:
    await write(db, {"a": 1, "b": 2}, version=3)
    assert await read(db, "a", "b", "c") == [({"n": 1}, 3), ({"n": 2}, 3), (None, 0)]


async def test_a_row_is_read_once_and_written_once_per_transaction(db: Database) -> None:
    def work(conn: Connection) -> None:
        rows = VersionedRows(conn, view_rows)
        for version in (1, 2, 3):
            assert rows.load("v", "a").version == version - 1
            rows.save("v", "a", version=version, **row(version))
        rows.flush()
        rows.save("v", "a", version=4, **row(4))
        rows.flush()
        rows.flush()

    await db.run(work)
    assert await read(db, "a") == [({"n": 4}, 4)]


@pytest.mark.parametrize("known", [0, 1], ids=["new rows", "known rows"])
@pytest.mark.parametrize("stale", ["a", "b", "c"], ids=["first", "middle", "last"])
async def test_one_stale_row_of_many_is_a_conflict_and_nothing_is_written(
    db: Database, known: int, stale: str
) -> None:
    """Two transactions by hand: one reads, the other writes, the first writes what it decided."""
    if known:
        await write(db, {"a": 0, "b": 0, "c": 0}, version=1)

    def read_then_write(conn: Connection) -> None:
        rows = VersionedRows(conn, view_rows)
        for key in "abc":
            rows.load("v", key)
        _somebody_else_writes(conn, stale, known)
        for key in "abc":
            rows.save("v", key, version=known + 1, **row(2))
        rows.flush()

    with pytest.raises(Conflict):
        await db.run(read_then_write)
    assert await read(db, *"abc") == [({"n": 0}, 1) if known else (None, 0)] * 3


def _somebody_else_writes(conn: Connection, key: str, known: int) -> None:
    """In the same transaction, since SQLite has one writer; the store is no wiser for it."""
    other = VersionedRows(conn, view_rows)
    other.load("v", key)
    other.save("v", key, version=known + 1, **row(1))
    other.flush()


async def test_of_two_real_transactions_the_later_is_a_conflict(db: Database) -> None:
    if db.sqlite:
        return await _two_files_handles(db)
    await write(db, {"a": 0}, version=1)
    with db.engine.connect() as first, db.engine.connect() as second:
        ours, theirs = VersionedRows(first, view_rows), VersionedRows(second, view_rows)
        assert ours.load("v", "a").version == theirs.load("v", "a").version == 1
        theirs.save("v", "a", version=2, **row(2))
        theirs.flush()
        second.commit()
        ours.save("v", "a", version=2, **row(99))
        with pytest.raises(Conflict):
            ours.flush()
    assert await read(db, "a") == [({"n": 2}, 2)]
    return None


async def _two_files_handles(db: Database) -> None:
    """SQLite takes the write lock at the start, so the second transaction reads what the first wrote."""
    await write(db, {"a": 0}, version=1)
    other = Database(db.url.render_as_string())
    await write(other, {"a": 2}, version=2)

    def next_version(conn: Connection) -> int:
        return VersionedRows(conn, view_rows).load("v", "a").version + 1

    assert await db.run(next_version) == 3
    other.close()


async def test_prefetch_reads_many_at_once_and_load_then_asks_no_more(db: Database) -> None:
    def work(conn: Connection) -> None:
        rows = VersionedRows(conn, sagas)
        for id in "ab":
            values: dict[str, Any] = {"name": "n", "status": "running", "state": {}, "deadline": None}
            rows.save(id, version=1, updated_at=time.time(), **values)
        rows.flush()
        again = VersionedRows(conn, sagas)
        again.prefetch([("a",), ("b",), ("c",)])
        again._conn = None  # type: ignore[assignment]
        assert [again.load(id).version for id in "abc"] == [1, 1, 0]

    await db.run(work)


async def test_prefetch_forgets_no_change_that_waits_to_be_written(db: Database) -> None:
    await db.run(lambda conn: _save_saga(conn, "a", "running", 1))

    def work(conn: Connection) -> str:
        rows = VersionedRows(conn, sagas)
        row = rows.load("a")
        rows.save("a", version=2, **{**row.values, "status": "done"})
        rows.prefetch([("a",), ("b",), ("c",)])
        rows.flush()
        return str(rows.load("a").values["status"])

    assert await db.run(work) == "done"


def _save_saga(conn: Connection, id: str, status: str, version: int) -> None:
    rows = VersionedRows(conn, sagas)
    values: dict[str, Any] = {"name": "n", "status": status, "state": {}, "deadline": None, "updated_at": 0.0}
    rows.save(id, version=version, **values)
    rows.flush()


async def test_prefetch_finds_rows_by_all_parts_of_their_key(db: Database) -> None:
    await write(db, {"a": 1, "b": 2}, version=1)

    def work(conn: Connection) -> list[int]:
        rows = VersionedRows(conn, view_rows)
        rows.prefetch([("v", "a"), ("w", "a"), ("v", "b"), ("v", "a")])
        conn.execute(view_rows.delete())
        return [rows.load(*key).version for key in (("v", "a"), ("w", "a"), ("v", "b"))]

    assert await db.run(work) == [1, 0, 1]


async def test_a_key_taken_for_new_that_is_not_is_a_conflict(db: Database) -> None:
    await write(db, {"a": 1}, version=1)

    def work(conn: Connection) -> None:
        rows = VersionedRows(conn, view_rows)
        rows.begin("v", "a")
        rows.save("v", "a", version=1, **row(7))
        rows.flush()

    with pytest.raises(Conflict, match="created by somebody else"):
        await db.run(work)
    assert await read(db, "a") == [({"n": 1}, 1)]


async def test_what_was_read_is_not_taken_for_new(db: Database) -> None:
    await write(db, {"a": 1}, version=1)

    def work(conn: Connection) -> int:
        rows = VersionedRows(conn, view_rows)
        rows.load("v", "a")
        rows.begin("v", "a")
        return rows.load("v", "a").version

    assert await db.run(work) == 1
