import time
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from chassis import upkeep
from chassis.bus import nats
from chassis.db import Database
from chassis.idempotency import KEEP_SECONDS, records
from chassis.tables import inbox, saga_steps, sagas

NOW, HOUR = time.time(), 3600.0


async def put(db: Database, table: Table, *rows: dict[str, Any]) -> None:
    await db.run(lambda conn: conn.execute(insert(table), list(rows)))


async def keys(db: Database, table: Table) -> list[str]:
    column = list(table.primary_key)[-1]
    return sorted(await db.read(lambda conn: conn.scalars(select(column)).all()))


def saga(id: str, status: str, age: float) -> dict[str, Any]:
    return {"id": id, "name": "s", "status": status, "version": 1, "state": {}, "updated_at": NOW - age}


async def test_what_is_old_goes_and_what_is_needed_stays(db: Database) -> None:
    for key, age in {"old": upkeep.KEEP_INBOX + HOUR, "new": upkeep.KEEP_INBOX - HOUR}.items():
        await put(db, inbox, {"consumer": "c", "message_id": key, "handled_at": NOW - age})
    for key, age in {"old": upkeep.KEEP_STEPS + HOUR, "new": upkeep.KEEP_STEPS - HOUR}.items():
        step = {"saga_id": "s", "version": 1, "state": "done", "reply": {}}
        await put(db, saga_steps, {**step, "step": key, "updated_at": NOW - age})
    for key, age in {"old": KEEP_SECONDS + HOUR, "new": KEEP_SECONDS - HOUR}.items():
        await put(db, records, {"id": key, "fingerprint": "f", "created_at": NOW - age})
    long = upkeep.KEEP_SAGAS + HOUR
    ended = [saga("done", "done", long), saga("compensated", "compensated", long), saga("new", "done", 0)]
    open = [saga(status, status, 10 * long) for status in ("running", "stuck", "compensating", "aborting")]
    await put(db, sagas, *ended, *open)

    assert await db.run(upkeep.forget) == 5
    assert [await keys(db, table) for table in (inbox, saga_steps, records)] == [["new"]] * 3
    assert await keys(db, sagas) == ["aborting", "compensating", "new", "running", "stuck"]
    assert await db.run(upkeep.forget) == 0


async def test_it_goes_a_piece_at_a_time(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PIECE", 10)
    await put(db, inbox, *({"consumer": "c", "message_id": f"m{n}", "handled_at": 0.0} for n in range(25)))
    assert [await db.run(upkeep.forget) for _ in range(4)] == [10, 10, 5, 0]


def test_the_inbox_remembers_longer_than_the_broker_keeps_a_message() -> None:
    assert upkeep.KEEP_INBOX >= nats.RETENTION + upkeep.DAY
