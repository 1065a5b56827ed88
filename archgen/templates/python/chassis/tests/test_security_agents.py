"""An agent reaches no further than the person it works for, and a yes counts as its giver's own deed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from agents_for_tests import ADVISOR, BOLD, CHANGE, ORDER, QUICK, Changed, row
from fastapi import APIRouter, FastAPI

from chassis.agents.http import add_agent
from chassis.agents.staff import Staff
from chassis.http import create_app
from chassis.security import Guarded, OwnIssuer, Rule, Security
from chassis.security.gate import Gate
from chassis.security.keys import ensure
from chassis.security.keysets import RingKeys
from chassis.service import Service
from chassis.settings import Settings
from chassis.testing.credentials import bearer, signed
from chassis.testing.llm_stub import LlmStub, Say, tool
from chassis.views import View

READER, WRITER, BOSS = frozenset({"reader"}), frozenset({"writer"}), frozenset({"boss"})
EVERY = READER | WRITER | BOSS
RUNS = {
    operation.format(name): Rule(EVERY)
    for name in ("advisor", "bold")
    for operation in (
        "POST /agents/{}/runs",
        "GET /agents/{}/runs/{{run_id}}",
        "POST /agents/{}/runs/{{run_id}}/confirm",
    )
}
RULES = {
    **RUNS,
    "POST /orders/{order_id}/change": Rule(WRITER | BOSS, does="orders.change"),
    "GET /details/{order_id}": Rule(READER | BOSS, does="view details"),
}
SECURITY = Security("shop", "orders", "shop", OwnIssuer("users"), EVERY, BOSS, RULES)
SERVICE = Service(
    "shop",
    "orders",
    (ORDER,),
    (CHANGE,),
    (View("details", ORDER.state, (Changed,), row),),
    agents=(ADVISOR, BOLD),
    security=SECURITY,
)
CALL = tool("change", {"order_id": "o1", "note": "new"})


@dataclass
class Shop:
    app: FastAPI
    http: httpx.AsyncClient
    keys: Path

    def headers(self, role: str, subject: str) -> dict[str, str]:
        claims = {"iss": "shop/users", "aud": "shop", "sub": subject, "roles": [role]}
        return bearer(signed(ensure(self.keys, "issuer").signing(), "at+jwt", claims))

    async def run(self, role: str, subject: str = "ada", agent: str = "advisor") -> dict[str, Any]:
        path = f"/agents/{agent}/runs"
        answer = await self.http.post(path, json={"task": "Go."}, headers=self.headers(role, subject))
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def confirm(self, run: dict[str, Any], role: str, subject: str) -> httpx.Response:
        decisions = {call["id"]: "approve" for call in run["pending"]}
        path = f"/agents/advisor/runs/{run['run_id']}/confirm"
        return await self.http.post(path, json={"decisions": decisions}, headers=self.headers(role, subject))

    async def note(self) -> str | None:
        runtime = self.app.state.runtime
        held = await runtime.db.read(lambda conn: runtime._session(conn).aggregates.load(ORDER, "o1"))
        return held.state.note if held.state else None


@pytest.fixture
def stub() -> Iterator[LlmStub]:
    with LlmStub() as server:
        yield server


@pytest.fixture
async def shop(stub: LlmStub, url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    router = APIRouter(route_class=Guarded)
    for agent in SERVICE.agents:
        add_agent(router, agent)
    (tmp_path / "c.json").write_text("{}")
    settings = Settings.from_env("orders", env={"DATABASE_URL": url})
    keys = tmp_path / "keys"
    env = {"KEYS_DIR": str(keys), "USERS_URL": "http://127.0.0.1:1", **stub.env}
    app = create_app(SERVICE, router, settings, tmp_path / "c.json", env=env)
    app.state.staff = Staff(app.state.runtime, {}, stub.env, policy=QUICK)
    app.state.gate = Gate(SECURITY, app.state.gate.settings, RingKeys(ensure(keys, "issuer", dev=True)))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://orders") as http:
        yield Shop(app, http, keys)
    await app.state.staff.close()
    app.state.runtime.db.close()


async def test_a_yes_needs_the_role_that_the_command_needs(shop: Shop, stub: LlmStub) -> None:
    stub.play([Say("May I?", CALL), Say("Thank you.")])
    run = await shop.run("reader")
    assert run["status"] == "needs_confirmation"
    assert (await shop.confirm(run, "reader", "ada")).status_code == 403
    assert await shop.note() is None
    done = await shop.confirm(run, "boss", "bob")
    assert done.json()["calls"][0]["outcome"] == "ok"
    assert await shop.note() == "new"


async def test_a_run_is_its_starters_and_staffs(shop: Shop, stub: LlmStub) -> None:
    stub.play([Say("May I?", CALL), Say("Thank you.")])
    run = await shop.run("writer", "ada")
    path = f"/agents/advisor/runs/{run['run_id']}"
    for role, subject, status in (("writer", "ada", 200), ("writer", "bob", 404), ("boss", "bob", 200)):
        answer = await shop.http.get(path, headers=shop.headers(role, subject))
        assert answer.status_code == status, (role, subject)
    assert (await shop.confirm(run, "writer", "bob")).status_code == 404
    assert await shop.note() is None


async def test_what_needs_no_yes_needs_the_role_all_the_same(shop: Shop, stub: LlmStub) -> None:
    stub.play([Say("Now.", CALL), Say("Done.")])
    run = await shop.run("reader", agent="bold")
    assert [call["outcome"] for call in run["calls"]] == ["error"]
    assert await shop.note() is None
    stub.play([Say("Now.", tool("change", {"order_id": "o1", "note": "new"})), Say("Done.")])
    assert [call["outcome"] for call in (await shop.run("writer", agent="bold"))["calls"]] == ["ok"]


async def test_a_view_is_read_as_the_person_may_read_it(shop: Shop, stub: LlmStub) -> None:
    look = tool("details", {"order_id": "o1"})
    stub.play([Say("Look.", look), Say("Seen.")])
    await shop.run("writer")
    assert "may not see" in str(stub.results()[0]["content"])


async def test_a_service_that_lost_its_rules_runs_nothing(shop: Shop) -> None:
    gate = shop.app.state.gate
    shop.app.state.gate = Gate(replace(SECURITY, rules={}), gate.settings, gate._user_keys)
    answer = await shop.http.post(
        "/agents/advisor/runs", json={"task": "Go."}, headers=shop.headers("boss", "ada")
    )
    assert answer.status_code == 403
