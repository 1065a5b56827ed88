"""Signing in over HTTP, in the service that issues tokens.

    POST /auth/register   what the account takes, and a password: always 202, who is known or not
    POST /auth/login      {email, password}: a token, and one to get the next with
    POST /auth/refresh    {refresh_token}: the next; each can be used once
    POST /auth/logout     {refresh_token}: the session is over
    POST /auth/password   {current, new}, signed in: all other sessions are over
    GET  /.well-known/jwks.json   the keys that tokens are verified with

Answers hold secrets, so they are never kept for an Idempotency-Key. How often these may be asked is
counted in the database: for each address, and for each name that somebody tries to sign in with.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import fields
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException

from chassis import metrics, tracing
from chassis.jsons import loads
from chassis.security import accounts as kept
from chassis.security import passwords, rates, sessions, tokens
from chassis.security.gate import Gate, too_many
from chassis.security.keys import KeyRing
from chassis.security.model import Accounts
from chassis.security.ownership import caller_of
from chassis.security.passwords import Passwords
from chassis.security.rates import Rate
from chassis.security.sessions import Begun
from chassis.security.settings import ISSUER
from chassis.uow import Origin, Session

log = logging.getLogger(__name__)
NO_STORE = {"Cache-Control": "no-store"}

# (who is counted, and how often they may): of an address, of a name from one address, of a name.
LOGINS_OF_ADDRESS = Rate(per_second=1 / 3, burst=30)
LOGINS_OF_BOTH = Rate(per_second=1 / 60, burst=6)
LOGINS_OF_NAME = Rate(per_second=1 / 15, burst=60)
REGISTRATIONS = Rate(per_second=1 / 30, burst=20)
REFRESHES = Rate(per_second=2, burst=60)

# PostgreSQL has no character 0 in texts.
Word = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\x00]*$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class LoginBody(_Body):
    """`password` may be of any length that the body may have: a wrong one is wrong, and not invalid."""

    email: Word
    password: str


class RefreshBody(_Body):
    """A token that was got from login or from the last refresh."""

    refresh_token: Word


class PasswordBody(_Body):
    """The password so far, and the next one."""

    current: str
    new: str


def add_accounts(router: APIRouter, accounts: Accounts) -> None:
    """Put the routes for signing in onto `router`."""

    @router.post("/auth/register", status_code=202)
    async def register(request: Request) -> Response:
        return await _register(request, accounts)

    @router.post("/auth/login")
    async def login(body: LoginBody, request: Request) -> Response:
        return await _login(request, accounts, body)

    @router.post("/auth/refresh")
    async def refresh(body: RefreshBody, request: Request) -> Response:
        return await _refresh(request, accounts, body)

    @router.post("/auth/logout", status_code=204)
    async def logout(body: RefreshBody, request: Request) -> Response:
        await request.app.state.runtime.db.run(lambda conn: sessions.end_by_token(conn, body.refresh_token))
        return Response(status_code=204)

    @router.post("/auth/password", status_code=204)
    async def password(body: PasswordBody, request: Request) -> Response:
        return await _change_password(request, accounts, body)

    @router.get("/.well-known/jwks.json")
    async def keys(request: Request) -> Response:
        public = KeyRing(request.app.state.gate.settings.keys, ISSUER).public()
        return JSONResponse(public, headers={"Cache-Control": "public, max-age=300"})


async def _register(request: Request, accounts: Accounts) -> Response:
    await _slow_down(request, ("register", _gate(request).address(request), REGISTRATIONS))
    given = await _given(request)
    password = given.pop("password", None)
    if not isinstance(password, str):
        raise _invalid("missing", "a password is needed", "password")
    if fault := passwords.fault(password):
        raise _invalid("password", fault, "password")
    command = accounts.register.command
    known = {field.name for field in fields(command)} - {command.ID}
    for name in sorted(given.keys() - known):
        raise _invalid("extra_forbidden", "there is no such argument", name)
    hashed = await _passwords(request).hashed(password)
    runtime = request.app.state.runtime
    origin = _origin(request)
    given[command.ID] = str(uuid4())
    try:
        new = await runtime.transact(lambda work: kept.register(work, accounts, origin, given, hashed))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from None
    except IntegrityError:
        new = False  # somebody else registered under this name at the same moment
    metrics.registrations.labels("new" if new else "known").inc()
    return JSONResponse({"status": "accepted"}, 202, NO_STORE)


async def _login(request: Request, accounts: Accounts, body: LoginBody) -> Response:
    address, name = _gate(request).address(request), _digest(kept.login_of(body.email))
    await _slow_down(
        request,
        ("login of", address, LOGINS_OF_ADDRESS),
        ("login as", f"{name} {address}", LOGINS_OF_BOTH),
        ("login as", name, LOGINS_OF_NAME),
    )
    runtime = request.app.state.runtime
    found = await runtime.db.read(lambda conn: kept.find(conn, body.email))
    long = len(body.password) > passwords.LONGEST
    # One that is too long is nobody's, and is compared all the same, cut, so that it takes as long.
    right = await _passwords(request).matches(
        body.password[: passwords.LONGEST], None if long or found is None else found.password
    )
    fresh = None
    if right and _passwords(request).outdated(found.password):
        fresh = await _passwords(request).hashed(body.password)

    def work(session: Session) -> tuple[Begun, tuple[str, ...]] | None:
        roles = kept.active_roles(session, accounts, found.account)
        if roles is None:
            return None
        if fresh is not None:
            kept.set_password(session.conn, found.account, fresh)
        return sessions.begin(session.conn, found.account, accounts.refresh), roles

    begun = await runtime.transact(work) if right else None
    metrics.logins.labels("ok" if begun else "failed").inc()
    if begun is None:
        log.info("a login failed", extra={"address": address})
        raise HTTPException(401, "E-mail or password is wrong.", {"WWW-Authenticate": "Bearer"})
    return _signed_in(request, accounts, *begun)


async def _refresh(request: Request, accounts: Accounts, body: RefreshBody) -> Response:
    await _slow_down(request, ("refresh", _gate(request).address(request), REFRESHES))

    def work(session: Session) -> tuple[Begun, tuple[str, ...]] | str:
        begun = sessions.rotate(session.conn, body.refresh_token)
        if isinstance(begun, str):
            return begun
        roles = kept.active_roles(session, accounts, begun.account)
        if roles is None:
            sessions.end(session.conn, begun.session)
            return "inactive"
        return begun, roles

    # What was refused commits, too: a replay has ended the session.
    begun = await request.app.state.runtime.transact(work)
    metrics.refreshes.labels(begun if isinstance(begun, str) else "ok").inc()
    if isinstance(begun, str):
        if begun == "replayed":
            log.warning("a refresh token came twice; its session is over")
        raise HTTPException(
            401, "Sign in again.", {"WWW-Authenticate": 'Bearer error="invalid_token"', **NO_STORE}
        )
    return _signed_in(request, accounts, *begun)


async def _change_password(request: Request, accounts: Accounts, body: PasswordBody) -> Response:
    account = caller_of(request).subject
    await _slow_down(request, ("password of", account, LOGINS_OF_BOTH))
    if fault := passwords.fault(body.new):
        raise _invalid("password", fault, "new")
    runtime = request.app.state.runtime
    found = await runtime.db.read(lambda conn: kept.of_account(conn, account))
    current = body.current[: passwords.LONGEST + 1]
    if not await _passwords(request).matches(current, found.password if found else None):
        raise HTTPException(403, "The current password is wrong.")
    hashed = await _passwords(request).hashed(body.new)

    def work(session: Session) -> None:
        kept.set_password(session.conn, account, hashed)
        sessions.end_all(session.conn, account)

    await runtime.transact(work)
    return Response(status_code=204)


def _signed_in(request: Request, accounts: Accounts, begun: Begun, roles: tuple[str, ...]) -> JSONResponse:
    gate = _gate(request)
    claims = {
        "iss": gate.settings.issuer,
        "aud": gate.security.audience,
        "sub": begun.account,
        "sid": begun.session,
        "roles": list(roles),
    }
    key = KeyRing(gate.settings.keys, ISSUER).signing()
    body = {
        "access_token": tokens.sign(key, tokens.ACCESS, claims, accounts.access),
        "token_type": "Bearer",
        "expires_in": int(accounts.access),
        "refresh_token": begun.token,
        "refresh_expires_in": max(0, int(begun.expires_at - time.time())),
        "subject": begun.account,
        "roles": list(roles),
    }
    return JSONResponse(body, headers=NO_STORE)


async def _slow_down(request: Request, *limits: tuple[str, str, Rate]) -> None:
    """Count the request for each of (what, who, how often). Raises HTTPException 429."""

    def work(conn: Any) -> float:
        return max(rates.strict(conn, f"{what} {who}", rate) for what, who, rate in limits)

    if wait := await request.app.state.runtime.db.run(work):
        metrics.rate_limited.labels("sign_in").inc()
        raise too_many(wait)


async def _given(request: Request) -> dict[str, Any]:
    try:
        given = loads(await request.body())
    except ValueError as error:
        detail = {"type": "json_invalid", "loc": ("body",), "msg": "not JSON", "ctx": {"error": "not JSON"}}
        raise RequestValidationError([detail]) from error
    if not isinstance(given, dict):
        raise _invalid("dict_type", "the body must be an object")
    return given


def _invalid(type: str, message: str, *place: str) -> RequestValidationError:
    return RequestValidationError([{"type": type, "loc": ("body", *place), "msg": message}])


def _gate(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


def _passwords(request: Request) -> Passwords:
    held: Passwords = request.app.state.passwords
    return held


def _origin(request: Request) -> Origin:
    runtime = request.app.state.runtime
    trace = tracing.inject().get("traceparent", "")
    correlation_id = tracing.correlation_id.get() or str(uuid4())
    return Origin(runtime.service.system, runtime.service.name, trace=trace, correlation_id=correlation_id)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
