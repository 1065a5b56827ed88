"""Snapshots: a shortcut past the old events of a long stream.

A snapshot is a cache and nothing more. It carries a fingerprint of the code that made it; one that
another release made is passed over, the events are replayed, and the next one takes its place.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from chassis.jsons import adapter
from chassis.tables import Document, metadata

if TYPE_CHECKING:
    from chassis.domain import AggregateType

snapshots = Table(
    "snapshots",
    metadata,
    Column("kind", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("state", Document, nullable=False),
    PrimaryKeyConstraint("kind", "stream"),
)


def due(type: AggregateType[Any], before: int, after: int) -> bool:
    """Whether the versions from `before` to `after` pass a multiple of `snapshot_every`."""
    every = type.snapshot_every
    return bool(every) and before // every < after // every


def keep(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Write snapshots, in the transaction that appends the events they end with."""
    if not rows:
        return
    if conn.dialect.name == "sqlite":
        mine: Any = insert_sqlite(snapshots)
    else:
        mine = insert_postgresql(snapshots)
    new = {name: mine.excluded[name] for name in ("version", "fingerprint", "state")}
    conn.execute(mine.on_conflict_do_update(index_elements=["kind", "stream"], set_=new), rows)


def fingerprint(type: AggregateType[Any]) -> str:
    """Changes with whatever can change a replayed state: its shape, the domain's code, the upcasters."""
    digest = hashlib.sha256(json.dumps(adapter(type.state).json_schema(), sort_keys=True).encode())
    steps = [step for name in sorted(type.upcasters) for step in type.upcasters[name]]
    code: list[Callable[..., Any]] = [type.evolve, *steps]
    for text in sorted({text for function in code for text in _sources(function)}):
        digest.update(text.encode())
    for event in type.events:
        digest.update(json.dumps(adapter(event).json_schema(), sort_keys=True).encode())
    return digest.hexdigest()


def _sources(function: Callable[..., Any]) -> Iterator[str]:
    """The source of the function's module and of the modules beside it, which it may call."""
    module = sys.modules.get(function.__module__)
    package = getattr(module, "__package__", "") or ""
    beside = [m for name, m in list(sys.modules.items()) if package and name.startswith(f"{package}.")]
    for each in {id(m): m for m in (module, *beside) if m is not None}.values():
        try:
            yield inspect.getsource(each)
        except (OSError, TypeError):  # there is no source here, or it is not Python
            code = getattr(function, "__code__", None)
            yield repr((code.co_code, code.co_consts, code.co_names)) if code else ""
