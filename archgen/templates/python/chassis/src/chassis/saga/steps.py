"""What a participant remembers of saga steps, so that each is done and undone at most once.

It is also where an undo that overtakes its command leaves its mark: the command, arriving late,
finds it and is refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from chassis.tables import saga_steps
from chassis.versioned import VersionedRows

State = Literal["done", "refused", "undone"]


@dataclass(frozen=True)
class Remembered:
    """A step that was heard of before, and the reply it was given."""

    state: State
    reply: dict[str, Any]


class StepLog:
    """The steps of this participant, read and written within one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._rows = VersionedRows(conn, saga_steps)

    def load(self, saga_id: str, step: str) -> Remembered | None:
        row = self._rows.load(saga_id, step)
        return Remembered(row.values["state"], row.values["reply"]) if row.version else None

    def prefetch(self, steps: Iterable[tuple[str, str]]) -> None:
        """Read many in one statement, each by its saga's id and its own name; `load` then finds them."""
        self._rows.prefetch(steps)

    def save(self, saga_id: str, step: str, state: State, reply: dict[str, Any]) -> None:
        version = self._rows.load(saga_id, step).version + 1
        self._rows.save(saga_id, step, version=version, state=state, reply=reply, updated_at=time.time())

    def flush(self) -> None:
        """Write them. Raises Conflict when another replica handled the same step meanwhile."""
        self._rows.flush()
