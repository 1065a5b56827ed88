"""Publishes the outbox: at least once, in order, in batches, by one replica at a time.

A message leaves the table only after the broker has stored it, and `sent` keeps it for a while. A crash
between the two publishes it again under the same id, which the broker and every inbox recognise.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from chassis import clock, messaging, metrics, sent
from chassis.bus import Bus, Outgoing
from chassis.db import Database
from chassis.tables import leases, outbox

log = logging.getLogger(__name__)
BATCH = 500
IDLE = 0.5  # seconds between looks when nobody called `wake`: another replica may have written
LEASE = 10.0


@dataclass(frozen=True)
class Lease:
    """The right to do what only one replica may do, for `seconds` at a time."""

    name: str
    holder: str
    seconds: float = LEASE

    def hold(self, conn: Connection) -> bool:
        """Take or renew it; False while somebody else has it."""
        now = clock.now(conn)
        insert = sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert
        fresh = insert(leases).values(name=self.name, holder=self.holder, expires_at=now + self.seconds)
        taken = fresh.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": self.holder, "expires_at": now + self.seconds},
            where=(leases.c.holder == self.holder) | (leases.c.expires_at < now),
        ).returning(leases.c.holder)
        return conn.execute(taken).first() is not None

    def release(self, conn: Connection) -> None:
        """Let another replica take over at once."""
        mine = (leases.c.name == self.name) & (leases.c.holder == self.holder)
        conn.execute(update(leases).where(mine).values(expires_at=0.0))


class Relay:
    """Moves messages from the outbox to the broker until it is cancelled."""

    def __init__(self, db: Database, bus: Bus, holder: str = "") -> None:
        """`holder` names this replica; one that comes back under the same name goes on at once."""
        self._db = db
        self._bus = bus
        self._wake = asyncio.Event()
        self._lease = Lease("outbox", holder or str(uuid4()))
        self._held_until = 0.0

    def wake(self) -> None:
        """There is something to publish; don't wait for the next look."""
        self._wake.set()

    async def run(self) -> None:
        delay = 0.1
        while True:
            self._wake.clear()
            try:
                moved = await self.publish_batch()
                delay = 0.1
            except Exception as error:
                # The broker or the database is away. Nothing is lost: the rows are still there.
                log.warning("the outbox could not be published yet", extra={"reason": repr(error)})
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)
                continue
            if moved < BATCH:
                await self._pause()

    async def _pause(self) -> None:
        # Not `wait_for`: until Python 3.12 it forgets a cancellation that comes just as it is woken, and
        # the last batch of a service that stops does wake this.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE):
                await self._wake.wait()

    async def publish_batch(self) -> int:
        """Publish the oldest messages; returns how many. Raises when the broker did not take them."""
        if not await self._is_mine():
            return 0
        rows = await self._db.read(_oldest)
        if rows:
            began = time.time_ns()
            await self._bus.publish([Outgoing(r.message_id, r.subject, r.body.encode()) for r in rows])
            messaging.published(rows, began, time.time_ns())
            await self._db.run(lambda conn: _remove(conn, rows))
            metrics.outbox_published.inc(len(rows))
        return len(rows)

    async def _is_mine(self) -> bool:
        now = time.monotonic()
        if now > self._held_until:
            held = await self._db.run(self._lease.hold)
            self._held_until = now + LEASE / 2 if held else 0.0
        return self._held_until > now

    async def close(self) -> None:
        """Publish what is left, as far as that goes, and hand over to another replica."""
        try:
            while await self.publish_batch():
                pass
            await self._db.run(self._lease.release)
        except Exception as error:
            log.warning("the rest of the outbox waits for the next start", extra={"reason": repr(error)})


def backlog(conn: Connection) -> tuple[int, float]:
    """How many messages wait, and how many seconds the oldest has waited."""
    count, oldest = conn.execute(select(func.count(), func.min(outbox.c.created_at))).one()
    return count, max(0.0, time.time() - oldest) if count else 0.0


def waiting(conn: Connection, addresses: Sequence[str]) -> int:
    """How many messages to `addresses` wait to be published."""
    mine = outbox.c.subject.in_(addresses)
    return conn.scalar(select(func.count()).select_from(outbox).where(mine)) or 0


def _oldest(conn: Connection) -> Sequence[Any]:
    columns = select(outbox.c.position, outbox.c.message_id, outbox.c.subject, outbox.c.body)
    return conn.execute(columns.order_by(outbox.c.position).limit(BATCH)).all()


def _remove(conn: Connection, rows: Sequence[Any]) -> None:
    positions = [row.position for row in rows]
    sent.keep(conn, positions)
    # By position one by one, not "all up to": a slower transaction may commit a lower position later.
    conn.execute(delete(outbox).where(outbox.c.position.in_(positions)))
