"""Takes a backup set: where everyone is in the stream, then the databases, then the stream itself.

The order matters. Whatever a service does after its database was copied, and tells, is in the stream,
since that is copied last; and no consumer is said to be further than its database knows.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url

from chassis.recovery import postgres, sets, sqlite, stream
from chassis.recovery.errors import RecoveryError
from chassis.recovery.layout import Layout


async def backup(layout: Layout, folder: Path, *, with_stream: bool = True) -> Path:
    """Write a new set below `folder` and return its path.

    Raises RecoveryError when anything could not be copied or checked; then nothing new is there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    began = datetime.now(UTC)
    try:
        async with stream.connected(layout.broker) as client:
            there = await stream.exists(client, layout.system)
            if not there and with_stream:
                raise RecoveryError(f"the broker has no stream {layout.system!r}")
            position = await stream.last(client, layout.system) if there else 0
            places = await stream.places(client, layout.system) if there else {}
            databases = {name: copy(name, url, partial) for name, url in layout.databases.items()}
            about = {}
            if with_stream:
                about = await stream.snapshot(client, layout.system, partial / sets.STREAM)
        return sets.complete(
            folder,
            partial,
            began,
            system=layout.system,
            databases=databases,
            position=position,
            places=places,
            stream=about,
        )
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def copy(service: str, url: str, folder: Path) -> str:
    """Copy one database into `folder` and return the name of the file."""
    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        name = f"{service}.db"
        sqlite.backup(file_of(url), folder / name)
    elif kind == "postgresql":
        name = f"{service}.dump"
        postgres.backup(url, folder / name)
    else:
        raise RecoveryError(f"{service}: no backup is known for a {kind} database")
    return name


def file_of(url: str) -> Path:
    """The file behind a SQLite URL. Raises RecoveryError for one in memory."""
    database = make_url(url).database
    if not database or database == ":memory:":
        raise RecoveryError("a SQLite database in memory can't be backed up")
    return Path(database)
