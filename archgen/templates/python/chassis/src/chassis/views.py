"""Projections: read models kept up to date from events (the Q side of CQRS).

A view is `project(row, event) -> row`, pure, and its row remembers the version of the aggregate
that it shows. So an event that comes twice changes nothing, and one that comes early waits
until the ones before it have arrived. While the view is being rebuilt (`rebuild`), each event goes
into the rows that are shown and into the new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, select

from chassis import generations, projecting
from chassis.domain import AggregateType
from chassis.generations import Generations
from chassis.jsons import decode, encode
from chassis.messages import Message
from chassis.tables import view_rows
from chassis.versioned import VersionedRows


class Early(Exception):
    """An event arrived before the ones that precede it; it is delivered again a little later."""


@dataclass(frozen=True)
class View:
    """A read model with one row per aggregate.

    It hears every event of the aggregate, also those that `project` passes over, so that a gap
    in the versions always means that something is still on its way. `of` and, for an aggregate that
    keeps only its state, `from_state` are what a rebuild goes by: `from_state(state) -> row`. `owner`
    names the field of a row that says whose it is; empty where rows are nobody's.
    """

    name: str
    row: type[Any]
    events: tuple[type[Any], ...]
    project: Callable[[Any, Any], Any]
    of: AggregateType[Any] | None = None
    from_state: Callable[[Any], Any] | None = None
    owner: str = ""

    def document(self, row: Any) -> tuple[dict[str, Any] | None, str | None]:
        """`row` as it is stored, and whose it is."""
        if row is None:
            return None, None
        document: dict[str, Any] = encode(row)
        return document, str(document.get(self.owner) or "") if self.owner else None

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
        self._conn = conn
        self._rows = VersionedRows(conn, view_rows)
        self._decoded: dict[tuple[str, str], Any] = {}
        self._generations: dict[str, Generations] = {}
        self._saved: dict[str, tuple[View, set[str]]] = {}

    def load(self, view: View, key: str) -> tuple[Any, int]:
        """The row and the version it shows; (None, 0) when there is none yet.

        A row that another release wrote in another shape is made again from history, where there is one.
        """
        stored = self._rows.load(self._of(view).live, key)
        if (view.name, key) not in self._decoded:
            document = stored.values.get("row")
            try:
                self._decoded[view.name, key] = None if document is None else decode(view.row, document)
            except ValidationError as error:
                try:
                    again = projecting.refold(self._conn, view, key)
                except projecting.NoHistory:
                    raise error from None
                self.save(view, key, again.row, again.version)
        return self._decoded[view.name, key], stored.version

    def prefetch(self, view: View, keys: Iterable[str]) -> None:
        """Read many rows in one statement; `load` then finds them."""
        live = self._of(view).live
        self._rows.prefetch((live, key) for key in keys)

    def save(self, view: View, key: str, row: Any, version: int) -> None:
        self._decoded[view.name, key] = row
        self._saved.setdefault(view.name, (view, set()))[1].add(key)
        document, owner = view.document(row)
        self._rows.save(self._of(view).live, key, version=version, row=document, owner=owner)

    def flush(self) -> None:
        """Write what changed. Raises Conflict when another replica projected the same row."""
        self._rows.flush()
        for view, keys in self._saved.values():
            if building := self._of(view).building:
                projecting.catch_up(self._conn, view, building, sorted(keys))
        self._saved.clear()

    def _of(self, view: View) -> Generations:
        if view.name not in self._generations:
            self._generations[view.name] = generations.current(self._conn, view.name)
        return self._generations[view.name]


@dataclass(frozen=True)
class Shown:
    """A row as JSON values, and the version it shows; no row and version 0 when there is none."""

    row: dict[str, Any] | None
    version: int


def shown(conn: Connection, view: str, key: str) -> Shown:
    """What the view shows for `key`."""
    query = select(view_rows.c.row, view_rows.c.version)
    found = conn.execute(
        query.where(view_rows.c.view == generations.live(view), view_rows.c.key == key)
    ).first()
    return Shown(found.row, found.version) if found else Shown(None, 0)


def find(conn: Connection, view: str, key: str) -> dict[str, Any] | None:
    """One row as JSON values, or None."""
    found = shown(conn, view, key)
    return None if found.row is None else {**found.row, "version": found.version}


def page(
    conn: Connection, view: str, *, limit: int, after: str = "", owner: str | None = None
) -> tuple[list[dict[str, Any]], str]:
    """Up to `limit` rows in the order of their keys, beginning behind the key `after`.

    With `owner`, only theirs. Also returns the key to continue after, empty when this was the last page.
    """
    query = (
        select(view_rows.c.key, view_rows.c.row, view_rows.c.version)
        .where(view_rows.c.view == generations.live(view), view_rows.c.key > after)
        .order_by(view_rows.c.key)
        .limit(limit)
    )
    if owner is not None:
        query = query.where(view_rows.c.owner == owner)
    found = conn.execute(query).all()
    rows = [{**one.row, "version": one.version} for one in found if one.row is not None]
    return rows, found[-1].key if found and len(found) == limit else ""
