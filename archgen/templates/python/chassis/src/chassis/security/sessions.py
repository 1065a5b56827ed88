"""Sessions: a family of refresh tokens, of which only the newest is good, and only once.

A refresh token that comes a second time was stolen, from its owner or by them: nobody can tell which
of the two is asking, so the whole session ends. Only hashes of the tokens are kept.
Source: RFC 9700, section 4.14.2.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from chassis.tables import refresh_tokens, sessions


@dataclass(frozen=True)
class Begun:
    """A session's newest token; `expires_at` (Unix time) is when the session ends whatever happens."""

    session: str
    account: str
    token: str
    expires_at: float


Refusal = Literal["unknown", "expired", "replayed"]


def begin(conn: Connection, account: str, seconds: float, now: float | None = None) -> Begun:
    """A new session of `account`, which ends after so many seconds."""
    now = time.time() if now is None else now
    session, expires_at = str(uuid4()), now + seconds
    values = {"id": session, "account": account, "created_at": now, "expires_at": expires_at}
    conn.execute(insert(sessions).values(values))
    return _next(conn, session, account, expires_at)


def rotate(conn: Connection, token: str, now: float | None = None) -> Begun | Refusal:
    """The token after `token`, which is used up by this; or why there is none.

    Of two who use it at once, one is told `replayed`, and the session is over for both. The caller
    commits either way.
    """
    now = time.time() if now is None else now
    mine = refresh_tokens.c.hash == _hash(token)
    used = (
        update(refresh_tokens)
        .where(mine, refresh_tokens.c.used_at.is_(None))
        .values(used_at=now)
        .returning(refresh_tokens.c.session)
    )
    session = conn.execute(used).scalar_one_or_none()
    if session is None:
        replayed = conn.execute(select(refresh_tokens.c.session).where(mine)).scalar_one_or_none()
        if replayed is None:
            return "unknown"
        end(conn, replayed, now)
        return "replayed"
    # Locked, so that a session can't end between this look and the new token's being written.
    found = conn.execute(select(sessions).where(sessions.c.id == session).with_for_update()).one_or_none()
    if found is None or found.ended_at is not None or found.expires_at <= now:
        return "expired"
    return _next(conn, session, found.account, found.expires_at)


def end(conn: Connection, session: str, now: float | None = None) -> None:
    """No token of `session` is good any more."""
    now = time.time() if now is None else now
    alive = (sessions.c.id == session) & sessions.c.ended_at.is_(None)
    conn.execute(update(sessions).where(alive).values(ended_at=now))


def end_by_token(conn: Connection, token: str) -> None:
    """End the session that `token` belongs to, used or not; nothing happens when there is none."""
    found = select(refresh_tokens.c.session).where(refresh_tokens.c.hash == _hash(token))
    if session := conn.execute(found).scalar_one_or_none():
        end(conn, session)


def end_all(conn: Connection, account: str, now: float | None = None) -> None:
    """End every session of `account`."""
    now = time.time() if now is None else now
    alive = (sessions.c.account == account) & sessions.c.ended_at.is_(None)
    conn.execute(update(sessions).where(alive).values(ended_at=now))


def forget(conn: Connection, now: float, limit: int) -> int:
    """Delete at most `limit` sessions that expired, with their tokens; returns how many."""
    old = conn.execute(select(sessions.c.id).where(sessions.c.expires_at < now).limit(limit)).scalars().all()
    if old:
        conn.execute(delete(refresh_tokens).where(refresh_tokens.c.session.in_(old)))
        conn.execute(delete(sessions).where(sessions.c.id.in_(old)))
    return len(old)


def _next(conn: Connection, session: str, account: str, expires_at: float) -> Begun:
    token = secrets.token_urlsafe(32)
    conn.execute(insert(refresh_tokens).values(hash=_hash(token), session=session))
    return Begun(session, account, token, expires_at)


def _hash(token: str) -> str:
    # Random and long, so it needs no salt and no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()
