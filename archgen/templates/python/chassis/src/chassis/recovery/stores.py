"""Where a drill's services keep their data, how it is lost, and what stands there before the restore.

SQLite files below the system's folder, or a PostgreSQL server of the drill's own with a database for
each service, which comes back from dumps or from a base backup and its archived write-ahead log.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, Self

from chassis.recovery.errors import RecoveryError

SQLITE, POSTGRES, WAL = "sqlite", "postgres", "postgres-wal"
STORES = (SQLITE, POSTGRES, WAL)
SCRIPTS = Path(__file__).parent / "wal"


class Store(Protocol):
    """`env` is what the system's processes, and the commands that rescue them, are told of it.

    `whole` says that databases come back together, by what the store does itself, and not from the set.
    """

    env: Mapping[str, str]
    whole: bool

    def back_up(self) -> None:
        """Take what a set does not hold, at the time when the set is taken."""

    def lose(self, services: Collection[str]) -> None:
        """Destroy the data of these services, whose processes have been killed."""

    def prepare(self, services: Collection[str]) -> None:
        """What an operator does before the restore: empty databases, or databases that come back whole."""


@contextmanager
def opened(kind: str, services: Sequence[str], folder: Path) -> Iterator[Store]:
    """The store of that kind for a system that lives in `folder`. Raises RecoveryError for an unknown one."""
    if kind == SQLITE:
        yield Files(folder / "data")
    elif kind == POSTGRES:
        with Cluster(services) as cluster:
            yield cluster
    elif kind == WAL:
        with Archived(services) as cluster:
            yield cluster
    else:
        raise RecoveryError(f"there is no store {kind!r}; there are {', '.join(STORES)}")


class Files:
    """One SQLite database per service."""

    env: Mapping[str, str] = {}
    whole = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def back_up(self) -> None:
        """Nothing: the set has it all."""

    def lose(self, services: Collection[str]) -> None:
        for name in services:
            for file in self._folder.glob(f"{name}.db*"):
                file.unlink()

    def prepare(self, services: Collection[str]) -> None:
        """Nothing: the restore makes the files."""


class Cluster:
    """A PostgreSQL server, which waits for its disk as one in production does."""

    whole = False

    def __init__(self, services: Sequence[str]) -> None:
        # Not at the top: a production image has no reason to hold what the drill starts servers with.
        from chassis.testing.servers import Postgres, postgres_programs

        self._services = tuple(services)
        self._server = Postgres(durable=True)
        base = self._server.url.rpartition("/")[0]
        urls = {f"{name.upper()}_DATABASE_URL": f"{base}/{name}" for name in services}
        self.env: Mapping[str, str] = {**urls, "PG_BIN": str(postgres_programs())}

    def back_up(self) -> None:
        """Nothing: the set has it all."""

    def lose(self, services: Collection[str]) -> None:
        """All of them: the machine is gone. Some: their databases are dropped, the others go on."""
        if set(services) == set(self._services):
            self._server.kill()
            shutil.rmtree(self._server.data)
        else:
            self._say(*(f'DROP DATABASE "{name}" WITH (FORCE)' for name in services))

    def prepare(self, services: Collection[str]) -> None:
        if not self._server.data.exists():
            self._server.start()
        self._say(*(f'CREATE DATABASE "{name}"' for name in services))

    def __enter__(self) -> Self:
        self._server.__enter__()
        self._say(*(f'CREATE DATABASE "{name}"' for name in self._services))
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _say(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self._server.url, autocommit=True) as conn:
            for statement in statements:
                conn.execute(statement.encode())


class Archived(Cluster):
    """The same with an archive of its write-ahead log, driven by the scripts in `wal/`.

    A machine for all services: their databases come back together, as they were at one moment.
    """

    whole = True
    TIMEOUT = 1  # seconds until a segment is archived that is not full; a drill has no minute to wait

    def __init__(self, services: Sequence[str]) -> None:
        super().__init__(services)
        folder = self._server.folder
        self._archive, self._bases, self._scripts = folder / "archive", folder / "bases", folder / "scripts"
        self._server.env |= {"WAL_ARCHIVE": str(self._archive), "BASE_BACKUPS": str(self._bases)}
        self._server.settings |= {
            "wal_level": "replica",
            "archive_mode": "on",
            "archive_timeout": self.TIMEOUT,
            "archive_command": f'"{self._scripts}/archive-wal.sh" "%p" "%f"',
        }

    def back_up(self) -> None:
        self._run(self._scripts / "base-backup.sh")

    def lose(self, services: Collection[str]) -> None:
        if services and set(services) != set(self._services):
            raise RecoveryError(
                "a server that comes back from its log comes back whole: lose all its databases"
            )
        if services:
            super().lose(services)

    def prepare(self, services: Collection[str]) -> None:
        if services:
            self._run(self._scripts / "recover.sh", max(self._bases.iterdir()))
            self._server.start()

    def __enter__(self) -> Self:
        shutil.copytree(SCRIPTS, self._scripts)  # where the server's own user can read them
        for folder in (self._archive, self._bases):
            folder.mkdir(mode=0o777)
            folder.chmod(0o777)
        return super().__enter__()

    def _run(self, *command: str | Path) -> None:
        done = self._server.command(*command, check=False)
        if done.returncode:
            raise RecoveryError(
                f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr[-2000:]}"
            )
