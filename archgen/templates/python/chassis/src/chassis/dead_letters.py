"""Messages that were given up: for a person to read, and to send again once the cause is mended."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from chassis.tables import dead_letters, inbox, outbox


def listed(conn: Connection, limit: int = 100) -> list[dict[str, Any]]:
    """Those that were not sent again yet, the oldest first."""
    query = (
        select(dead_letters)
        .where(dead_letters.c.redriven_at.is_(None))
        .order_by(dead_letters.c.position)
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def waiting(conn: Connection) -> dict[str, int]:
    """How many each consumer has given up on that were not sent again."""
    query = (
        select(dead_letters.c.consumer, func.count().label("waiting"))
        .where(dead_letters.c.redriven_at.is_(None))
        .group_by(dead_letters.c.consumer)
    )
    return {row.consumer: row.waiting for row in conn.execute(query)}


def address(system: str, consumer: str) -> str:
    """Where the redriven messages of `consumer` go."""
    return f"{system}.redrive.{consumer}"


def redrive(conn: Connection, message_id: str = "") -> int:
    """Send them again, all or the one of that id; returns how many.

    The message goes out through the outbox to the consumer that gave up and to nobody else, under the
    name of a redrive, since the broker would drop its own id as a repeat.
    """
    query = select(dead_letters).where(dead_letters.c.redriven_at.is_(None)).order_by(dead_letters.c.position)
    if message_id:
        query = query.where(dead_letters.c.message_id == message_id)
    letters = conn.execute(query).all()
    for letter in letters:
        conn.execute(
            delete(inbox).where(inbox.c.consumer == letter.consumer, inbox.c.message_id == letter.message_id)
        )
        conn.execute(
            insert(outbox).values(
                message_id=f"redrive-{letter.position}-{letter.attempts}-{letter.message_id}",
                subject=address(letter.subject.partition(".")[0], letter.consumer),
                body=letter.body,
                created_at=time.time(),
            )
        )
        conn.execute(
            update(dead_letters)
            .where(dead_letters.c.position == letter.position)
            .values(redriven_at=time.time())
        )
    return len(letters)
