"""The stored events of event-sourced aggregates, as events: how a stream is replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, bindparam, func, literal, literal_column, select, tuple_, union_all

from chassis.domain import AggregateType
from chassis.jsons import decode
from chassis.snapshots import snapshots
from chassis.tables import events
from chassis.upcasting import read

_MINE = (events.c.kind == bindparam("k"), events.c.stream == bindparam("i"))
_COLUMNS = (events.c.version, events.c.name, events.c.event_version, events.c.data)
_SINCE = select(*_COLUMNS).where(*_MINE, events.c.version > bindparam("v")).order_by(events.c.version)
# The snapshot first, if there is one that fits, then the events behind it: one round trip.
_BASE = (
    select(snapshots.c.version, snapshots.c.state)
    .where(
        snapshots.c.kind == bindparam("k"),
        snapshots.c.stream == bindparam("i"),
        snapshots.c.fingerprint == bindparam("f"),
    )
    .cte("base")
)
_BEHIND = func.coalesce(select(_BASE.c.version).scalar_subquery(), 0)
_LOAD = union_all(
    select(
        _BASE.c.version,
        literal("").label("name"),
        literal(0).label("event_version"),
        _BASE.c.state.label("data"),
    ),
    select(*_COLUMNS).where(*_MINE, events.c.version > _BEHIND),
).order_by(literal_column("version"))


@dataclass(frozen=True)
class Stored:
    """An event where it stands in the life of the aggregate `stream`."""

    stream: str
    version: int
    event: Any


def replay(conn: Connection, type: AggregateType[Any], id: str) -> tuple[Any | None, int]:
    """The state that the stream's events lead to and the last one's version; (None, 0) without any."""
    state, version = None, 0
    if type.snapshot_every:
        rows: Sequence[Any] = conn.execute(_LOAD, {"k": type.name, "i": id, "f": type.fingerprint}).all()
        if rows and not rows[0].name:
            try:
                state, version = decode(type.state, rows[0].data), rows[0].version
                rows = rows[1:]
            except ValidationError:  # a cache that can't be read is as good as none
                rows = _since(conn, type, id, 0)
    else:
        rows = _since(conn, type, id, 0)
    for row in rows:
        state, version = type.evolve(state, _event(type, row)), row.version
    return state, version


def since(conn: Connection, type: AggregateType[Any], id: str, version: int) -> Iterator[Stored]:
    """The events of one stream behind `version`, oldest first."""
    for row in _since(conn, type, id, version):
        yield Stored(id, row.version, _event(type, row))


def newest(conn: Connection) -> int:
    """The position of the last event there is, for `scan`; 0 without any."""
    return conn.scalar(select(func.max(events.c.position))) or 0


def scan(
    conn: Connection, type: AggregateType[Any], after: tuple[str, int], until: int, limit: int
) -> list[Stored]:
    """Up to `limit` events of all streams, stream by stream, behind the stream and version `after`.

    Events behind position `until` are left out, so that a scan ends although streams go on growing.
    """
    behind = tuple_(events.c.stream, events.c.version) > after
    query = (
        select(events.c.stream, *_COLUMNS)
        .where(events.c.kind == type.name, behind, events.c.position <= until)
        .order_by(events.c.stream, events.c.version)
        .limit(limit)
    )
    return [Stored(row.stream, row.version, _event(type, row)) for row in conn.execute(query)]


def _since(conn: Connection, type: AggregateType[Any], id: str, version: int) -> Sequence[Any]:
    return conn.execute(_SINCE, {"k": type.name, "i": id, "v": version}).all()


def _event(type: AggregateType[Any], row: Any) -> Any:
    return read(type.event_classes[row.name], row.data, row.event_version, type.upcasters)
