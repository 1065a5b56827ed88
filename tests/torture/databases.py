"""Reads what the services keep, from their SQLite files, beside the services and without their code."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Databases:
    """The databases of `services` in `folder`, each named after its service."""

    folder: Path
    services: Sequence[str]

    def aggregates(self, service: str, kind: str) -> list[Row]:
        """State and `version` of every aggregate of a kind that is kept as its latest state."""
        with self._open(service) as db:
            rows = db.execute("SELECT state, version FROM aggregates WHERE kind = ?", (kind,)).fetchall()
        return [{**json.loads(state), "version": version} for state, version in rows]

    def streams(self, service: str, kind: str) -> list[str]:
        """The ids of the event-sourced aggregates of a kind."""
        with self._open(service) as db:
            rows = db.execute("SELECT DISTINCT stream FROM events WHERE kind = ?", (kind,)).fetchall()
        return [id for (id,) in rows]

    def versions(self) -> dict[str, int]:
        """The version of every aggregate, by its id; an id belongs to one aggregate only."""
        found: dict[str, int] = {}
        for service in self.services:
            with self._open(service) as db:
                found |= dict(db.execute("SELECT id, version FROM aggregates"))
                found |= dict(db.execute("SELECT stream, max(version) FROM events GROUP BY stream"))
        return found

    def open_orders(self) -> int:
        """How many orders are neither confirmed nor cancelled."""
        ended = "SELECT stream FROM events WHERE name IN ('order.confirmed', 'order.cancelled')"
        query = f"SELECT count(DISTINCT stream) FROM events WHERE kind = 'Order' AND stream NOT IN ({ended})"
        return int(self._all("orders", query)[0][0])

    def sagas(self) -> list[Row]:
        """The saga log, of all services."""
        return [
            {"service": service, "id": id, "status": status, **json.loads(state)}
            for service in self.services
            for id, status, state in self._all(service, "SELECT id, status, state FROM sagas")
        ]

    def steps(self) -> list[Row]:
        """What participants remember of saga steps."""
        return [
            {"service": service, "saga_id": saga, "step": step, "state": state}
            for service in self.services
            for saga, step, state in self._all(service, "SELECT saga_id, step, state FROM saga_steps")
        ]

    def outboxes(self) -> dict[str, int]:
        """How many messages of each service are not published yet."""
        return {service: self._all(service, "SELECT count(*) FROM outbox")[0][0] for service in self.services}

    def dead_letters(self) -> list[Row]:
        """What was given up, with the reason."""
        return [
            {"consumer": consumer, "subject": subject, "reason": reason, "body": body}
            for service in self.services
            for consumer, subject, reason, body in self._all(
                service, "SELECT consumer, subject, reason, body FROM dead_letters"
            )
        ]

    def _all(self, service: str, query: str) -> list[tuple[Any, ...]]:
        with self._open(service) as db:
            return db.execute(query).fetchall()

    @contextmanager
    def _open(self, service: str) -> Iterator[sqlite3.Connection]:
        path = self.folder / f"{service}.db"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as db:
            yield db
