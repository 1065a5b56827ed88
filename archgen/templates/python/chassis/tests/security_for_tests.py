"""A service with accounts and with notes that belong to people, for the tests of `chassis.security`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from chassis.domain import AggregateType, UseCase
from chassis.errors import Refused
from chassis.http import Body, create_app, execute, state_of, view_page, view_row
from chassis.security import Accounts, Guarded, OwnIssuer, Rule, Security, owner
from chassis.security.http import add_accounts
from chassis.security.keys import ensure
from chassis.service import Service
from chassis.settings import Settings
from chassis.testing.credentials import bearer, signed
from chassis.uow import UnitOfWork
from chassis.views import View

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Registered:
    NAME: ClassVar[str] = "user.registered"
    user_id: UUID
    email: str
    name: str


@dataclass(frozen=True)
class Gone:
    NAME: ClassVar[str] = "user.gone"
    user_id: UUID


@dataclass(frozen=True)
class Register:
    NAME: ClassVar[str] = "users.register"
    ID: ClassVar[str] = "user_id"
    CREATES: ClassVar[bool] = True
    EMITS: ClassVar[type] = Registered
    FAILS: ClassVar[type | None] = None
    user_id: UUID
    email: str
    name: str


@dataclass(frozen=True)
class Leave:
    NAME: ClassVar[str] = "users.leave"
    ID: ClassVar[str] = "user_id"
    CREATES: ClassVar[bool] = False
    EMITS: ClassVar[type] = Gone
    FAILS: ClassVar[type | None] = None
    user_id: UUID


@dataclass(frozen=True)
class User:
    user_id: UUID
    email: str
    name: str
    roles: tuple[str, ...] = ("customer",)
    status: str = "active"


def decide_user(user: User | None, command: Any) -> list[Any]:
    if isinstance(command, Leave):
        return [Gone(command.user_id)]
    if not command.name.strip():
        raise Refused("a user needs a name")
    return [Registered(command.user_id, command.email, command.name)]


def evolve_user(user: User | None, event: Any) -> User:
    if isinstance(event, Gone):
        assert user is not None
        return replace(user, status="gone")
    return User(event.user_id, event.email, event.name)


USER = AggregateType("User", User, "user_id", decide_user, evolve_user, (Registered, Gone), owner="user_id")


@dataclass(frozen=True)
class Written:
    NAME: ClassVar[str] = "note.written"
    note_id: UUID
    writer: UUID
    text: str


@dataclass(frozen=True)
class Write:
    NAME: ClassVar[str] = "users.write"
    ID: ClassVar[str] = "note_id"
    CREATES: ClassVar[bool] = True
    EMITS: ClassVar[type] = Written
    FAILS: ClassVar[type | None] = None
    note_id: UUID
    writer: UUID
    text: str


@dataclass(frozen=True)
class Changed:
    NAME: ClassVar[str] = "note.changed"
    note_id: UUID
    text: str


@dataclass(frozen=True)
class Change:
    NAME: ClassVar[str] = "users.change"
    ID: ClassVar[str] = "note_id"
    CREATES: ClassVar[bool] = False
    EMITS: ClassVar[type] = Changed
    FAILS: ClassVar[type | None] = None
    note_id: UUID
    text: str


@dataclass(frozen=True)
class Note:
    note_id: UUID
    writer: UUID
    text: str


def decide_note(note: Note | None, command: Any) -> list[Any]:
    if isinstance(command, Change):
        return [Changed(command.note_id, command.text)]
    return [Written(command.note_id, command.writer, command.text)]


def evolve_note(note: Note | None, event: Any) -> Note:
    if isinstance(event, Changed):
        assert note is not None
        return replace(note, text=event.text)
    return Note(event.note_id, event.writer, event.text)


NOTE = AggregateType("Note", Note, "note_id", decide_note, evolve_note, (Written, Changed), owner="writer")
NOTES = View("notes", Note, (Written, Changed), lambda _, event: event, of=NOTE, owner="writer")


def _handled(type: AggregateType[Any], id: str) -> Any:
    def handle(command: Any, unit: UnitOfWork) -> None:
        unit.handle(type, getattr(command, id), command)

    return handle


REGISTER, LEAVE = UseCase(Register, _handled(USER, "user_id")), UseCase(Leave, _handled(USER, "user_id"))
WRITE, CHANGE = UseCase(Write, _handled(NOTE, "note_id")), UseCase(Change, _handled(NOTE, "note_id"))
ACCOUNTS = Accounts(USER, REGISTER, access=600.0, refresh=3600.0)

CUSTOMER, CLERK = frozenset({"customer"}), frozenset({"clerk"})
BOTH = CUSTOMER | CLERK
RULES = {
    "POST /notes": Rule(BOTH, does="users.write"),
    "POST /notes/{note_id}/change": Rule(BOTH, does="users.change"),
    "GET /notes/{note_id}": Rule(BOTH, callers=frozenset({"orders"})),
    "GET /notes-view": Rule(BOTH),
    "GET /notes-view/{note_id}": Rule(BOTH, callers=frozenset({"orders"}), does="view notes"),
    "POST /users/{user_id}/leave": Rule(CLERK, does="users.leave"),
    "GET /greeting": Rule(public=True),
    **{f"POST /auth/{name}": Rule(public=True) for name in ("register", "login", "refresh", "logout")},
    "POST /auth/password": Rule(BOTH),
    "GET /.well-known/jwks.json": Rule(public=True),
}
SECURITY = Security("shop", "users", "shop", OwnIssuer("users"), BOTH, CLERK, RULES, accounts=ACCOUNTS)
SERVICE = Service(
    "shop", "users", (USER, NOTE), (REGISTER, LEAVE, WRITE, CHANGE), views=(NOTES,), security=SECURITY
)


class WriteBody(Body):
    text: str
    writer: UUID | None = None
    note_id: UUID | None = None


class ChangeBody(Body):
    text: str


def routes() -> APIRouter:
    router = APIRouter(route_class=Guarded)

    @router.post("/notes", status_code=201)
    async def write(body: WriteBody, request: Request) -> JSONResponse:
        command = Write(body.note_id or uuid4(), owner(request, body.writer), body.text)
        return await execute(request, WRITE, command)

    @router.post("/notes/{note_id}/change")
    async def change(note_id: UUID, body: ChangeBody, request: Request) -> JSONResponse:
        return await execute(request, CHANGE, Change(note_id, body.text))

    @router.get("/notes/{note_id}")
    async def note(note_id: UUID, request: Request) -> JSONResponse:
        return await state_of(request, NOTE, note_id)

    @router.get("/notes-view")
    async def notes(request: Request) -> JSONResponse:
        return await view_page(request, "notes", 50, "")

    @router.get("/notes-view/{note_id}")
    async def row(note_id: UUID, request: Request) -> JSONResponse:
        return await view_row(request, "notes", note_id)

    @router.post("/users/{user_id}/leave")
    async def leave(user_id: UUID, request: Request) -> JSONResponse:
        return await execute(request, LEAVE, Leave(user_id))

    @router.get("/greeting")
    async def greeting() -> JSONResponse:
        return JSONResponse("hello")

    @router.get("/forgotten")
    async def forgotten() -> JSONResponse:
        return JSONResponse("nobody said who may read this")

    add_accounts(router, ACCOUNTS)
    return router


@dataclass
class Running:
    """The service, a client of it without a token, and what signs tokens for it."""

    app: FastAPI
    client: httpx.AsyncClient
    keys: Path

    def headers(self, *roles: str, subject: str = "", kind: str = "at+jwt", **changed: Any) -> dict[str, str]:
        """Of a user; `changed` are claims that are to be others than they should."""
        claims = {"iss": "shop/users", "aud": "shop", "sub": subject or str(uuid4()), "roles": list(roles)}
        key = ensure(self.keys, "issuer").signing()
        return bearer(signed(key, kind, {**claims, **changed}))

    def service(self, name: str = "orders", **changed: Any) -> dict[str, str]:
        claims = {"iss": name, "sub": name, "aud": "shop/users"}
        return bearer(signed(ensure(self.keys, name).signing(), "svc+jwt", {**claims, **changed}))


@asynccontextmanager
async def running(
    url: str, folder: Path, env: Mapping[str, str] | None = None, security: Security = SECURITY
) -> AsyncIterator[Running]:
    """The service on a migrated database, without a broker."""
    (folder / "contract.json").write_text("{}")
    nobody = "nats://127.0.0.1:1"
    settings = Settings.from_env("users", env={"DATABASE_URL": url, "BROKER_URL": nobody})
    keys = folder / "keys"
    ensure(keys, "orders", dev=True)
    variables = {"KEYS_DIR": str(keys), **(env or {})}
    service = replace(SERVICE, security=security)
    app = create_app(service, routes(), settings, folder / "contract.json", env=variables)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://users") as client:
        yield Running(app, client, keys)
    app.state.runtime.db.close()
