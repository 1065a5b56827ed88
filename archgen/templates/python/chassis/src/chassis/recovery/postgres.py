"""Copies of PostgreSQL databases with its own tools, pg_dump and pg_restore, in the custom format.

`PG_BIN` names the folder of the tools when they are not on the PATH; they must not be older than the
server. A dump is the state of one instant; for what happened since, archive the write-ahead log
(docs/disaster-recovery.md). Source: https://www.postgresql.org/docs/current/app-pgdump.html
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import URL, make_url

from chassis.recovery.errors import RecoveryError
from chassis.recovery.files import flush


def backup(url: str, copy: Path) -> None:
    """Dump the database behind `url` to the file `copy`. Raises RecoveryError."""
    _run("pg_dump", ["--format=custom", "--no-owner", f"--file={copy}", *_to(url)], url)
    flush(copy)
    verify(copy)


def verify(copy: Path) -> None:
    """Raises RecoveryError unless pg_restore can read the whole dump."""
    # Turned into SQL that nobody looks at: that reads every block, which --list does not.
    _run("pg_restore", [f"--file={os.devnull}", str(copy)], "")


def restore(copy: Path, url: str) -> None:
    """Put the dump's tables in the place of those behind `url`, all or none of them. Raises RecoveryError."""
    options = ["--clean", "--if-exists", "--no-owner", "--exit-on-error", "--single-transaction"]
    _run("pg_restore", [*options, *_to(url), str(copy)], url)


def _to(url: str) -> list[str]:
    # Without the password: command lines can be read by everybody on the machine.
    bare = make_url(url).set(drivername="postgresql", password=None)
    return [f"--dbname={bare.render_as_string(hide_password=False)}"]


def _run(tool: str, arguments: list[str], url: str) -> None:
    program = shutil.which(tool, path=os.environ.get("PG_BIN") or None)
    if program is None:
        raise RecoveryError(f"{tool} is not installed; PG_BIN can name the folder that holds it")
    parsed: URL | None = make_url(url) if url else None
    env = {**os.environ, "PGPASSWORD": str(parsed.password)} if parsed and parsed.password else None
    done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RecoveryError(f"{tool} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
