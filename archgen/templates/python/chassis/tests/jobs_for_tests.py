"""A service with jobs, for tests that need a worker: effects are rows that can be counted."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select

from chassis.db import Database
from chassis.jobs import Backoff, Effect, GiveUp, Job, Run
from chassis.jobs.cron import Cron
from chassis.jobs.queue import Enqueued, find, write
from chassis.service import Service
from chassis.uow import UnitOfWork

# Not the chassis's own: what a job did shows here, once per commit.
effects = Table(
    "effects", MetaData(), Column("position", Integer, primary_key=True), Column("what", Text, nullable=False)
)
SOON = Backoff(delay=0.05)


@dataclass(frozen=True, kw_only=True)
class Note:
    NAME: ClassVar[str] = "note"
    PRIORITY: ClassVar[int] = 2
    what: str
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Call:
    NAME: ClassVar[str] = "call"
    PRIORITY: ClassVar[int] = 2
    what: str
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Poison:
    NAME: ClassVar[str] = "poison"
    PRIORITY: ClassVar[int] = 2
    hopeless: bool = False


@dataclass(frozen=True, kw_only=True)
class Nightly:
    NAME: ClassVar[str] = "nightly"
    PRIORITY: ClassVar[int] = 2
    due: str = ""


def did(uow: UnitOfWork, what: str) -> None:
    uow._session.conn.execute(insert(effects).values(what=what))


def note(args: Note, uow: UnitOfWork) -> None:
    did(uow, args.what)
    time.sleep(args.seconds)


@dataclass
class World:
    """What is called from outside; it remembers the keys that it was called with."""

    keys: list[str] = field(default_factory=list)

    async def call(self, args: Call, run: Run) -> Effect:
        self.keys.append(run.key)
        await asyncio.sleep(args.seconds)
        return lambda uow: did(uow, args.what)


def poison(args: Poison, uow: UnitOfWork) -> None:
    did(uow, "poison")
    if args.hopeless:
        raise GiveUp("hopeless")
    raise RuntimeError("it never works")


def nightly(args: Nightly, uow: UnitOfWork) -> None:
    did(uow, args.due)


def service(world: World | None = None, *, schedule: str = "0 3 * * *", keep: float = 60.0) -> Service:
    world = world or World()

    async def call(args: Call, run: Run) -> Effect:
        return await world.call(args, run)

    return Service(
        "shop",
        "tested",
        jobs=(
            Job(Note, note, backoff=SOON, keep=keep),
            Job(Call, call, backoff=SOON, keep=keep, timeout=5.0),
            Job(Poison, poison, backoff=SOON, keep=keep),
            Job(Nightly, nightly, schedule=Cron(schedule), keep=keep),
        ),
    )


async def prepare(db: Database) -> None:
    await db.run(lambda conn: effects.drop(conn, checkfirst=True))
    await db.run(effects.create)


async def enqueue(db: Database, id: str, args: Any, *, priority: int = 2, at: float | None = None) -> None:
    job = Enqueued(id, args.NAME, dict(vars(args)), priority, time.time() if at is None else at)
    await db.run(lambda conn: write(conn, [job]))


async def done(db: Database) -> list[str]:
    """What was done, in order."""
    query = select(effects.c.what).order_by(effects.c.position)
    return await db.read(lambda conn: list(conn.scalars(query)))


async def until_ended(db: Database, *ids: str, patience: float = 20.0) -> list[str]:
    """Wait until these are done or failed; returns their states. Fails after `patience` seconds."""
    async with asyncio.timeout(patience):
        while True:
            rows = [await db.read(lambda conn, id=id: find(conn, id)) for id in ids]  # type: ignore[misc]
            if all(row is not None and row.status in ("done", "failed") for row in rows):
                return [row.status for row in rows]  # type: ignore[union-attr]
            await asyncio.sleep(0.02)
