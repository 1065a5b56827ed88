"""What the relay has published, kept for a while: should the broker lose it, it is published again.

A backup of the stream is a little older than the stream. Without these rows the messages in between
would be gone, and sagas that live from events alone would wait for ever.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import Column, Connection, Double, Index, Table, Text, func, insert, literal, select

from chassis.tables import Serial, metadata, outbox

# As long as two nightly backups and a morning: one of them may have failed.
KEEP_SENT = 2.5 * 86_400.0

sent = Table(
    "sent",
    metadata,
    Column("position", Serial, primary_key=True, autoincrement=True),
    Column("message_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("sent_at", Double, nullable=False),
    Index("sent_sent_at", "sent_at"),
)


def keep(conn: Connection, positions: Sequence[int]) -> None:
    """Copy these rows of the outbox, which the broker has stored just now."""
    columns = select(outbox.c.message_id, outbox.c.subject, outbox.c.body, literal(time.time()))
    rows = columns.where(outbox.c.position.in_(positions)).order_by(outbox.c.position)
    conn.execute(insert(sent).from_select(["message_id", "subject", "body", "sent_at"], rows))


def send_again(conn: Connection, since: float) -> int:
    """Put what was sent since then (a Unix time) back into the outbox; returns how many messages.

    They go out under their old ids, so whoever has handled one passes over it.
    """
    found = sent.c.sent_at >= since
    columns = select(sent.c.message_id, sent.c.subject, sent.c.body, literal(time.time()))
    names = ["message_id", "subject", "body", "created_at"]
    conn.execute(insert(outbox).from_select(names, columns.where(found).order_by(sent.c.position)))
    # The driver of PostgreSQL does not tell how many rows such an insert wrote.
    return conn.scalar(select(func.count()).select_from(sent).where(found)) or 0
