"""Over HTTP: which version a caller has seen, and which one it wants to see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from chassis import freshness, problem
from chassis.domain import AggregateType, UseCase
from chassis.errors import Conflict, Unavailable, existing
from chassis.http import execute, state_of, view_row
from chassis.preconditions import IfMatch, guard, if_match
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.testing.fakes import FakeBus
from chassis.uow import Session, UnitOfWork
from chassis.views import View


@dataclass(frozen=True)
class Opened:
    NAME: ClassVar[str] = "tab.opened"
    tab_id: str


@dataclass(frozen=True)
class Ordered:
    NAME: ClassVar[str] = "tab.ordered"
    tab_id: str


@dataclass(frozen=True)
class Open:
    NAME: ClassVar[str] = "bar.open"
    ID: ClassVar[str] = "tab_id"
    CREATES: ClassVar[bool] = True
    EMITS: ClassVar[type] = Opened
    FAILS: ClassVar[type | None] = None
    tab_id: str


@dataclass(frozen=True)
class Order:
    NAME: ClassVar[str] = "bar.order"
    ID: ClassVar[str] = "tab_id"
    CREATES: ClassVar[bool] = False
    EMITS: ClassVar[type] = Ordered
    FAILS: ClassVar[type | None] = None
    tab_id: str


@dataclass(frozen=True)
class Tab:
    drinks: int = 0


def decide(tab: Tab | None, command: Open | Order) -> list[Any]:
    if isinstance(command, Open):
        return [Opened(command.tab_id)]
    existing(tab, "Tab", command.tab_id)
    return [Ordered(command.tab_id)]


def evolve(tab: Tab | None, event: Any) -> Tab:
    return Tab((tab.drinks if tab else 0) + isinstance(event, Ordered))


TAB = AggregateType("Tab", Tab, "tab_id", decide, evolve, (Opened, Ordered), True)
VIEW = View("tabs", Tab, (Opened, Ordered), evolve, TAB)


def handle(command: Any, unit: UnitOfWork) -> None:
    unit.handle(TAB, command.tab_id, command)


OPEN, ORDER = UseCase(Open, handle), UseCase(Order, handle)
SERVICE = Service("pub", "bar", (TAB,), (OPEN, ORDER), (VIEW,))


@pytest.fixture
async def runtime(url: str) -> AsyncIterator[Runtime]:
    running = Runtime(SERVICE, Settings.from_env("bar", env={"DATABASE_URL": url}), broker=FakeBus())
    yield running
    running.db.close()


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problem.install(app)
    app.state.runtime = runtime

    @app.post("/tabs/{id}")
    async def open(id: str, request: Request) -> JSONResponse:
        return await execute(request, OPEN, Open(id))

    @app.post("/tabs/{id}/order")
    async def order(id: str, request: Request) -> JSONResponse:
        return await execute(request, ORDER, Order(id))

    @app.get("/tabs/{id}")
    async def get(id: str, request: Request) -> JSONResponse:
        return await state_of(request, TAB, id)

    @app.get("/view/{id}")
    async def row(id: str, request: Request, min_version: int = 0) -> JSONResponse:
        return await view_row(request, "tabs", id, min_version)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bar") as client:
        yield client


async def test_every_answer_tells_the_version_as_an_etag(client: httpx.AsyncClient) -> None:
    opened = await client.post("/tabs/a")
    assert (opened.status_code, opened.headers["etag"]) == (201, '"1"')
    ordered = await client.post("/tabs/a/order")
    assert (ordered.status_code, ordered.headers["etag"], ordered.json()["version"]) == (200, '"2"', 2)
    assert (await client.get("/tabs/a")).headers["etag"] == '"2"'


async def test_with_the_version_that_it_has_a_command_is_done(client: httpx.AsyncClient) -> None:
    etag = (await client.post("/tabs/a")).headers["etag"]
    for expected in ('"2"', '"3"'):
        answer = await client.post("/tabs/a/order", headers={"If-Match": etag})
        etag = answer.headers["etag"]
        assert (answer.status_code, etag) == (200, expected)


@pytest.mark.parametrize("header", ['"1"', '"3"', '"0", "7"', 'W/"2"', '"two"', '""', '"2x"'])
async def test_with_another_one_it_is_412_and_nothing_is_done(client: httpx.AsyncClient, header: str) -> None:
    await client.post("/tabs/a")
    await client.post("/tabs/a/order")
    answer = await client.post("/tabs/a/order", headers={"If-Match": header})
    assert (answer.status_code, answer.headers["content-type"]) == (412, problem.MEDIA_TYPE)
    assert "it is at version 2" in answer.json()["detail"]
    assert (await client.get("/tabs/a")).json() == {"drinks": 1, "version": 2}


@pytest.mark.parametrize("header", ["*", '"1"', '"9", "1"', 'W/"9" , "1"'])
async def test_one_of_several_or_any_will_do(client: httpx.AsyncClient, header: str) -> None:
    await client.post("/tabs/a")
    assert (await client.post("/tabs/a/order", headers={"If-Match": header})).status_code == 200


@pytest.mark.parametrize("header", ["1", "", '"1', '"1" "2"', "W/1", '"1",,"2'])
async def test_what_is_no_etag_is_400(client: httpx.AsyncClient, header: str) -> None:
    await client.post("/tabs/a")
    assert (await client.post("/tabs/a/order", headers={"If-Match": header})).status_code == 400


async def test_what_does_not_exist_is_404_all_the_same(client: httpx.AsyncClient) -> None:
    assert (await client.post("/tabs/a/order", headers={"If-Match": '"1"'})).status_code == 404


async def test_a_creation_cannot_be_for_a_version(client: httpx.AsyncClient) -> None:
    for header in ('"1"', "*"):
        assert (await client.post("/tabs/a", headers={"If-Match": header})).status_code == 412
    assert (await client.get("/tabs/a")).status_code == 404


async def test_sent_again_with_its_key_it_is_answered_again_although_the_version_moved_on(
    client: httpx.AsyncClient,
) -> None:
    await client.post("/tabs/a")
    headers = {"If-Match": '"1"', "Idempotency-Key": "k"}
    first, second = [await client.post("/tabs/a/order", headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 200)
    assert (second.json(), second.headers["etag"]) == (first.json(), '"2"')
    assert second.headers["idempotent-replayed"] == "true"


async def test_of_callers_that_saw_the_same_version_one_wins(client: httpx.AsyncClient) -> None:
    await client.post("/tabs/a")
    many = [client.post("/tabs/a/order", headers={"If-Match": '"1"'}) for _ in range(10)]
    answers = [answer.status_code for answer in await asyncio.gather(*many)]
    assert sorted(set(answers)) in ([200, 412], [200, 409, 412])
    assert answers.count(200) == 1
    assert (await client.get("/tabs/a")).json()["drinks"] == 1


def clashing(times: int) -> Callable[[Any, UnitOfWork], None]:
    """A use case that meets another writer the first so many times."""
    left = [None] * times

    def use_case(command: Any, unit: UnitOfWork) -> None:
        handle(command, unit)
        if left:
            left.pop()
            raise Conflict("an event was appended by somebody else meanwhile")

    return use_case


@pytest.mark.parametrize(("clashes", "status"), [(1, 200), (2, 200), (3, 409)])
async def test_without_a_version_a_clash_is_decided_anew_up_to_three_times(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, clashes: int, status: int
) -> None:
    await client.post("/tabs/a")
    monkeypatch.setattr(f"{__name__}.ORDER", UseCase(Order, clashing(clashes)))
    answer = await client.post("/tabs/a/order")
    assert answer.status_code == status
    if status == 409:
        assert answer.json()["detail"] == "an event was appended by somebody else meanwhile"
        assert answer.headers["content-type"] == problem.MEDIA_TYPE


async def test_with_a_version_nothing_is_tried_again(runtime: Runtime) -> None:
    runs = []

    def work(_session: Session) -> None:
        runs.append(1)
        raise Conflict("it is at version 2; you have seen 1", 1)

    with pytest.raises(Conflict):
        await runtime.transact(work)
    assert len(runs) == 1


@given(st.text(max_size=20))
def test_any_header_is_understood_or_refused(text: str) -> None:
    raw = text.encode("latin-1", "ignore")
    request = Request({"type": "http", "headers": [(b"if-match", raw)]})
    try:
        wanted = if_match(request)
    except HTTPException as error:
        assert error.status_code == 400
    else:
        assert wanted is not None


@given(st.sets(st.integers(0, 9)), st.booleans(), st.integers(0, 9), st.booleans())
def test_the_rule(versions: set[int], anything: bool, version: int, creates: bool) -> None:
    wanted = IfMatch(frozenset(versions), anything)
    allowed = version in versions or (anything and version > 0) or (version == 0 and not creates)
    try:
        guard(wanted, lambda: version, creates=creates)
    except Conflict as clash:
        assert clash.expected is not None
        assert not allowed
    else:
        assert allowed


# Reading what one has written


def project(session: Session, version: int) -> None:
    session.views.save(VIEW, "a", Tab(version), version)


async def test_a_row_is_waited_for(client: httpx.AsyncClient, runtime: Runtime) -> None:
    asking = asyncio.create_task(client.get("/view/a", params={"min_version": 2}))
    for version in (1, 2):
        await asyncio.sleep(0.05)
        assert not asking.done()
        await runtime.transact(partial(project, version=version))
    answer = await asyncio.wait_for(asking, 5)
    assert (answer.status_code, answer.json()) == (200, {"drinks": 2, "version": 2})


async def test_a_row_that_is_far_enough_is_there_at_once(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await runtime.transact(lambda session: project(session, 3))
    for wanted in (0, 1, 3):
        answer = await client.get("/view/a", params={"min_version": wanted})
        assert answer.json() == {"drinks": 3, "version": 3}


async def test_one_that_does_not_come_is_503_with_when_to_ask_again(
    client: httpx.AsyncClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await runtime.transact(lambda session: project(session, 3))
    with pytest.raises(Unavailable, match="shows version 3 of this one, not 4 yet"):
        await freshness.at_least(runtime.db, "tabs", "a", 4, patience=0.05)
    monkeypatch.setattr(freshness.at_least, "__defaults__", (0.05,))
    answer = await client.get("/view/a", params={"min_version": 4})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_without_a_version_a_row_that_is_not_there_is_404(client: httpx.AsyncClient) -> None:
    assert (await client.get("/view/a")).status_code == 404
