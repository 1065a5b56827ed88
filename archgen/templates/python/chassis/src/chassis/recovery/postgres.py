"""Copies of PostgreSQL databases with its own tools, pg_dump and pg_restore, in the custom format.

`PG_BIN` names the folder of the tools when they are not on the PATH; they must not be older than the
server. A dump is the state of one instant; for what happened since, archive the write-ahead log
(docs/disaster-recovery.md). Source: https://www.postgresql.org/docs/current/app-pgdump.html
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from chassis.recovery.errors import RecoveryError
from chassis.recovery.files import flush

# Extensions own tables that a dump leaves to them.
_TABLES = text("""
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema$)'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
""")
_COPY = re.compile(rb'COPY ((?:"[^"]*"|[^ "])+) .*FROM stdin;\n')


def backup(url: str, copy: Path) -> None:
    """Dump the database behind `url` to the file `copy`.

    Raises RecoveryError, also when the dump does not hold every row that was there at its moment.
    """
    with _snapshot(url) as (conn, moment):
        options = ["--format=custom", "--no-owner", f"--snapshot={moment}", f"--file={copy}"]
        _run("pg_dump", [*options, *_to(url)], url)
        flush(copy)
        tables = conn.scalars(_TABLES).all()
        there = {
            name.replace('"', ""): conn.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in tables
        }
    held = rows(copy)
    lacking = [f"{held.get(t, 0)} of {n} rows of {t}" for t, n in there.items() if held.get(t, 0) != n]
    if lacking:
        raise RecoveryError(f"{copy.name} is not whole: it holds {', '.join(lacking)}")


def rows(copy: Path) -> dict[str, int]:
    """How many rows of each table, as schema.table, the dump holds. Raises RecoveryError."""
    found: dict[str, int] = {}
    table = ""
    command = [_program("pg_restore"), "--data-only", "--file=-", str(copy)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if table and line == b"\\.\n":
                table = ""
            elif table:
                found[table] += 1
            elif opened := _COPY.fullmatch(line):
                table = opened[1].decode().replace('"', "")
                found[table] = 0
    if process.returncode:
        verify(copy)  # which says what is wrong with it
        raise RecoveryError(f"pg_restore ended with {process.returncode} for {copy.name}")
    return found


def verify(copy: Path) -> None:
    """Raises RecoveryError unless pg_restore can read the whole dump."""
    # Turned into SQL that nobody looks at: that reads every block, which --list does not.
    _run("pg_restore", [f"--file={os.devnull}", str(copy)], "")


def restore(copy: Path, url: str) -> None:
    """Put the dump's tables in the place of those behind `url`, all or none of them. Raises RecoveryError."""
    options = ["--clean", "--if-exists", "--no-owner", "--exit-on-error", "--single-transaction"]
    _run("pg_restore", [*options, *_to(url), str(copy)], url)


@contextmanager
def _snapshot(url: str) -> Iterator[tuple[Connection, str]]:
    """One moment of the database, under a name by which pg_dump sees the same."""
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
    )
    try:
        with engine.connect() as conn:
            yield conn, str(conn.scalar(text("SELECT pg_export_snapshot()")))
    except DBAPIError as error:
        raise RecoveryError(f"the database could not be read: {error.orig}") from error
    finally:
        engine.dispose()


def _to(url: str) -> list[str]:
    # Without the password: command lines can be read by everybody on the machine.
    bare = make_url(url).set(drivername="postgresql", password=None)
    return [f"--dbname={bare.render_as_string(hide_password=False)}"]


def _run(tool: str, arguments: list[str], url: str) -> None:
    parsed: URL | None = make_url(url) if url else None
    env = {**os.environ, "PGPASSWORD": str(parsed.password)} if parsed and parsed.password else None
    done = subprocess.run([_program(tool), *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RecoveryError(f"{tool} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")


def _program(tool: str) -> str:
    program = shutil.which(tool, path=os.environ.get("PG_BIN") or None)
    if program is None:
        raise RecoveryError(f"{tool} is not installed; PG_BIN can name the folder that holds it")
    return program
