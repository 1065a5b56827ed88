import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from chassis.db import Database
from chassis.migrate import migrate
from chassis.tables import metadata
from chassis.testing.servers import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/fresh.db"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    engine = create_engine(
        postgres.url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as conn:
        conn.execute(text("CREATE DATABASE fresh"))
        yield f"{postgres.url.removesuffix('postgres')}fresh"
        conn.execute(text("DROP DATABASE fresh WITH (FORCE)"))
    engine.dispose()


def tables(conn: Connection) -> set[str]:
    return set(inspect(conn).get_table_names())


def differences(conn: Connection) -> list[object]:
    options = {"compare_type": True, "version_table": "chassis_version"}
    return list(compare_metadata(MigrationContext.configure(conn, opts=options), metadata))


async def test_a_fresh_database_gets_every_table_and_nothing_else(fresh: str) -> None:
    db = Database(fresh)
    await db.run(migrate)
    assert await db.run(tables) == {*metadata.tables, "chassis_version"}
    assert await db.run(differences) == []
    db.close()


async def test_a_second_time_changes_nothing(fresh: str) -> None:
    db = Database(fresh)
    await db.run(migrate)
    await db.run(lambda conn: conn.execute(text("INSERT INTO leases VALUES ('a', 'b', 1)")))
    await db.run(migrate)
    assert await db.run(lambda conn: conn.scalar(text("SELECT holder FROM leases"))) == "b"
    db.close()


async def test_a_migration_that_fails_leaves_nothing_half_done(fresh: str) -> None:
    db = Database(fresh)
    await db.run(lambda conn: conn.execute(text("CREATE TABLE sagas (n INTEGER)")))
    with pytest.raises(Exception, match="already exists"):
        await db.run(migrate)
    assert await db.run(tables) == {"sagas"}
    await db.run(lambda conn: conn.execute(text("DROP TABLE sagas")))
    await db.run(migrate)
    assert await db.run(differences) == []
    db.close()


def test_processes_that_start_together_wait_for_each_other(fresh: str) -> None:
    program = (
        "import sys; from chassis.db import Database; from chassis.migrate import migrate\n"
        "sys.stdin.readline(); db = Database(sys.argv[1]); db.submit(migrate).result(); db.close()"
    )
    command = [sys.executable, "-c", program, fresh]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stderr=pipe, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(errors)
    db = Database(fresh)
    assert db.submit(tables).result() == {*metadata.tables, "chassis_version"}
    db.close()
