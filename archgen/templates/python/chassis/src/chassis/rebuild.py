"""Rebuilds a view from nothing while it is being read and events keep arriving.

    python -m chassis rebuild orders order_details

A row depends on one aggregate only, so no position in a global order is needed: the row's version is
its position. The new rows are written beside the old ones, from history, while whoever projects a
live event brings the new row of that aggregate up to date in the same transaction. When history has
been read once, every new row is at least as far as its old one, and one update switches over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from chassis import generations, history, projecting
from chassis.db import Database
from chassis.domain import AggregateType
from chassis.history import Stored
from chassis.projecting import Projected
from chassis.tables import aggregates
from chassis.views import View

EVENTS = 2_000  # read, and written, at a time
BREATH = 0.002  # seconds for others who want to write


class Superseded(Exception):
    """Another rebuild of the view began meanwhile; that one's rows will be shown."""


@dataclass
class Rebuild:
    """One rebuild of `view`: `begin`, then `step` until it says that it was the last, then `finish`.

    `rows` and `events` count what was done. Raises NoHistory when the view can't be rebuilt.
    """

    db: Database
    view: View
    size: int = EVENTS
    rows: int = 0
    events: int = 0
    _name: str = ""
    _after: tuple[str, int] = ("", 0)
    _until: int = 0
    _open: tuple[str, Any, int] | None = field(default=None)

    async def begin(self) -> None:
        """From here on, whoever projects keeps the new rows up to date, too."""
        projecting.source_of(self.view)
        self._name = await self.db.run(lambda conn: generations.begin(conn, self.view.name))
        # What is appended behind this is brought into the new rows when it is projected.
        self._until = await self.db.read(history.newest)

    async def step(self) -> bool:
        """Read a piece of history and write the rows it leads to; False after the last piece."""
        type = projecting.source_of(self.view)
        done, more = await self.db.read(lambda conn: self._read(conn, type))

        def write(conn: Connection) -> None:
            if not generations.touch(conn, self.view.name, self._name):
                raise Superseded(f"another rebuild of {self.view.name} began")
            projecting.write(conn, self.view, self._name, done)

        await self.db.run(write)
        self.rows += len(done)
        return more

    async def finish(self) -> None:
        """Show the new rows, all at once, and remove the old ones piece by piece."""
        if not await self.db.run(lambda conn: generations.switch(conn, self.view.name, self._name)):
            raise Superseded(f"another rebuild of {self.view.name} began")
        while await self.db.run(lambda conn: generations.sweep(conn, self.size)):
            await asyncio.sleep(BREATH)

    def _read(self, conn: Connection, type: AggregateType[Any]) -> tuple[list[Projected], bool]:
        if not type.event_sourced:
            return self._read_states(conn, type)
        stored = history.scan(conn, type, self._after, self._until, self.size)
        self.events += len(stored)
        more = len(stored) == self.size
        done = list(self._fold(stored))
        if stored:
            self._after = (stored[-1].stream, stored[-1].version)
        if not more and self._open:
            done.append(Projected(*self._open))
        return done, more

    def _fold(self, stored: list[Stored]) -> Iterator[Projected]:
        """The rows of all streams that ended; the last one may go on in the next piece."""
        for each in stored:
            if self._open and self._open[0] != each.stream:
                yield Projected(*self._open)
                self._open = None
            row = self._open[1] if self._open else None
            self._open = (each.stream, self.view.project(row, each.event), each.version)

    def _read_states(self, conn: Connection, type: AggregateType[Any]) -> tuple[list[Projected], bool]:
        query = (
            select(aggregates.c.id, aggregates.c.version, aggregates.c.state)
            .where(aggregates.c.kind == type.name, aggregates.c.id > self._after[0])
            .order_by(aggregates.c.id)
            .limit(self.size)
        )
        found = conn.execute(query).all()
        self.events += len(found)
        if found:
            self._after = (found[-1].id, 0)
        return [projecting.from_state(self.view, type, *row) for row in found], len(found) == self.size


async def rebuild(db: Database, view: View) -> tuple[int, int, float]:
    """Rebuild `view`; returns how many rows it has, from how many events or states, in how many seconds.

    Killed at any point, it leaves the rows that are shown as they are. Raises NoHistory, Superseded,
    and whatever `project` raises.
    """
    began = time.perf_counter()
    work = Rebuild(db, view)
    await work.begin()
    while await work.step():
        await asyncio.sleep(BREATH)
    await work.finish()
    return work.rows, work.events, time.perf_counter() - began
