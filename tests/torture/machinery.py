"""All processes that can be broken: those of the shop, and the database server if there is one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy
from chassis.testing import System
from chassis.testing.servers import Postgres

from tests.torture.plan import BROKER, DATABASE

STORES = ("sqlite", "postgres")
LONGEST_END = 60.0  # seconds for a process to stop, on a machine that is busy with something else, too


class Machinery:
    """The shop in `project` on a kind of `store`; everything runs while inside."""

    def __init__(self, project: Path, folder: Path, store: str, env: Mapping[str, str]) -> None:
        self._system = System(project, folder, env)
        self._postgres = Postgres() if store == "postgres" else None
        self._stack = ExitStack()
        self.database_urls = {
            service: f"sqlite:///{self._system.folder}/data/{service}.db" for service in self.services
        }

    @property
    def processes(self) -> tuple[str, ...]:
        return (*self._system.commands, *((DATABASE,) if self._postgres else ()))

    @property
    def services(self) -> list[str]:
        return list(self._system.services)

    @property
    def workers(self) -> tuple[str, ...]:
        return tuple(name for name in self._system.commands if name not in (BROKER, *self.services))

    @property
    def broker_url(self) -> str:
        return str(self._system.env["BROKER_URL"])

    @property
    def folder(self) -> Path:
        return Path(self._system.folder)

    def url(self, service: str) -> str:
        return str(self._system.url(service))

    def headers(self, who: str) -> dict[str, str]:
        """What the customer with this id shows when they call a service; who runs the shop, without one."""
        credentials = self._system.credentials
        if credentials is None:
            return {}
        token = credentials.token("customer", subject=who) if who else credentials.token(*credentials.roles)
        return {"Authorization": f"Bearer {token}"}

    def environment(self, service: str) -> dict[str, str]:
        """What a command for the people who run the service is started with."""
        return {**self._system.env, "DATABASE_URL": self.database_urls[service]}

    def start(self, *names: str, wait: bool = True, timeout: float = 60.0) -> None:
        if DATABASE in names:
            assert self._postgres
            self._postgres.start()
        if others := [name for name in names if name != DATABASE]:
            self._system.start(*others, wait=wait, timeout=timeout)

    def kill(self, name: str) -> None:
        self._postgres.kill() if self._postgres and name == DATABASE else self._system.kill(name)

    def end(self, name: str) -> int:
        """Ask the process to end; returns its exit code."""
        return int(self._system.end(name, LONGEST_END))

    def freeze(self, name: str) -> None:
        self._system.freeze(name)

    def thaw(self, name: str) -> None:
        self._system.thaw(name)

    def running(self, name: str) -> bool:
        return name == DATABASE or self._system.running(name)

    def wait_ready(self, timeout: float) -> None:
        """Return when every process takes work."""
        for name in self._system.commands:
            self._system.wait_ready(name, timeout)

    def log(self, name: str, lines: int = 30) -> str:
        return str(self._system.log(name, lines))

    def stop(self) -> dict[str, int]:
        """Ask the shop's processes to end; returns their exit codes."""
        return dict(self._system.stop(LONGEST_END))

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self._postgres:
                stack.enter_context(self._postgres)
                self._create_databases(self._postgres.url)
            stack.enter_context(self._system)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _create_databases(self, url: str) -> None:
        """One for each service, which no other one is told."""
        server = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
        engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            for service in self.services:
                conn.execute(sqlalchemy.text(f'CREATE DATABASE "{service}"'))
        engine.dispose()
        base = url.rpartition("/")[0]
        self.database_urls = {service: f"{base}/{service}" for service in self.services}
        for service, database in self.database_urls.items():
            self._system.env[f"{service.upper().replace('-', '_')}_DATABASE_URL"] = database


def program(*arguments: str) -> list[str]:
    """A command of the chassis, as the Makefile of the project runs it."""
    return [sys.executable, "-m", "chassis", *arguments]
