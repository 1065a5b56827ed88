"""The gate over HTTP: who gets through, who doesn't and what they are told; what is somebody's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import APIRouter
from security_for_tests import NOTES, SERVICE, Change, Running, Write, running

from chassis.http import create_app
from chassis.security import tokens
from chassis.security.keys import ensure, new_key
from chassis.settings import Settings
from chassis.testing.credentials import bearer, signed
from chassis.uow import Session

ADA, BOB = str(uuid4()), str(uuid4())


@pytest.fixture
async def shop(url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running(url, tmp_path) as found:
        yield found


async def note(shop: Running, writer: str = ADA) -> str:
    answer = await shop.client.post(
        "/notes", json={"text": "x"}, headers=shop.headers("customer", subject=writer)
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["note_id"])


def told(answer: httpx.Response) -> tuple[int, str, str]:
    kind = answer.headers["content-type"]
    return answer.status_code, answer.headers.get("www-authenticate", ""), kind


async def test_without_a_token(shop: Running) -> None:
    answer = await shop.client.get(f"/notes/{uuid4()}")
    assert told(answer) == (401, "Bearer", "application/problem+json")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "bearer x y", "\u00e9"]
)
async def test_with_something_else_than_a_token(shop: Running, header: str) -> None:
    answer = await shop.client.get(f"/notes/{uuid4()}", headers={b"Authorization": header.encode("latin-1")})
    assert told(answer) == (401, 'Bearer error="invalid_token"', "application/problem+json")


async def test_two_tokens_are_none(shop: Running) -> None:
    both = [("Authorization", shop.headers("customer")["Authorization"])] * 2
    assert (await shop.client.get(f"/notes/{uuid4()}", headers=both)).status_code == 401


async def test_with_the_wrong_role(shop: Running) -> None:
    answer = await shop.client.post(f"/users/{uuid4()}/leave", headers=shop.headers("customer"))
    assert told(answer) == (403, 'Bearer error="insufficient_scope"', "application/problem+json")


async def test_roles_that_do_not_exist_are_worth_nothing(shop: Running) -> None:
    for roles in (["admin"], ["CLERK"], [["clerk"]], "customer-clerk", {"clerk": True}, None):
        answer = await shop.client.post(f"/users/{uuid4()}/leave", headers=shop.headers(roles=roles))
        assert answer.status_code == 403, roles


@pytest.mark.parametrize(
    "changed",
    [{"aud": "bank"}, {"iss": "shop/others"}, {"exp": 1}, {"nbf": 9e9}, {"sub": ""}, {"aud": "shop/users"}],
)
async def test_claims_that_are_wrong(shop: Running, changed: dict[str, Any]) -> None:
    headers = shop.headers("clerk", **changed)
    assert (await shop.client.get("/notes-view", headers=headers)).status_code == 401


@pytest.mark.parametrize("kind", ["JWT", "svc+jwt", "dpop+jwt", ""])
async def test_only_access_tokens_are_access_tokens(shop: Running, kind: str) -> None:
    assert (await shop.client.get("/notes-view", headers=shop.headers("clerk", kind=kind))).status_code == 401


async def test_a_key_that_nobody_published(shop: Running) -> None:
    claims = {"iss": "shop/users", "aud": "shop", "sub": ADA, "roles": ["clerk"]}
    for key in (new_key("issuer"), new_key("../../etc/passwd")):
        answer = await shop.client.get("/notes-view", headers=bearer(signed(key, tokens.ACCESS, claims)))
        assert answer.status_code == 401


async def test_what_no_rule_names_is_closed(shop: Running) -> None:
    for headers in ({}, shop.headers("customer", "clerk"), shop.service()):
        assert (await shop.client.get("/forgotten", headers=headers)).status_code in (401, 403)


async def test_the_body_is_not_looked_at_before(shop: Running) -> None:
    read = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read = True
        yield b'{"text": "x"}'

    request = shop.client.build_request("POST", "/notes", content=body())
    assert (await shop.client.send(request)).status_code == 401
    assert not read


async def test_a_route_that_does_not_ask_the_gate_stops_the_service(tmp_path: Path) -> None:
    router = APIRouter()
    router.add_api_route("/backdoor", lambda: "hello")
    (tmp_path / "c.json").write_text("{}")
    settings = Settings.from_env("users", env={})
    with pytest.raises(RuntimeError, match="/backdoor"):
        create_app(SERVICE, router, settings, tmp_path / "c.json", env={"KEYS_DIR": str(tmp_path)})


async def test_services_reach_what_they_call_and_nothing_else(shop: Running) -> None:
    id = await note(shop)
    assert (await shop.client.get(f"/notes/{id}", headers=shop.service())).status_code == 200
    assert (await shop.client.get("/notes-view", headers=shop.service())).status_code == 403
    for changed in (
        {"aud": "shop/payments"},
        {"aud": "shop"},
        {"sub": "payments"},
        {"exp": 1},
        {"iss": "payments"},
    ):
        answer = await shop.client.get(f"/notes/{id}", headers=shop.service(**changed))
        assert answer.status_code == 401, changed
    for name in ("payments", "issuer"):
        assert (await shop.client.get(f"/notes/{id}", headers=shop.service(name))).status_code == 401


async def test_a_users_token_signed_by_a_service_is_none(shop: Running) -> None:
    claims = {"iss": "shop/users", "aud": "shop", "sub": ADA, "roles": ["clerk"]}
    headers = bearer(signed(ensure(shop.keys, "orders").signing(), tokens.ACCESS, claims))
    assert (await shop.client.get("/notes-view", headers=headers)).status_code == 401


async def test_what_is_public_needs_no_token_and_minds_none(shop: Running) -> None:
    for headers in ({}, bearer("rubbish"), shop.headers("customer"), shop.service()):
        assert (await shop.client.get("/greeting", headers=headers)).status_code == 200


# What is somebody's own


async def test_a_note_is_its_writers(shop: Running) -> None:
    id = await note(shop)
    for role, subject, status in (
        ("customer", ADA, 200),
        ("customer", BOB, 404),
        ("clerk", BOB, 200),
    ):
        headers = shop.headers(role, subject=subject)
        assert (await shop.client.get(f"/notes/{id}", headers=headers)).status_code == status
        change = await shop.client.post(f"/notes/{id}/change", json={"text": "y"}, headers=headers)
        assert change.status_code == status


async def test_another_ones_looks_like_none(shop: Running) -> None:
    id, missing = await note(shop), str(uuid4())
    headers = shop.headers("customer", subject=BOB)
    theirs = await shop.client.get(f"/notes/{id}", headers=headers)
    nobodys = await shop.client.get(f"/notes/{missing}", headers=headers)
    assert theirs.text.replace(id, missing) == nobodys.text


async def test_one_writes_for_oneself(shop: Running) -> None:
    headers = shop.headers("customer", subject=BOB)
    answer = await shop.client.post("/notes", json={"text": "x", "writer": ADA}, headers=headers)
    assert answer.status_code == 403
    own = await shop.client.post("/notes", json={"text": "x", "writer": BOB}, headers=headers)
    assert own.status_code == 201


async def test_staff_say_for_whom(shop: Running) -> None:
    headers = shop.headers("clerk")
    assert (await shop.client.post("/notes", json={"text": "x"}, headers=headers)).status_code == 422
    answer = await shop.client.post("/notes", json={"text": "x", "writer": ADA}, headers=headers)
    assert answer.status_code == 201


async def test_an_id_that_is_taken_can_not_be_taken_over(shop: Running) -> None:
    id = await note(shop)
    headers = shop.headers("customer", subject=BOB)
    answer = await shop.client.post("/notes", json={"text": "mine", "note_id": id}, headers=headers)
    assert answer.status_code == 409
    state = await shop.client.get(f"/notes/{id}", headers=shop.headers("clerk"))
    assert state.json()["writer"] == ADA


async def test_a_subject_that_is_no_uuid_owns_nothing(shop: Running) -> None:
    headers = shop.headers("customer", subject="ada")
    assert (await shop.client.post("/notes", json={"text": "x"}, headers=headers)).status_code == 403


async def test_rows_of_a_view_are_their_owners(shop: Running) -> None:
    mine, theirs = await note(shop, ADA), await note(shop, BOB)

    def project(session: Session) -> None:
        for id, writer in ((mine, ADA), (theirs, BOB)):
            row = Write(UUID(id), UUID(writer), "x")
            session.views.save(NOTES, id, row, 1)

    await shop.app.state.runtime.transact(project)
    headers = shop.headers("customer", subject=ADA)
    assert (await shop.client.get(f"/notes-view/{mine}", headers=headers)).status_code == 200
    assert (await shop.client.get(f"/notes-view/{theirs}", headers=headers)).status_code == 404
    page = (await shop.client.get("/notes-view", headers=headers)).json()
    assert [row["note_id"] for row in page["items"]] == [mine]
    everything = (await shop.client.get("/notes-view", headers=shop.headers("clerk"))).json()
    assert {row["note_id"] for row in everything["items"]} == {mine, theirs}


async def test_a_row_without_an_owner_is_nobodys(shop: Running) -> None:
    id = str(uuid4())
    row = Change(UUID(id), "x")
    await shop.app.state.runtime.transact(lambda session: session.views.save(NOTES, id, row, 1))
    for subject in (ADA, "", "None"):
        headers = shop.headers("customer", subject=subject or ADA)
        assert (await shop.client.get(f"/notes-view/{id}", headers=headers)).status_code == 404


async def test_a_key_for_a_request_is_its_callers(shop: Running) -> None:
    body = {"text": "x"}
    for subject in (ADA, BOB):
        headers = {**shop.headers("customer", subject=subject), "Idempotency-Key": "same"}
        answer = await shop.client.post("/notes", json=body, headers=headers)
        assert "idempotent-replayed" not in answer.headers
        assert answer.status_code == 201


# How often


async def test_who_asks_too_often_waits(url: str, tmp_path: Path) -> None:
    async with running(url, tmp_path, {"RATE_PER_SECOND": "1"}) as shop:
        ada, bob = shop.headers("customer", subject=ADA), shop.headers("customer", subject=BOB)
        answers = [await shop.client.get("/notes-view", headers=ada) for _ in range(8)]
        late = answers[-1]
        assert (late.status_code, late.headers["content-type"]) == (429, "application/problem+json")
        assert int(late.headers["retry-after"]) >= 1
        assert (await shop.client.get("/notes-view", headers=bob)).status_code == 200
        # Guessing tokens is slowed down by address.
        guesses = [await shop.client.get("/notes-view", headers=bearer(f"a.b.{n}")) for n in range(8)]
        assert guesses[-1].status_code == 429
