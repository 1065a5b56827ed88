"""Loads and saves aggregates, each write guarded by the version that was read.

Two ways of keeping one: as its latest state, or as the events that led to it (event sourcing).
Domain code cannot tell which; `event_sourced` in its AggregateType decides.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from chassis import history, snapshots
from chassis.db import parameters
from chassis.domain import AggregateType
from chassis.errors import Conflict
from chassis.jsons import decode, encode
from chassis.tables import aggregates, events
from chassis.upcasting import version_of
from chassis.versioned import VersionedRows


@dataclass
class Held:
    """An aggregate in memory; state None and version 0 when there is none."""

    type: AggregateType[Any]
    id: str
    state: Any | None
    version: int
    new_events: list[Any] = field(default_factory=list)


class AggregateStore:
    """The aggregates that one transaction touches; each is read once and written once."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._rows = VersionedRows(conn, aggregates)
        self._held: dict[tuple[str, str], Held] = {}

    def load(self, type: AggregateType[Any], id: str) -> Held:
        """The aggregate as this transaction sees it."""
        key = (type.name, id)
        if key not in self._held:
            if type.event_sourced:
                self._held[key] = Held(type, id, *history.replay(self._conn, type, id))
            else:
                self._held[key] = self._read(type, id)
        return self._held[key]

    def begin(self, type: AggregateType[Any], id: str) -> None:
        """Take it that there is no such aggregate, since its id was made just now; then it is not looked for.

        Where there is one after all, `flush` raises Conflict.
        """
        self._rows.begin(type.name, id)
        self._held.setdefault((type.name, id), Held(type, id, None, 0))

    def prefetch(self, type: AggregateType[Any], ids: Iterable[str]) -> None:
        """Read many at once, as far as they are kept as their state; `load` then finds them."""
        if not type.event_sourced:
            self._rows.prefetch((type.name, id) for id in ids)

    def save(self, type: AggregateType[Any], id: str, state: Any, new_events: Sequence[Any]) -> None:
        """Note the state that `new_events` led to; each event raises the version by one."""
        held = self.load(type, id)
        held.state = state
        held.version += len(new_events)
        held.new_events.extend(new_events)

    def flush(self) -> None:
        """Write what changed. Raises Conflict when somebody else wrote since it was read."""
        changed = [held for held in self._held.values() if held.new_events]
        for held in changed:
            if not held.type.event_sourced:
                self._rows.save(held.type.name, held.id, version=held.version, state=encode(held.state))
        self._rows.flush()
        self._append([held for held in changed if held.type.event_sourced])
        for held in changed:
            held.new_events = []

    def _read(self, type: AggregateType[Any], id: str) -> Held:
        row = self._rows.load(type.name, id)
        return Held(type, id, decode(type.state, row.values["state"]) if row.version else None, row.version)

    def _append(self, streams: list[Held]) -> None:
        rows = [
            {
                "kind": held.type.name,
                "stream": held.id,
                "version": held.version - len(held.new_events) + number,
                "name": event.NAME,
                "event_version": version_of(type(event)),
                "data": encode(event),
                "recorded_at": time.time(),
            }
            for held in streams
            for number, event in enumerate(held.new_events, start=1)
        ]
        try:
            if rows:
                self._conn.execute(insert(events).inline(), parameters(rows))
        except IntegrityError as error:
            raise Conflict("an event was appended by somebody else meanwhile") from error
        snapshots.keep(
            self._conn,
            [
                {
                    "kind": held.type.name,
                    "stream": held.id,
                    "version": held.version,
                    "fingerprint": held.type.fingerprint,
                    "state": encode(held.state),
                }
                for held in streams
                if snapshots.due(held.type, held.version - len(held.new_events), held.version)
            ],
        )
