"""The saga log: every instance as one row, written together with the commands it sends."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, func, select

from chassis.saga.state import Instance
from chassis.tables import SAGA_OPEN, sagas
from chassis.versioned import Row, VersionedRows

_COLUMNS = {"id", "saga", "status", "deadline"}
_DOCUMENT = tuple(f.name for f in fields(Instance) if f.name not in _COLUMNS)


class SagaLog:
    """The instances that one transaction moves."""

    def __init__(self, conn: Connection) -> None:
        self._rows = VersionedRows(conn, sagas)

    def load(self, id: str) -> Instance | None:
        row = self._rows.load(id)
        return _instance(id, row) if row.version else None

    def prefetch(self, ids: Iterable[str]) -> None:
        """Read many instances in one statement; `load` then finds them."""
        self._rows.prefetch((id,) for id in ids)

    def begin(self, id: str) -> None:
        """Take it that there is no such instance: what causes it happens in this very transaction."""
        self._rows.begin(id)

    def save(self, instance: Instance) -> None:
        row = self._rows.load(instance.id)
        state = {name: getattr(instance, name) for name in _DOCUMENT}
        self._rows.save(
            instance.id,
            version=row.version + 1,
            name=instance.saga,
            status=instance.status,
            state=state,
            deadline=instance.deadline,
            updated_at=time.time(),
        )

    def flush(self) -> None:
        """Write the moves. Raises Conflict when another replica moved one of them."""
        self._rows.flush()


def overdue(conn: Connection, names: Sequence[str], now: float, limit: int = 100) -> list[str]:
    """Ids of the instances of the sagas `names` whose deadline passed, the longest overdue first."""
    late = (sagas.c.deadline <= now) & sagas.c.name.in_(names)
    return list(conn.scalars(select(sagas.c.id).where(late).order_by(sagas.c.deadline).limit(limit)))


def in_flight(conn: Connection) -> dict[tuple[str, str], int]:
    """How many instances there are per saga and status, the ended ones left out."""
    query = (
        select(sagas.c.name, sagas.c.status, func.count())
        .where(SAGA_OPEN)
        .group_by(sagas.c.name, sagas.c.status)
    )
    return {(name, status): count for name, status, count in conn.execute(query)}


def listed(conn: Connection, *, status: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """The newest instances, optionally of one status, as plain values for people to read."""
    query = select(sagas).order_by(sagas.c.updated_at.desc()).limit(limit)
    if status:
        query = query.where(sagas.c.status == status)
    return [
        {"id": row.id, "saga": row.name, "status": row.status, "updated_at": row.updated_at, **row.state}
        for row in conn.execute(query)
    ]


def _instance(id: str, row: Row) -> Instance:
    values = row.values
    return Instance(
        id=id, saga=values["name"], status=values["status"], deadline=values["deadline"], **values["state"]
    )
