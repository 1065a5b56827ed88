"""Signing in: registration, login, refresh, logout, and what attackers try at each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from argon2 import PasswordHasher
from security_for_tests import PASSWORD, Running, running
from sqlalchemy import select, text, update

from chassis.db import Database
from chassis.security import http, passwords, sessions
from chassis.security.passwords import Passwords
from chassis.security.rates import Rate
from chassis.tables import credentials, refresh_tokens
from chassis.tables import sessions as sessions_table

ADA = {"email": "ada@example.org", "name": "Ada"}
LOGIN = {"email": ADA["email"], "password": PASSWORD}


@pytest.fixture
async def shop(url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running(url, tmp_path) as found:
        yield found


@pytest.fixture
async def ada(shop: Running) -> dict[str, Any]:
    """What Ada was told when she signed in."""
    assert (await shop.client.post("/auth/register", json={**ADA, "password": PASSWORD})).status_code == 202
    answer = await shop.client.post("/auth/login", json=LOGIN)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def refresh(shop: Running, token: str) -> httpx.Response:
    return await shop.client.post("/auth/refresh", json={"refresh_token": token})


async def test_who_registered_signs_in(shop: Running, ada: dict[str, Any]) -> None:
    claims = jwt.decode(ada["access_token"], options={"verify_signature": False})
    assert claims["roles"] == ["customer"]
    assert claims["exp"] - claims["iat"] == ada["expires_in"] == 600
    headers = {"Authorization": f"Bearer {ada['access_token']}"}
    assert (await shop.client.get("/notes-view", headers=headers)).status_code == 200


async def test_the_name_may_be_written_otherwise(shop: Running, ada: dict[str, Any]) -> None:
    body = {"email": " ADA@Example.org ", "password": PASSWORD}
    assert (await shop.client.post("/auth/login", json=body)).status_code == 200


async def test_answers_with_secrets_are_not_stored_by_anybody(shop: Running, ada: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "again"}
    first = await shop.client.post("/auth/login", json=LOGIN, headers=headers)
    second = await shop.client.post("/auth/login", json=LOGIN, headers=headers)
    assert first.headers["cache-control"] == "no-store"
    assert first.json()["refresh_token"] != second.json()["refresh_token"]


# Who is registered is nobody's business


async def test_registering_tells_nothing(shop: Running, ada: dict[str, Any]) -> None:
    again = await shop.client.post("/auth/register", json={**ADA, "password": "another password"})
    new = await shop.client.post(
        "/auth/register", json={**ADA, "email": "b@example.org", "password": PASSWORD}
    )
    assert (again.status_code, again.text) == (new.status_code, new.text) == (202, '{"status":"accepted"}')
    assert (await shop.client.post("/auth/login", json=LOGIN)).status_code == 200
    refused = [
        await shop.client.post("/auth/register", json={"email": email, "name": " ", "password": PASSWORD})
        for email in (ADA["email"], "c@example.org")
    ]
    assert {(each.status_code, each.text) for each in refused} == {(409, refused[0].text)}


async def test_signing_in_tells_nothing(shop: Running, ada: dict[str, Any]) -> None:
    wrong = await shop.client.post("/auth/login", json={**LOGIN, "password": "wrong password"})
    unknown = await shop.client.post("/auth/login", json={**LOGIN, "email": "nobody@example.org"})
    assert (wrong.status_code, wrong.text) == (unknown.status_code, unknown.text)
    assert wrong.status_code == 401


async def test_a_password_is_compared_whoever_asks(
    shop: Running, ada: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    work: list[str] = []

    def verify(self: Passwords, password: str, kept: str) -> bool:
        work.append(kept[:12])
        return False

    monkeypatch.setattr(Passwords, "_verify", verify)
    for email in (ADA["email"], "nobody@example.org"):
        for password in ("wrong password", "x" * 10_000, ""):
            await shop.client.post("/auth/login", json={"email": email, "password": password})
    assert len(work) == 6
    assert len(set(work)) == 1  # with the same parameters, so in the same time


@pytest.mark.parametrize("password", ["x" * 11, "x" * 129, "", 7, None, ["x" * 20]])
async def test_passwords_are_refused_by_length(shop: Running, password: object) -> None:
    answer = await shop.client.post("/auth/register", json={**ADA, "password": password})
    assert answer.status_code == 422
    assert "xxxx" not in answer.text


async def test_an_oversize_password_costs_nothing(shop: Running) -> None:
    answer = await shop.client.post("/auth/register", json={**ADA, "password": "x" * 2_000_000})
    assert answer.status_code == 413


@pytest.mark.parametrize("more", [{"roles": ["clerk"]}, {"user_id": "x"}, {"status": "active"}, {"x": 1}])
async def test_one_does_not_choose_what_one_is(shop: Running, more: dict[str, Any]) -> None:
    answer = await shop.client.post("/auth/register", json={**ADA, "password": PASSWORD, **more})
    assert answer.status_code == 422


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"email": "\\ud800"}', b"\xff"])
async def test_bodies_that_are_none(shop: Running, body: bytes) -> None:
    for path in ("register", "login", "refresh", "logout"):
        answer = await shop.client.post(
            f"/auth/{path}", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422), (path, answer.text)


async def test_two_who_register_at_once_under_one_name(shop: Running) -> None:
    bodies = [{**ADA, "password": f"{PASSWORD} {number}"} for number in range(6)]
    answers = await asyncio.gather(*(shop.client.post("/auth/register", json=body) for body in bodies))
    assert {each.status_code for each in answers} == {202}
    signed = [
        await shop.client.post("/auth/login", json={**LOGIN, "password": b["password"]}) for b in bodies
    ]
    assert sum(each.status_code == 200 for each in signed) == 1


# Refresh tokens


async def test_a_refresh_token_is_good_once_and_its_replay_ends_the_session(
    shop: Running, ada: dict[str, Any]
) -> None:
    first = await refresh(shop, ada["refresh_token"])
    assert first.status_code == 200
    newest = first.json()["refresh_token"]
    assert (await refresh(shop, ada["refresh_token"])).status_code == 401
    assert (await refresh(shop, newest)).status_code == 401


async def test_other_sessions_go_on(shop: Running, ada: dict[str, Any]) -> None:
    other = (await shop.client.post("/auth/login", json=LOGIN)).json()
    await refresh(shop, ada["refresh_token"])
    await refresh(shop, ada["refresh_token"])
    assert (await refresh(shop, other["refresh_token"])).status_code == 200


async def test_of_two_refreshes_at_once_at_most_one_counts(shop: Running, ada: dict[str, Any]) -> None:
    answers = await asyncio.gather(*(refresh(shop, ada["refresh_token"]) for _ in range(8)))
    good = [each for each in answers if each.status_code == 200]
    assert len(good) == 1
    assert {each.status_code for each in answers} == {200, 401}
    assert (await refresh(shop, good[0].json()["refresh_token"])).status_code == 401


@pytest.mark.parametrize("token", ["x", "a" * 43, "' OR 1=1 --", "é"])
async def test_made_up_tokens(shop: Running, ada: dict[str, Any], token: str) -> None:
    assert (await refresh(shop, token)).status_code == 401
    assert (await refresh(shop, ada["refresh_token"])).status_code == 200


async def test_an_access_token_is_no_refresh_token_and_the_other_way_round(
    shop: Running, ada: dict[str, Any]
) -> None:
    assert (await refresh(shop, ada["access_token"][:500])).status_code == 401
    headers = {"Authorization": f"Bearer {ada['refresh_token']}"}
    assert (await shop.client.get("/notes-view", headers=headers)).status_code == 401


async def test_a_session_ends_when_it_is_time(shop: Running, ada: dict[str, Any]) -> None:
    db: Database = shop.app.state.runtime.db
    token = ada["refresh_token"]
    for _ in range(3):  # refreshing does not make it longer
        answer = (await refresh(shop, token)).json()
        token = answer["refresh_token"]
    assert answer["refresh_expires_in"] <= 3600
    await db.run(lambda conn: conn.execute(update(sessions_table).values(expires_at=1.0)))
    assert (await refresh(shop, token)).status_code == 401


async def test_signing_out_ends_the_session(shop: Running, ada: dict[str, Any]) -> None:
    body = {"refresh_token": ada["refresh_token"]}
    assert (await shop.client.post("/auth/logout", json=body)).status_code == 204
    assert (await refresh(shop, ada["refresh_token"])).status_code == 401
    assert (await shop.client.post("/auth/logout", json={"refresh_token": "unknown"})).status_code == 204


async def test_who_is_deactivated_gets_no_more_tokens(shop: Running, ada: dict[str, Any]) -> None:
    left = await shop.client.post(f"/users/{ada['subject']}/leave", headers=shop.headers("clerk"))
    assert left.status_code == 200
    assert (await refresh(shop, ada["refresh_token"])).status_code == 401
    wrong = await shop.client.post("/auth/login", json={**LOGIN, "password": "wrong password"})
    gone = await shop.client.post("/auth/login", json=LOGIN)
    assert (gone.status_code, gone.text) == (wrong.status_code, wrong.text)


async def test_a_new_password_ends_all_sessions(shop: Running, ada: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {ada['access_token']}"}

    async def change(current: str, new: str) -> int:
        body = {"current": current, "new": new}
        return (await shop.client.post("/auth/password", json=body, headers=headers)).status_code

    assert await change("wrong password", "a new password") == 403
    assert await change(PASSWORD, "short") == 422
    assert await change(PASSWORD, "a new password") == 204
    assert (await refresh(shop, ada["refresh_token"])).status_code == 401
    assert (await shop.client.post("/auth/login", json=LOGIN)).status_code == 401
    body = {**LOGIN, "password": "a new password"}
    assert (await shop.client.post("/auth/login", json=body)).status_code == 200


async def test_a_password_that_was_hashed_otherwise_is_hashed_anew(
    shop: Running, ada: dict[str, Any]
) -> None:
    db: Database = shop.app.state.runtime.db
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await db.run(lambda conn: conn.execute(update(credentials).values(password=weak)))
    assert (await shop.client.post("/auth/login", json=LOGIN)).status_code == 200
    kept = await db.read(lambda conn: conn.execute(select(credentials.c.password)).scalar_one())
    assert kept != weak
    assert f"m={passwords.MEMORY_KIB}" in kept


# How often


async def test_guessing_is_slowed_down(shop: Running, ada: dict[str, Any]) -> None:
    body = {**LOGIN, "password": "wrong password"}
    answers = [await shop.client.post("/auth/login", json=body) for _ in range(8)]
    assert [each.status_code for each in answers][:5] == [401] * 5
    assert (answers[-1].status_code, int(answers[-1].headers["retry-after"]) > 0) == (429, True)
    # The right password does not help now, or guessing would go on for free.
    assert (await shop.client.post("/auth/login", json=LOGIN)).status_code == 429


async def test_registering_is_slowed_down(shop: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REGISTRATIONS", Rate(0.01, 2))
    bodies = [{**ADA, "email": f"u{n}@example.org", "password": PASSWORD} for n in range(3)]
    answers = [await shop.client.post("/auth/register", json=body) for body in bodies]
    assert [each.status_code for each in answers] == [202, 202, 429]


# Secrets


async def test_secrets_are_neither_kept_nor_logged(
    shop: Running, ada: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    newest = (await refresh(shop, ada["refresh_token"])).json()
    await refresh(shop, ada["refresh_token"])
    await shop.client.post("/auth/login", json={**LOGIN, "password": "a wrong password"})
    secrets = (
        PASSWORD,
        "a wrong password",
        ada["refresh_token"],
        newest["refresh_token"],
        newest["access_token"],
    )
    db: Database = shop.app.state.runtime.db
    tables = (
        "credentials",
        "sessions",
        "refresh_tokens",
        "idempotency",
        "outbox",
        "aggregates",
        "rate_limits",
    )
    kept = await db.read(lambda conn: str([conn.execute(text(f"SELECT * FROM {t}")).all() for t in tables]))
    for secret in secrets:
        assert secret not in caplog.text
        assert secret not in kept
    assert ada["refresh_token"] not in str(
        await db.read(lambda conn: conn.execute(select(refresh_tokens)).all())
    )


async def test_what_has_expired_is_forgotten(db: Database) -> None:
    def work(conn: Any) -> list[int]:
        sessions.begin(conn, "ada", 10.0, now=100.0)
        sessions.begin(conn, "ada", 99.0, now=100.0)
        forgotten = [sessions.forget(conn, now, 100) for now in (105.0, 150.0, 150.0)]
        left = len(conn.execute(select(refresh_tokens)).all())
        return [*forgotten, left]

    assert await db.run(work) == [0, 1, 0, 1]
