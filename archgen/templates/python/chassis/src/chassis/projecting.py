"""Rows of a view made from what its service keeps: an aggregate's events, or its state.

An event-sourced aggregate has its whole history, and any view can be made from that. One that keeps
only its state has no history any more: its view says with `from_state` what a row is for a state, or
can't be made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from chassis import history
from chassis.domain import AggregateType
from chassis.jsons import decode
from chassis.tables import aggregates, view_rows

if TYPE_CHECKING:
    from chassis.views import View


class NoHistory(Exception):
    """The view shows what nobody keeps, so it can't be made again."""


@dataclass(frozen=True)
class Projected:
    """The row of aggregate `key` as of its `version`; None when there is nothing to show."""

    key: str
    row: Any
    version: int


def source_of(view: View) -> AggregateType[Any]:
    """The aggregate that the view is made from. Raises NoHistory."""
    if view.of is None:
        raise NoHistory(f"{view.name} does not say which aggregate it is of")
    if not view.of.event_sourced and view.from_state is None:
        raise NoHistory(
            f"{view.of.name} keeps only its state, and {view.name} has no from_state to make a row of one: "
            f"give it one, or make {view.of.name} event-sourced"
        )
    return view.of


def refold(conn: Connection, view: View, key: str, base: Projected | None = None) -> Projected:
    """The row of one aggregate, up to what this transaction sees, from `base` on. Raises NoHistory."""
    type = source_of(view)
    at = base or Projected(key, None, 0)
    if not type.event_sourced:
        mine = (aggregates.c.kind == type.name) & (aggregates.c.id == key)
        found = conn.execute(
            select(aggregates.c.id, aggregates.c.version, aggregates.c.state).where(mine)
        ).first()
        return from_state(view, type, *found) if found else at
    for stored in history.since(conn, type, key, at.version):
        at = Projected(key, view.project(at.row, stored.event), stored.version)
    return at


def from_state(view: View, type: AggregateType[Any], key: str, version: int, state: Any) -> Projected:
    """The row that shows `state`, as it is stored."""
    assert view.from_state is not None
    return Projected(key, view.from_state(decode(type.state, state)), version)


def catch_up(conn: Connection, view: View, generation: str, keys: Sequence[str]) -> None:
    """Bring the rows of `keys` in `generation` up to date."""
    mine = (view_rows.c.view == generation) & view_rows.c.key.in_(keys)
    found = {row.key: row for row in conn.execute(select(view_rows).where(mine))}
    bases = {key: _base(view, found[key]) for key in found}
    write(conn, view, generation, [refold(conn, view, key, bases.get(key)) for key in keys])


def write(conn: Connection, view: View, generation: str, rows: Iterable[Projected]) -> None:
    """Write rows; where there is one that is as new or newer, that one stays."""
    # Sorted, so that two who write the same rows wait for each other and don't deadlock.
    values = []
    for each in sorted(rows, key=lambda each: each.key):
        if each.version:
            row, owner = view.document(each.row)
            values.append(
                {"view": generation, "key": each.key, "version": each.version, "row": row, "owner": owner}
            )
    if not values:
        return
    mine: Any = insert_sqlite(view_rows) if conn.dialect.name == "sqlite" else insert_postgresql(view_rows)
    conn.execute(
        mine.on_conflict_do_update(
            index_elements=["view", "key"],
            set_={name: mine.excluded[name] for name in ("version", "row", "owner")},
            where=view_rows.c.version < mine.excluded.version,
        ),
        values,
    )


def _base(view: View, stored: Any) -> Projected | None:
    if stored.row is None:
        return Projected(stored.key, None, stored.version)
    try:
        return Projected(stored.key, decode(view.row, stored.row), stored.version)
    except ValidationError:
        return None  # a release with rows of another shape wrote it
