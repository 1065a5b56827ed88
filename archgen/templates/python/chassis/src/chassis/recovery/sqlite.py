"""Copies of SQLite files: taken while the service writes, checked before they count.

Source: https://www.sqlite.org/backup.html
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from chassis.recovery.errors import RecoveryError
from chassis.recovery.files import flush, free_name


def backup(database: Path, copy: Path) -> None:
    """Write a consistent copy of `database`, in use or not, to `copy`. Raises RecoveryError."""
    if not database.exists():
        raise RecoveryError(f"{database} does not exist, so there is nothing to back up")
    try:
        with (
            closing(
                sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
            ) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            # One file, without the side files of the write-ahead log.
            target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise RecoveryError(f"{database} could not be copied: {error}") from error
    flush(copy)
    verify(copy)


def verify(copy: Path) -> None:
    """Raises RecoveryError unless the file is a whole SQLite database."""
    try:
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            found = [row[0] for row in db.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        raise RecoveryError(f"{copy} is not a whole database: {error}") from error
    if found != ["ok"]:
        raise RecoveryError(f"{copy} is damaged: {'; '.join(found)}")


def restore(copy: Path, database: Path) -> Path | None:
    """Put `copy` in the place of `database`; what was there is moved aside, and its new name returned."""
    database.parent.mkdir(parents=True, exist_ok=True)
    beside = database.with_name(f"{database.name}.restoring")
    shutil.copyfile(copy, beside)
    flush(beside)
    verify(beside)
    kept = free_name(database, ".replaced") if database.exists() else None
    # The old write-ahead log must never be applied to the restored file.
    for side in ("-wal", "-shm", "-journal"):
        old = database.with_name(database.name + side)
        if old.exists():
            old.replace(kept.with_name(kept.name + side) if kept else free_name(old, ".replaced"))
    if kept:
        database.replace(kept)
    beside.replace(database)
    flush(database.parent)
    return kept
