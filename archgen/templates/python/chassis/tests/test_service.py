"""How a service is put together: which message goes to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from chassis.db import Database
from chassis.domain import AggregateType, UseCase
from chassis.messages import Malformed, Message
from chassis.reactions import Reaction
from chassis.saga import Saga, Step
from chassis.service import Consumer, Service
from chassis.tables import outbox
from chassis.uow import Origin, Session, UnitOfWork
from chassis.views import View


@dataclass(frozen=True)
class Renamed:
    NAME: ClassVar[str] = "user.renamed"
    user_id: str
    name: str


@dataclass(frozen=True)
class Invited:
    NAME: ClassVar[str] = "guest.invited"
    user_id: str
    name: str


@dataclass(frozen=True)
class Rename:
    NAME: ClassVar[str] = "users.rename"
    ID: ClassVar[str] = "user_id"
    CREATES: ClassVar[bool] = False
    EMITS: ClassVar[type] = Renamed
    FAILS: ClassVar[type | None] = None
    user_id: str
    name: str


@dataclass(frozen=True)
class User:
    name: str


USER = AggregateType(
    "user",
    User,
    "user_id",
    lambda _, command: [Renamed(command.user_id, command.name)],
    lambda _, event: User(event.name),
    (Renamed,),
)


def rename(command: Rename, unit: UnitOfWork) -> None:
    unit.handle(USER, command.user_id, command)


USE_CASE = UseCase(Rename, rename)
VIEW = View("names", User, (Renamed,), lambda _, event: User(event.name))
ABROAD = Saga("welcome", Invited, [Step(Rename)])
OWN = Saga("rename_twice", Renamed, [Step(Rename)])


def wired(**parts: Any) -> Service:
    return Service("shop", "users", (USER,), (USE_CASE,), **parts)


def message(type: str, **data: Any) -> Message:
    return Message("m1", type, "/shop/web", "u1", data, version=1)


def by_name(service: Service) -> dict[str, Consumer]:
    return {consumer.name: consumer for consumer in service.consumers}


async def hear(db: Database, consumer: Consumer, message: Message) -> User | None:
    def work(conn: Any) -> User | None:
        session = Session(conn)
        consumer.handle(session, Origin("shop", "users"), message)
        session.flush()
        state: User | None = session.aggregates.load(USER, "u1").state
        return state

    return await db.run(work)


def test_each_concern_has_a_consumer_of_its_own_and_what_is_empty_has_none() -> None:
    full = wired(views=(VIEW,), reactions=(Reaction(Invited, USE_CASE),), sagas=(ABROAD,))
    assert {name: consumer.addresses for name, consumer in by_name(full).items()} == {
        "users-commands": ("shop.command.users.rename",),
        "users-reactions": ("shop.event.guest.invited",),
        "users-sagas": ("shop.event.guest.invited", "shop.reply.users"),
        "users-view-names": ("shop.event.user.renamed",),
    }
    assert list(by_name(wired())) == ["users-commands"]


async def test_a_message_goes_to_what_its_type_names(db: Database) -> None:
    commands = by_name(wired())["users-commands"]
    assert await hear(db, commands, message("shop.users.rename.v1", user_id="u1", name="Ann")) == User("Ann")


@pytest.mark.parametrize(
    "type", ["shop.users.rename.v2", "shop.users.delete.v1", "other.users.rename.v1", "x"]
)
async def test_a_type_or_a_version_that_nobody_knows_is_malformed(db: Database, type: str) -> None:
    with pytest.raises(Malformed, match="handles"):
        await hear(db, by_name(wired())["users-commands"], message(type, user_id="u1", name="Ann"))


@pytest.mark.parametrize("data", [{}, {"user_id": "u1"}, {"user_id": "u1", "name": 5}])
async def test_data_that_does_not_fit_is_malformed(db: Database, data: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match=r"does not fit 'shop\.users\.rename\.v1'"):
        await hear(db, by_name(wired())["users-commands"], message("shop.users.rename.v1", **data))


async def test_what_is_not_known_here_yet_is_passed_over(db: Database) -> None:
    """A newer version of the same message may carry more."""
    data = {"user_id": "u1", "name": "Ann", "nickname": "A"}
    assert await hear(db, by_name(wired())["users-commands"], message("shop.users.rename.v1", **data))


async def test_several_reactions_to_an_event_all_get_it(db: Database) -> None:
    reactions = (Reaction(Invited, USE_CASE), Reaction(Invited, USE_CASE, given={"name": "Bob"}))
    consumer = by_name(wired(reactions=reactions))["users-reactions"]
    assert consumer.addresses == ("shop.event.guest.invited",)
    invited = message("shop.guest.invited.v1", user_id="u1", name="Ann")
    assert await hear(db, consumer, invited) == User("Bob")


def test_a_saga_that_own_events_start_does_not_wait_for_the_broker() -> None:
    """They start it in the transaction that makes them."""
    assert by_name(wired(sagas=(OWN,)))["users-sagas"].addresses == ("shop.reply.users",)


async def test_what_a_service_tells_itself_is_handled_in_the_same_transaction(db: Database) -> None:
    service = wired(sagas=(ABROAD,))

    def work(conn: Any) -> tuple[list[str], str]:
        session = Session(conn, service.local)
        invited = message("shop.guest.invited.v1", user_id="u1", name="Ann")
        by_name(service)["users-sagas"].handle(session, service.origin, invited)
        session.flush()
        state = session.aggregates.load(USER, "u1").state
        return list(conn.scalars(select(outbox.c.subject))), state.name if state else ""

    assert await db.run(work) == (["shop.event.user.renamed"], "Ann")


async def test_what_fails_there_goes_through_the_broker_instead(db: Database) -> None:
    """Where it is tried again, alone, and kept as a dead letter when that is no use."""

    def broken(_: Rename, __: UnitOfWork) -> None:
        raise RuntimeError("a bug")

    service = Service("shop", "users", (USER,), (UseCase(Rename, broken),), sagas=(ABROAD,))

    def work(conn: Any) -> list[str]:
        session = Session(conn, service.local)
        invited = message("shop.guest.invited.v1", user_id="u1", name="Ann")
        by_name(service)["users-sagas"].handle(session, service.origin, invited)
        session.outbox.deliver(lambda m: service.local(session, m))
        return [m.address for m in session.outbox._messages]

    assert await db.run(work) == ["shop.command.users.rename"]


# Versions of an event


@dataclass(frozen=True)
class InvitedNow:
    """Version 2: what was called name is called guest."""

    NAME: ClassVar[str] = "guest.invited"
    VERSION: ClassVar[int] = 2
    user_id: str
    guest: str


def renamed(data: dict[str, Any]) -> dict[str, Any]:
    return {"user_id": data["user_id"], "guest": data["name"]}


def heard_by(upcasters: dict[str, Any], heard: list[Any]) -> Consumer:
    class Listener(Reaction):
        def react(self, session: Session, origin: Origin, message: Message) -> None:
            heard.append((message.type, message.data))

    service = wired(reactions=(Listener(InvitedNow, USE_CASE),), upcasters=upcasters)
    return by_name(service)["users-reactions"]


async def test_an_older_version_is_lifted_before_anybody_sees_it(db: Database) -> None:
    heard: list[Any] = []
    consumer = heard_by({"guest.invited": (renamed,)}, heard)
    for told in (
        message("shop.guest.invited.v1", user_id="u1", name="Ada"),
        message("shop.guest.invited.v2", user_id="u1", guest="Ada"),
    ):
        await db.run(lambda conn, told=told: consumer.handle(Session(conn), Origin("shop", "users"), told))  # type: ignore[misc]
    assert heard == [("shop.guest.invited.v2", {"user_id": "u1", "guest": "Ada"})] * 2
    assert consumer.addresses == ("shop.event.guest.invited",)


@pytest.mark.parametrize(
    ("upcasters", "type", "reason"),
    [
        ({}, "shop.guest.invited.v1", "it is older than v2 and has no upcaster; add one, then redrive"),
        ({"guest.invited": (renamed,)}, "shop.guest.invited.v3", "this release knows v2; deploy a newer one"),
        (
            {"guest.invited": (renamed,)},
            "shop.guest.invited.vx",
            "nothing here handles 'shop.guest.invited.vx'$",
        ),
    ],
)
async def test_a_version_that_cannot_be_read_says_what_to_do(
    db: Database, upcasters: dict[str, Any], type: str, reason: str
) -> None:
    heard: list[Any] = []
    consumer = heard_by(upcasters, heard)
    with pytest.raises(Malformed, match=reason):
        await db.run(lambda conn: consumer.handle(Session(conn), Origin("shop", "users"), message(type)))
    assert heard == []


async def test_an_event_is_told_with_its_version(db: Database) -> None:
    def work(conn: Any) -> str:
        session = Session(conn)
        unit = UnitOfWork(session, Origin("shop", "users"))
        type = AggregateType(
            "guest",
            User,
            "user_id",
            lambda _, command: [InvitedNow(command, "Ada")],
            lambda _, event: User(event.guest),
            (InvitedNow,),
            upcasters={"guest.invited": (renamed,)},
        )
        unit.handle(type, "u1", "u1")
        unit.complete()
        session.flush()
        body: str = conn.scalar(select(outbox.c.body))
        return body

    assert '"type":"shop.guest.invited.v2"' in await db.run(work)
