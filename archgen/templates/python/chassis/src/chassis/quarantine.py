"""Messages under suspicion of killing the process that handles them.

A failure that the process survives is counted where it happens. One that it does not survive, because it
runs out of memory or a library crashes, is seen only by the broker, which delivers the message again, and
with it all that were on their way at the same time. So a message that came too often for no known reason is
handled alone, one at a time in the whole process, with a note made before and removed after. A note that is
found there belongs to a process that ended in between, and tells the culprit from its neighbours.
"""

from __future__ import annotations

import time

from sqlalchemy import Column, Connection, Double, Integer, PrimaryKeyConstraint, Table, Text, delete
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from chassis.tables import metadata

suspects = Table(
    "suspects",
    metadata,
    Column("consumer", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("times", Integer, nullable=False),
    Column("noted_at", Double, nullable=False),
    PrimaryKeyConstraint("consumer", "message_id"),
)


def note(conn: Connection, consumer: str, message_id: str) -> int:
    """Note that the message is about to be handled alone; returns how often that ended with the process."""
    mine = insert_sqlite(suspects) if conn.dialect.name == "sqlite" else insert_postgresql(suspects)
    now = time.time()
    fresh = mine.values(consumer=consumer, message_id=message_id, times=1, noted_at=now)
    again = fresh.on_conflict_do_update(
        index_elements=["consumer", "message_id"], set_={"times": suspects.c.times + 1, "noted_at": now}
    )
    times: int = conn.execute(again.returning(suspects.c.times)).scalar_one()
    return times - 1


def acquit(conn: Connection, consumer: str, message_id: str) -> None:
    """Remove the note: the process is still there."""
    mine = (suspects.c.consumer == consumer) & (suspects.c.message_id == message_id)
    conn.execute(delete(suspects).where(mine))
