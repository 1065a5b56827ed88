"""Forgets what is needed no longer, a bounded piece at a time."""

from __future__ import annotations

import time

from sqlalchemy import Connection, Table, delete, select, tuple_

from chassis import generations, idempotency
from chassis.quarantine import suspects
from chassis.security import rates, sessions
from chassis.sent import KEEP_SENT, sent
from chassis.tables import SAGA_ENDED, inbox, saga_steps, sagas

DAY = 86_400.0
# Longer than the broker keeps messages (`bus.nats.RETENTION`), so that none can come back as new.
KEEP_INBOX = 9 * DAY
KEEP_STEPS = 30 * DAY
KEEP_SAGAS = 30 * DAY
PIECE = 5_000


def forget(conn: Connection, now: float | None = None) -> int:
    """Delete up to PIECE rows of each kind that are older than they need to be; returns how many."""
    now = time.time() if now is None else now
    return (
        _delete(conn, inbox, inbox.c.handled_at < now - KEEP_INBOX)
        + _delete(conn, suspects, suspects.c.noted_at < now - KEEP_INBOX)
        + _delete(conn, sent, sent.c.sent_at < now - KEEP_SENT)
        + _delete(conn, saga_steps, saga_steps.c.updated_at < now - KEEP_STEPS)
        + idempotency.forget(conn, limit=PIECE)
        + generations.sweep(conn, PIECE, now)
        + sessions.forget(conn, now, PIECE)
        + rates.forget(conn, now, PIECE)
        + _delete(conn, sagas, (sagas.c.updated_at < now - KEEP_SAGAS) & SAGA_ENDED)
    )


def _delete(conn: Connection, table: Table, old: object) -> int:
    key = list(table.primary_key.columns)
    piece = select(*key).where(old).limit(PIECE)  # type: ignore[arg-type]
    return conn.execute(delete(table).where(tuple_(*key).in_(piece))).rowcount
