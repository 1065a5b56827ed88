"""`Idempotency-Key`: a POST that is sent again has its effect once and gets the same answer.

The record of the key commits in the transaction of the effect, so there is no instant at which
one exists without the other:

    key = await idempotency.key_of(request)
    stored = await db.run(lambda conn: once(conn, key, lambda: place_order(conn, command)))
    return stored.response()

An answer that was an error is not kept: it rolled back, so deciding again is safe.
Source: IETF draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from sqlalchemy import (
    Column,
    Connection,
    Double,
    Integer,
    Table,
    Text,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from chassis.tables import Document, metadata

KEEP_SECONDS = 24 * 3600.0

records = Table(
    "idempotency",
    metadata,
    Column("id", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer),
    Column("headers", Document),
    Column("body", Document),
    Column("created_at", Double, nullable=False, index=True),
)


@dataclass(frozen=True)
class Key:
    """A key as one caller used it on one path; `fingerprint` tells requests apart that share it."""

    id: str
    fingerprint: str


@dataclass(frozen=True)
class StoredResponse:
    """An answer as values. `replayed` says that it was given before and nothing was done now."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    replayed: bool = False

    def response(self) -> JSONResponse:
        headers = dict(self.headers) | ({"Idempotent-Replayed": "true"} if self.replayed else {})
        return JSONResponse(self.body, self.status, headers)


async def key_of(request: Request, caller: str = "") -> Key | None:
    """The key that `request` carries, or `None`. `caller` is who is authenticated: keys are not shared.

    Raises HTTPException 400 for a key that is empty, longer than 255 or not printable ASCII.
    """
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    # The draft writes it as a quoted string; most callers send it bare.
    text = given[1:-1] if len(given) > 1 and given[0] == given[-1] == '"' else given
    if not re.fullmatch(r"[!-~]{1,255}", text):
        raise HTTPException(400, "An Idempotency-Key has 1 to 255 printable characters and no space.")
    scope = (caller, request.method, request.url.path, text)
    return Key(_digest(*scope), _digest(request.url.query, (await request.body()).hex()))


def once(conn: Connection, key: Key | None, act: Callable[[], StoredResponse]) -> StoredResponse:
    """`act()`, or what it answered when the same request was made before. All in `conn`'s transaction."""
    if key is None:
        return act()
    if stored := find(conn, key):
        return stored
    answer = act()
    remember(conn, key, answer)
    return answer


def find(conn: Connection, key: Key) -> StoredResponse | None:
    """Claim `key` for this transaction; `None` says it is ours, otherwise its answer is returned.

    Raises HTTPException 422 when the key was used for another request, and 409 (with Retry-After)
    when another transaction is working on it. SQLite has one writer, so there it is never the latter.
    """
    if _claim(conn, key):
        return None
    found = conn.execute(select(records).where(records.c.id == key.id)).one_or_none()
    if found is None:
        raise HTTPException(409, "A request with this key is being worked on.", {"Retry-After": "1"})
    if found.fingerprint != key.fingerprint:
        raise HTTPException(422, "This Idempotency-Key was used for a different request.")
    return StoredResponse(found.status, found.body, found.headers, replayed=True)


def _claim(conn: Connection, key: Key) -> bool:
    values = {"id": key.id, "fingerprint": key.fingerprint, "created_at": time.time()}
    if conn.dialect.name == "sqlite":
        mine = insert_sqlite(records).values(values).on_conflict_do_nothing().returning(records.c.id)
        return conn.execute(mine).first() is not None
    # Without the lock, the insert of a second request would wait for the first to commit, and a
    # caller who is impatient enough could tie up every connection.
    free = func.pg_try_advisory_xact_lock(int.from_bytes(bytes.fromhex(key.id[:16]), signed=True))
    row = select(*(literal(value) for value in values.values())).where(free)
    insert = insert_postgresql(records).from_select(list(values), row)
    return conn.execute(insert.on_conflict_do_nothing().returning(records.c.id)).first() is not None


def remember(conn: Connection, key: Key, answer: StoredResponse) -> None:
    """Keep `answer` for the key that this transaction claimed with `find`."""
    values = {"status": answer.status, "body": answer.body, "headers": dict(answer.headers)}
    conn.execute(update(records).where(records.c.id == key.id).values(values))


def forget(conn: Connection, older_than: float = KEEP_SECONDS, limit: int = 1000) -> int:
    """Delete at most `limit` records older than so many seconds; returns how many it were.

    Call again while it returns `limit`: a transaction that deleted all at once could take long.
    """
    old = select(records.c.id).where(records.c.created_at < time.time() - older_than).limit(limit)
    return conn.execute(delete(records).where(records.c.id.in_(old))).rowcount


def _digest(*parts: str) -> str:
    # Lengths go in as well, so that no two lists of parts read the same when joined.
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
