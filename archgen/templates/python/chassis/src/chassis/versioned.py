"""Rows with a version, as one transaction sees them: read once, written once, never overwritten blindly.

Optimistic locking: an update names the version that was read, and a row that moved on since is a
Conflict. Aggregates, views and the saga log are all kept this way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from chassis.db import parameters
from chassis.errors import Conflict

Key = tuple[str, ...]


@dataclass
class Row:
    """`values` are the columns beside key and version; `read_version` is 0 for a row that is new."""

    values: dict[str, Any]
    version: int
    read_version: int

    @property
    def changed(self) -> bool:
        return self.version != self.read_version


class VersionedRows:
    """The rows of `table` that one transaction touches, by primary key."""

    def __init__(self, conn: Connection, table: Table) -> None:
        self._conn = conn
        self._table = table
        self._select, self._select_many, self._insert, self._update = _statements(table)
        self._keys = [column.name for column in table.primary_key]
        self._rows: dict[Key, Row] = {}

    def load(self, *key: str) -> Row:
        """The row, or an empty one with version 0."""
        if key not in self._rows:
            found = self._conn.execute(self._select, self._bind(key)).mappings().first()
            self._rows[key] = self._row(dict(found)) if found else Row({}, 0, 0)
        return self._rows[key]

    def prefetch(self, keys: Iterable[Key]) -> None:
        """Read many rows in one statement; `load` then finds them."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._rows]
        if len(wanted) < 2:
            return  # for one, `load` has a statement that is ready
        for found in self._conn.execute(self._select_many, {"keys": wanted}).mappings():
            self._rows[tuple(found[name] for name in self._keys)] = self._row(dict(found))
        for key in wanted:
            self._rows.setdefault(key, Row({}, 0, 0))

    def begin(self, *key: str) -> None:
        """Take it that there is no such row, since its key was made just now.

        Where there is one after all, `flush` raises Conflict.
        """
        self._rows.setdefault(key, Row({}, 0, 0))

    def save(self, *key: str, version: int, **values: Any) -> None:
        """Note what the row is to become; `version` must be above the one that was loaded."""
        row = self.load(*key)
        row.values, row.version = values, version

    def flush(self) -> None:
        """Write what changed. Raises Conflict when somebody else wrote one of the rows meanwhile."""
        fresh, known = [], []
        for key, row in self._rows.items():
            if row.changed and row.read_version == 0:
                fresh.append(
                    {**dict(zip(self._keys, key, strict=True)), "version": row.version, **row.values}
                )
            elif row.changed:
                new = {f"new_{name}": value for name, value in row.values.items()}
                known.append(
                    {**self._bind(key), "read_version": row.read_version, "new_version": row.version, **new}
                )
        try:
            if fresh:
                self._conn.execute(self._insert, parameters(fresh))
        except IntegrityError as error:
            raise Conflict(f"a row of {self._table.name} was created by somebody else meanwhile") from error
        if known and self._conn.execute(self._update, parameters(known)).rowcount != len(known):
            raise Conflict(f"a row of {self._table.name} was changed by somebody else meanwhile")
        for row in self._rows.values():
            row.read_version = row.version

    def _bind(self, key: Key) -> dict[str, str]:
        return {f"key_{name}": part for name, part in zip(self._keys, key, strict=True)}

    def _row(self, found: dict[str, Any]) -> Row:
        for name in self._keys:
            del found[name]
        version = found.pop("version")
        return Row(found, version, version)


@cache
def _statements(table: Table) -> tuple[Select[Any], Select[Any], Insert, Update]:
    match = [column == bindparam(f"key_{column.name}") for column in table.primary_key]
    others = [column.name for column in table.c if not column.primary_key]
    changed = (
        update(table)
        .where(*match, table.c.version == bindparam("read_version"))
        .values({name: bindparam(f"new_{name}") for name in others})
    )
    one_of = tuple_(*table.primary_key).in_(bindparam("keys", expanding=True))
    return select(table).where(*match), select(table).where(one_of), insert(table).inline(), changed
