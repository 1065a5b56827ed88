"""Backup sets: databases and stream out and back, and everything that can be wrong with one."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats as client
import pytest
from sqlalchemy import create_engine, text

from chassis.recovery import __main__ as command
from chassis.recovery import postgres as pg
from chassis.recovery import sets, sqlite, stream
from chassis.recovery.backup import backup
from chassis.recovery.errors import RecoveryError
from chassis.recovery.layout import Layout, load
from chassis.testing import servers
from chassis.testing.servers import Nats, Postgres

SYSTEM = "shop"


@pytest.fixture
async def layout(nats: Nats, tmp_path: Path) -> Layout:
    """A system of one service with something in its database and three messages in its stream."""
    connection = await client.connect(nats.url)
    manager = connection.jsm()
    if await stream.exists(connection, SYSTEM):
        await manager.delete_stream(SYSTEM)
    await manager.add_stream(name=SYSTEM, subjects=[f"{SYSTEM}.>"])
    await manager.add_consumer(SYSTEM, durable_name="orders-commands", ack_policy="explicit")
    for number in range(3):
        headers = {"Nats-Msg-Id": f"m{number}"}
        await connection.jetstream().publish(f"{SYSTEM}.event.t", b"%d" % number, headers=headers)
    await connection.close()
    fill(tmp_path / "orders.db")
    return Layout(SYSTEM, {"orders": f"sqlite:///{tmp_path}/orders.db"}, nats.url)


def fill(path: Path, rows: int = 100) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (n INTEGER)")
        db.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(rows)])


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM t").fetchone()[0])


async def test_a_set_holds_everything_and_is_checked(layout: Layout, tmp_path: Path) -> None:
    path = await backup(layout, tmp_path / "backups")
    manifest = sets.verify(path)
    assert sorted(manifest.files) == ["orders.db", "stream.snapshot"]
    assert manifest.position == 3
    assert manifest.places["orders-commands"].floor == 0
    assert count(path / "orders.db") == 100
    assert sets.all_in(tmp_path / "backups") == [path]


async def test_the_stream_comes_back_with_numbers_and_headers(layout: Layout, tmp_path: Path) -> None:
    path = await backup(layout, tmp_path / "backups")
    async with stream.connected(layout.broker) as connection:
        await connection.jsm().delete_stream(SYSTEM)
        about = dict(sets.read(path).stream)
        assert await stream.restore(connection, SYSTEM, path / sets.STREAM, about) == 3
        message = await connection.jsm().get_msg(SYSTEM, 2)
        assert (message.data, message.headers) == (b"1", {"Nats-Msg-Id": "m1"})
        with pytest.raises(RecoveryError, match="already in use"):
            await stream.restore(connection, SYSTEM, path / sets.STREAM, about)


async def test_a_damaged_snapshot_is_refused_by_the_broker(layout: Layout, tmp_path: Path) -> None:
    path = await backup(layout, tmp_path / "backups")
    whole = (path / sets.STREAM).read_bytes()
    (path / sets.STREAM).write_bytes(whole[:50] + b"\0" * 50 + whole[100:])
    with pytest.raises(RecoveryError, match=r"stream\.snapshot is not what was written"):
        sets.verify(path)


async def test_a_consumer_hears_again_what_came_after_its_place(layout: Layout) -> None:
    place = stream.Place(2, (f"{SYSTEM}.>",))
    async with stream.connected(layout.broker) as connection:
        await stream.listen_from(connection, SYSTEM, "orders-commands", place)
        subscription = await connection.jetstream().pull_subscribe_bind("orders-commands", SYSTEM)
        [message] = await subscription.fetch(1, timeout=5)
        assert message.data == b"2"


async def test_the_stream_is_read_from_a_place_to_its_end(layout: Layout) -> None:
    body = b'{"specversion": "1.0", "id": "a", "type": "t", "source": "/s", "data": {}}'
    async with stream.connected(layout.broker) as connection:
        await connection.jetstream().publish(f"{SYSTEM}.event.t", body)
        # The first three are not messages of ours, and no hindrance.
        assert [one.id for one in await stream.read(connection, SYSTEM, 1)] == ["a"]
        assert await stream.read(connection, SYSTEM, 5) == []


@pytest.mark.parametrize("part", ["orders.db", "stream.snapshot"])
async def test_a_set_that_was_changed_or_lost_a_file_can_t_be_used(
    layout: Layout, tmp_path: Path, part: str
) -> None:
    path = await backup(layout, tmp_path / "backups")
    data = bytearray((path / part).read_bytes())
    data[len(data) // 2] ^= 1
    (path / part).write_bytes(data)
    with pytest.raises(RecoveryError, match=f"{part} is not what was written"):
        sets.verify(path)
    (path / part).unlink()
    with pytest.raises(RecoveryError, match=f"{part} is missing"):
        sets.verify(path)


async def test_a_backup_that_fails_leaves_nothing(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "orders.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(RecoveryError, match="could not be copied"):
        await backup(layout, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


async def test_a_copy_is_consistent_while_the_service_writes(tmp_path: Path) -> None:
    path, stop = tmp_path / "busy.db", threading.Event()
    fill(path)

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=30)) as db:
            while not stop.is_set():
                with db:
                    db.executemany("INSERT INTO t VALUES (?)", [(1,)] * 50)  # all fifty or none

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            sqlite.backup(path, tmp_path / f"{number}.db")
            assert (count(tmp_path / f"{number}.db") - 100) % 50 == 0
    finally:
        stop.set()
        writer.join()


def test_a_restored_file_takes_the_place_of_the_old_one_and_its_log(tmp_path: Path) -> None:
    fill(tmp_path / "orders.db")
    sqlite.backup(tmp_path / "orders.db", tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "orders.db")) as db:
        with db:
            db.execute("DELETE FROM t")
        # Still open, so what it wrote is in the write-ahead log only.
        kept = sqlite.restore(tmp_path / "copy.db", tmp_path / "orders.db")
    assert kept == tmp_path / "orders.db.replaced"
    assert count(tmp_path / "orders.db") == 100


def test_a_database_of_postgresql_goes_out_and_comes_back(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BIN", str(servers.postgres_programs()))
    engine = create_engine(postgres.url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE precious AS SELECT generate_series(1, 100) AS n"))
    pg.backup(postgres.url, tmp_path / "orders.dump")
    with engine.begin() as conn:
        conn.execute(text("DELETE FROM precious"))
    pg.restore(tmp_path / "orders.dump", postgres.url)
    with engine.begin() as conn:
        assert conn.scalar(text("SELECT count(*) FROM precious")) == 100
        conn.execute(text("DROP TABLE precious"))
    engine.dispose()
    whole = (tmp_path / "orders.dump").read_bytes()
    (tmp_path / "orders.dump").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecoveryError, match="pg_restore ended with"):
        pg.verify(tmp_path / "orders.dump")
    with pytest.raises(RecoveryError, match="could not be read") as told:
        pg.backup("postgresql://nobody:s3cret@127.0.0.1:1/x", tmp_path / "x.dump")
    assert "s3cret" not in str(told.value)


def test_a_dump_that_lacks_rows_is_refused(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when somebody tunes pg_dump to leave out a large table."""
    programs = servers.postgres_programs()
    engine = create_engine(postgres.url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as conn:
        conn.execute(
            text('CREATE TABLE "Odd table" AS SELECT generate_series(1, 7) AS n, E\'a\\nb\' AS "x y"')
        )
        conn.execute(text("CREATE TABLE large AS SELECT generate_series(1, 100) AS n"))
    try:
        monkeypatch.setenv("PG_BIN", str(programs))
        pg.backup(postgres.url, tmp_path / "whole.dump")
        assert pg.rows(tmp_path / "whole.dump")["public.Odd table"] == 7
        tuned = tmp_path / "bin"
        tuned.mkdir()
        (tuned / "pg_restore").symlink_to(programs / "pg_restore")
        (tuned / "pg_dump").write_text(
            f'#!/bin/sh\nexec "{programs}/pg_dump" --exclude-table-data=large "$@"\n'
        )
        (tuned / "pg_dump").chmod(0o755)
        monkeypatch.setenv("PG_BIN", str(tuned))
        with pytest.raises(RecoveryError, match=r"not whole: it holds 0 of 100 rows of public\.large$"):
            pg.backup(postgres.url, tmp_path / "lacking.dump")
    finally:
        with engine.begin() as conn:
            conn.execute(text('DROP TABLE "Odd table"'))
            conn.execute(text("DROP TABLE large"))
        engine.dispose()


def test_old_sets_go_and_the_newest_always_stay(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    for days in (40, 30, 20, 10, 1):
        began = now - timedelta(days=days)
        partial = tmp_path / "partial"
        partial.mkdir()
        sets.complete(tmp_path, partial, began, system=SYSTEM, databases={}, position=0, places={}, stream={})
    removed = sets.retain(tmp_path, 14.0, now)
    assert [path.name[:8] for path in removed] == ["20261014", "20261024"]
    assert len(sets.all_in(tmp_path)) == 3
    assert sets.retain(tmp_path, 0.0, now) == []


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "recovery.toml").write_text('system = "shop"\nservices = ["orders"]\nrpo_seconds = 300\n')
    (tmp_path / ".env").write_text("# comment\nBROKER_URL=nats://127.0.0.1:1\nORDERS_DATABASE_URL=\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BROKER_URL", raising=False)
    yield tmp_path


def test_the_layout_comes_from_the_file_and_the_environment(project: Path) -> None:
    found = load(project / "recovery.toml", {"ORDERS_DATABASE_URL": "postgresql://db/orders"})
    assert found == Layout(SYSTEM, {"orders": "postgresql://db/orders"}, "nats://127.0.0.1:1", 300, None)
    assert load(project / "recovery.toml", {}).databases == {"orders": "sqlite:///data/orders.db"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["backup"], "the broker can't be reached"),
        (["backup", "--only", "nobody"], "there is no service 'nobody'"),
        (["verify"], "there is no backup in backups"),
        (["restore"], "there is no backup in backups"),
        (["restore", "--set", "gone"], "is not a backup"),
        (["replay"], "the broker can't be reached"),
        (["verify", "--layout", "other.toml"], "other.toml can't be read"),
    ],
)
def test_what_can_t_be_done_is_said_and_ends_with_one(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert command.main(arguments) == 1
    assert told in capsys.readouterr().err
    assert not (project / "data").exists()


def test_a_set_of_another_form_or_system_is_refused(project: Path) -> None:
    folder = project / "backups" / "20261123T020000Z"
    folder.mkdir(parents=True)
    (folder / sets.MANIFEST).write_text(json.dumps({"form": 99}))
    with pytest.raises(RecoveryError, match="written in form 99"):
        sets.read(folder)
