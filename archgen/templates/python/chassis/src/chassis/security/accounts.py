"""Accounts: an aggregate of the domain, and beside it the password that it signs in with.

The aggregate has the roles and whether it is active, so both are changed by commands like anything
else, and are looked at anew whenever a token is made. The password is not part of the domain.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from chassis.errors import NotFound
from chassis.jsons import decode
from chassis.security.model import Accounts
from chassis.tables import credentials
from chassis.uow import Origin, Session, UnitOfWork


@dataclass(frozen=True)
class Credential:
    """`account` is the id of the account, `password` its hash."""

    account: str
    password: str


def login_of(text: str) -> str:
    """The name that somebody signs in with, however they write it."""
    return text.strip().casefold()


def find(conn: Connection, login: str) -> Credential | None:
    found = conn.execute(
        select(credentials.c.account, credentials.c.password).where(credentials.c.login == login_of(login))
    ).first()
    return Credential(*found) if found else None


def of_account(conn: Connection, account: str) -> Credential | None:
    found = conn.execute(
        select(credentials.c.account, credentials.c.password).where(credentials.c.account == account)
    ).first()
    return Credential(*found) if found else None


def register(
    session: Session, accounts: Accounts, origin: Origin, given: Mapping[str, Any], hashed: str
) -> bool:
    """Make the account that `given` describes, with its password; False when the login is taken.

    The domain decides in both cases, so that its refusals tell nothing about who is registered. Raises
    Refused, and ValidationError for what does not fit.
    """
    command = decode(accounts.register.command, dict(given))
    unit = UnitOfWork(session, origin)
    accounts.register.handle(command, unit)
    login = login_of(str(getattr(command, accounts.login)))
    if find(session.conn, login) is not None:
        return False
    unit.complete()
    id = str(getattr(command, accounts.register.command.ID))
    values = {"account": id, "login": login, "password": hashed, "changed_at": time.time()}
    session.conn.execute(insert(credentials).values(values))
    return True


def set_password(conn: Connection, account: str, hashed: str) -> None:
    values = {"password": hashed, "changed_at": time.time()}
    conn.execute(update(credentials).where(credentials.c.account == account).values(values))


def active_roles(session: Session, accounts: Accounts, account: str) -> tuple[str, ...] | None:
    """The roles that `account` has now; None when it can't sign in."""
    state = session.aggregates.load(accounts.account, account).state
    if state is None or getattr(state, "status", "active") != "active":
        return None
    return tuple(str(role) for role in getattr(state, accounts.roles))


def existing(session: Session, accounts: Accounts, account: str) -> Credential:
    """The password of `account`. Raises NotFound, for one that never had one."""
    found = of_account(session.conn, account)
    if found is None:
        raise NotFound(accounts.account.name, account)
    return found
