"""Which rows of a view are the ones to show, while others are being built beside them.

A view's rows are kept under its name; each rebuild writes a new generation of them, `orders#2`, and a
switch is one update of one row here. Whoever projects sees the same generations until it commits:
on SQLite since there is one writer, on PostgreSQL by a lock that only a rebuild's beginning and end
take exclusively.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from chassis.tables import metadata, view_rows

ABANDONED = 600.0  # seconds without a sign of life from a rebuild

generations = Table(
    "view_generations",
    metadata,
    Column("view", Text, primary_key=True),
    Column("live", Text, nullable=False),
    Column("building", Text),
    Column("number", Integer, nullable=False),  # how many rebuilds were begun
    Column("touched_at", Double, nullable=False),
)
_FIND = select(generations.c.live, generations.c.building).where(generations.c.view == bindparam("v"))


@dataclass(frozen=True)
class Generations:
    """The names under which rows are kept: those to show, and those of a rebuild, if one is under way."""

    live: str
    building: str | None = None


def current(conn: Connection, view: str) -> Generations:
    """The generations as they stay until this transaction ends."""
    _lock(conn, view, shared=True)
    found = conn.execute(_FIND, {"v": view}).first()
    return Generations(found.live, found.building) if found else Generations(view)


def live(view: str) -> ColumnElement[str]:
    """An expression for the name of the generation to show, for use in a query of `view_rows`."""
    shown = select(generations.c.live).where(generations.c.view == view).scalar_subquery()
    return func.coalesce(shown, view)


def begin(conn: Connection, view: str) -> str:
    """Start a new generation, in the place of one that was being built, and return its name."""
    _lock(conn, view)
    number = conn.scalar(select(generations.c.number).where(generations.c.view == view))
    if number is None:
        number = 0
        row = {"view": view, "live": view, "number": 0, "touched_at": time.time()}
        conn.execute(insert(generations), [row])
    name = f"{view}#{number + 1}"
    mine = update(generations).where(generations.c.view == view)
    conn.execute(mine.values(number=number + 1, building=name, touched_at=time.time()))
    return name


def touch(conn: Connection, view: str, building: str) -> bool:
    """Say that `building` is being worked on; False when another rebuild took its place."""
    mine = (generations.c.view == view) & (generations.c.building == building)
    return bool(conn.execute(update(generations).where(mine).values(touched_at=time.time())).rowcount)


def switch(conn: Connection, view: str, building: str) -> bool:
    """Show `building` from now on; False when another rebuild took its place."""
    _lock(conn, view)
    mine = (generations.c.view == view) & (generations.c.building == building)
    return bool(conn.execute(update(generations).where(mine).values(live=building, building=None)).rowcount)


def sweep(conn: Connection, limit: int, now: float | None = None) -> int:
    """Delete up to `limit` rows that no view shows any more; returns how many.

    A rebuild that was killed counts as abandoned after a while, and its rows go, too.
    """
    now = time.time() if now is None else now
    stale = generations.c.building.is_not(None) & (generations.c.touched_at < now - ABANDONED)
    conn.execute(update(generations).where(stale).values(building=None))
    gone = 0
    for row in conn.execute(select(generations)).all():
        names = [row.view, *(f"{row.view}#{number}" for number in range(1, row.number + 1))]
        dead = [name for name in names if name not in (row.live, row.building)]
        key = tuple_(view_rows.c.view, view_rows.c.key)
        piece = (
            select(view_rows.c.view, view_rows.c.key).where(view_rows.c.view.in_(dead)).limit(limit - gone)
        )
        if dead and gone < limit:
            gone += conn.execute(delete(view_rows).where(key.in_(piece))).rowcount
    return gone


def _lock(conn: Connection, view: str, *, shared: bool = False) -> None:
    if conn.dialect.name == "sqlite":
        return
    key = int.from_bytes(hashlib.sha256(f"view {view}".encode()).digest()[:8], signed=True)
    lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    conn.execute(select(lock(key)))
