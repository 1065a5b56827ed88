"""Projections: read models kept up to date from events (the Q side of CQRS).

A view is `project(row, event) -> row`, pure, and its row remembers the version of the aggregate
that it shows. So an event that comes twice changes nothing, and one that comes early waits
until the ones before it have arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from chassis.jsons import decode, encode
from chassis.messages import Message
from chassis.tables import view_rows
from chassis.versioned import VersionedRows

_SELECT = select(view_rows.c.row, view_rows.c.version).where(
    view_rows.c.view == bindparam("v"), view_rows.c.key == bindparam("k")
)


class Early(Exception):
    """An event arrived before the ones that precede it; it is delivered again a little later."""


@dataclass(frozen=True)
class View:
    """A read model with one row per aggregate.

    It hears every event of the aggregate, also those that `project` passes over, so that a gap
    in the versions always means that something is still on its way.
    """

    name: str
    row: type[Any]
    events: tuple[type[Any], ...]
    project: Callable[[Any, Any], Any]

    def apply(self, views: ViewStore, message: Message, event: Any) -> None:
        """Project `event`. Raises Early when an earlier event of the aggregate is missing."""
        row, version = views.load(self, message.subject)
        if message.version <= version:
            return
        if message.version > version + 1:
            raise Early(
                f"{self.name} {message.subject} is at version {version}, not yet at {message.version - 1}"
            )
        views.save(self, message.subject, self.project(row, event), message.version)


class ViewStore:
    """The rows that one transaction projects; each is read once and written once."""

    def __init__(self, conn: Connection) -> None:
        self._rows = VersionedRows(conn, view_rows)
        self._decoded: dict[tuple[str, str], Any] = {}

    def load(self, view: View, key: str) -> tuple[Any, int]:
        """The row and the version it shows; (None, 0) when there is none yet."""
        stored = self._rows.load(view.name, key)
        if (view.name, key) not in self._decoded:
            document = stored.values.get("row")
            self._decoded[view.name, key] = None if document is None else decode(view.row, document)
        return self._decoded[view.name, key], stored.version

    def save(self, view: View, key: str, row: Any, version: int) -> None:
        self._decoded[view.name, key] = row
        self._rows.save(view.name, key, version=version, row=None if row is None else encode(row))

    def flush(self) -> None:
        """Write what changed. Raises Conflict when another replica projected the same row."""
        self._rows.flush()


def find(conn: Connection, view: str, key: str) -> dict[str, Any] | None:
    """One row as JSON values, or None."""
    found = conn.execute(_SELECT, {"v": view, "k": key}).first()
    return {**found.row, "version": found.version} if found and found.row is not None else None


def page(conn: Connection, view: str, *, limit: int, after: str = "") -> tuple[list[dict[str, Any]], str]:
    """Up to `limit` rows in the order of their keys, beginning behind the key `after`.

    Also returns the key to continue after, empty when this was the last page.
    """
    query = (
        select(view_rows.c.key, view_rows.c.row, view_rows.c.version)
        .where(view_rows.c.view == view, view_rows.c.key > after)
        .order_by(view_rows.c.key)
        .limit(limit)
    )
    found = conn.execute(query).all()
    rows = [{**one.row, "version": one.version} for one in found if one.row is not None]
    return rows, found[-1].key if found and len(found) == limit else ""
