"""Reads what the services keep, from their databases, beside the services and without their code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import Engine, text

Row = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """An event as it is in its table."""

    stream: str
    version: int
    name: str
    data: Row


@dataclass(frozen=True)
class Databases:
    """The database of each service, by its name."""

    engines: Mapping[str, Engine]

    @classmethod
    def at(cls, urls: Mapping[str, str]) -> Databases:
        """`urls` by service, as services are told them: `sqlite:///…` or `postgresql://…`."""
        return cls({service: _engine(url) for service, url in urls.items()})

    def close(self) -> None:
        for engine in self.engines.values():
            engine.dispose()

    def aggregates(self, service: str, kind: str) -> list[Row]:
        """State and `version` of every aggregate of a kind that is kept as its latest state."""
        rows = self._all(service, "SELECT state, version FROM aggregates WHERE kind = :kind", kind=kind)
        return [{**_json(state), "version": version} for state, version in rows]

    def events(self, service: str, kind: str) -> dict[str, list[Stored]]:
        """The events of every event-sourced aggregate of a kind, oldest first, by its id."""
        query = "SELECT stream, version, name, data FROM events WHERE kind = :kind ORDER BY stream, version"
        found: dict[str, list[Stored]] = {}
        for stream, version, name, data in self._all(service, query, kind=kind):
            found.setdefault(stream, []).append(Stored(stream, version, name, _json(data)))
        return found

    def snapshots(self, service: str, kind: str) -> dict[str, tuple[int, Row]]:
        """Version and state of every snapshot, by the id of its aggregate."""
        query = "SELECT stream, version, state FROM snapshots WHERE kind = :kind"
        rows = self._all(service, query, kind=kind)
        return {stream: (version, _json(state)) for stream, version, state in rows}

    def versions(self) -> dict[str, int]:
        """The version of every aggregate, by its id; an id belongs to one aggregate only."""
        found: dict[str, int] = {}
        for service in self.engines:
            found |= dict(self._all(service, "SELECT id, version FROM aggregates"))
            found |= dict(self._all(service, "SELECT stream, max(version) FROM events GROUP BY stream"))
        return found

    def open_orders(self) -> int:
        """How many orders are neither confirmed nor cancelled."""
        ended = "SELECT stream FROM events WHERE name IN ('order.confirmed', 'order.cancelled')"
        query = f"SELECT count(DISTINCT stream) FROM events WHERE kind = 'Order' AND stream NOT IN ({ended})"
        return int(self._all("orders", query)[0][0])

    def sagas(self) -> list[Row]:
        """The saga log, of all services."""
        return [
            {"service": service, "id": id, "status": status, **_json(state)}
            for service in self.engines
            for id, status, state in self._all(service, "SELECT id, status, state FROM sagas")
        ]

    def steps(self) -> list[Row]:
        """What participants remember of saga steps."""
        return [
            {"service": service, "saga_id": saga, "step": step, "state": state}
            for service in self.engines
            for saga, step, state in self._all(service, "SELECT saga_id, step, state FROM saga_steps")
        ]

    def jobs(self) -> list[Row]:
        """Every job that was not removed yet, of all services."""
        columns = ("id", "name", "args", "status", "attempt", "error")
        return [
            {"service": service, **dict(zip(columns, row, strict=True)), "args": _json(row[2])}
            for service in self.engines
            for row in self._all(service, f"SELECT {', '.join(columns)} FROM jobs")
        ]

    def view(self, service: str, view: str) -> dict[str, tuple[int, Any]]:
        """Version and row by key, of the generation that is shown."""
        shown = "SELECT live FROM view_generations WHERE view = :view"
        query = f"SELECT key, version, row FROM view_rows WHERE view = coalesce(({shown}), :view)"
        return {key: (version, _json(row)) for key, version, row in self._all(service, query, view=view)}

    def outboxes(self) -> dict[str, int]:
        """How many messages of each service are not published yet."""
        return {service: self._all(service, "SELECT count(*) FROM outbox")[0][0] for service in self.engines}

    def dead_letters(self) -> list[Row]:
        """What was given up, with the reason."""
        return [
            {"consumer": consumer, "subject": subject, "reason": reason, "body": body}
            for service in self.engines
            for consumer, subject, reason, body in self._all(
                service, "SELECT consumer, subject, reason, body FROM dead_letters"
            )
        ]

    def _all(self, service: str, query: str, **values: str) -> list[tuple[Any, ...]]:
        with self.engines[service].connect() as conn:
            return [tuple(row) for row in conn.execute(text(query), values)]


def _engine(url: str) -> Engine:
    made = sqlalchemy.make_url(url)
    if made.get_backend_name() == "postgresql":
        return sqlalchemy.create_engine(made.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    # A place of its own, so that nothing here can hold up a service or change what it wrote.
    path = f"file:{made.database}?mode=ro&uri=true"
    return sqlalchemy.create_engine(f"sqlite:///{path}", poolclass=sqlalchemy.NullPool)


def _json(stored: Any) -> Any:
    """What a document holds: SQLite has it as text, PostgreSQL's driver has parsed it."""
    return json.loads(stored) if isinstance(stored, str) else stored
