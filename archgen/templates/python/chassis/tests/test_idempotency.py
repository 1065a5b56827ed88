"""On SQLite and on a real PostgreSQL."""

import asyncio
import threading
import time
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import Connection, text
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis import edge, idempotency
from chassis.db import Database
from chassis.errors import Refused
from chassis.health import Health
from chassis.idempotency import Key, StoredResponse, once


@pytest.fixture
async def effects_table(db: Database) -> Database:
    """A database with a table that shows what was done."""

    def prepare(conn: Connection) -> None:
        conn.execute(text("DROP TABLE IF EXISTS effects"))
        conn.execute(text("CREATE TABLE effects (what TEXT)"))

    await db.run(prepare)
    return db


class Shop:
    """An app with one POST, whose effect is a row."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.wait = 0.0
        app = FastAPI()
        edge.install(app, Health())

        @app.post("/orders/{shop}")
        async def create(shop: str, order: dict[str, Any], request: Request) -> Response:
            key = await idempotency.key_of(request, caller=request.headers.get("x-caller", ""))
            stored = await db.run(lambda conn: once(conn, key, lambda: self.place(conn, order)))
            return stored.response()

        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    def place(self, conn: Connection, order: dict[str, Any]) -> StoredResponse:
        conn.execute(text("INSERT INTO effects VALUES (:what)"), {"what": order["what"]})
        time.sleep(self.wait)
        if order["what"] == "refused":
            raise Refused("sold out")
        return StoredResponse(201, {"order": order["what"], "n": [1, None]}, {"Location": "/orders/1"})

    async def post(
        self, key: str | None = "k1", what: str = "book", path: str = "/orders/a", caller: str = ""
    ) -> httpx.Response:
        headers = {"x-caller": caller} | ({"Idempotency-Key": key} if key is not None else {})
        return await self.http.post(path, json={"what": what}, headers=headers)

    async def effects(self) -> int:
        return await self.db.read(
            lambda conn: conn.execute(text("SELECT count(*) FROM effects")).scalar_one()
        )


@pytest.fixture
def shop(effects_table: Database) -> Shop:
    return Shop(effects_table)


async def test_the_second_time_gives_the_first_answer_and_no_effect(shop: Shop) -> None:
    first, second = await shop.post(), await shop.post()
    assert (first.status_code, first.json()) == (201, {"order": "book", "n": [1, None]})
    assert (second.status_code, second.json()) == (201, first.json())
    assert second.headers["location"] == "/orders/1"
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert await shop.effects() == 1


async def test_without_a_key_each_time_is_the_first(shop: Shop) -> None:
    await shop.post(key=None)
    await shop.post(key=None)
    assert await shop.effects() == 2


async def test_the_same_key_for_something_else_is_422(shop: Shop) -> None:
    await shop.post(what="book")
    answer = await shop.post(what="car")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert await shop.effects() == 1


async def test_callers_and_paths_do_not_share_keys(shop: Shop) -> None:
    await shop.post()
    await shop.post(caller="somebody")
    await shop.post(path="/orders/b")
    assert await shop.effects() == 3


async def test_a_quoted_key_is_the_bare_one(shop: Shop) -> None:
    await shop.post("k1")
    assert (await shop.post('"k1"')).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("key", ["", '""', "a b", "x" * 256])
async def test_a_key_that_is_none_is_400(shop: Shop, key: str) -> None:
    assert (await shop.post(key)).status_code == 400
    assert await shop.effects() == 0


async def test_the_longest_key_is_taken(shop: Shop) -> None:
    assert (await shop.post("x" * 255)).status_code == 201


async def test_a_refusal_leaves_nothing_behind(shop: Shop) -> None:
    assert [(await shop.post(what="refused")).status_code for _ in range(2)] == [409, 409]
    assert await shop.effects() == 0
    assert (await shop.post(what="book")).status_code == 201, "not even the key"


async def test_many_at_once_have_one_effect(shop: Shop) -> None:
    """PostgreSQL answers 409 while one is under way; SQLite's one writer makes the others wait."""
    shop.wait = 0.05 if shop.db.sqlite else 1.0
    answers = await asyncio.gather(*(shop.post() for _ in range(20)))
    assert await shop.effects() == 1
    fresh = [a for a in answers if a.status_code == 201 and "idempotent-replayed" not in a.headers]
    busy = [a for a in answers if a.status_code == 409]
    assert len(fresh) == 1
    assert all(a.headers["retry-after"] == "1" for a in busy)
    assert len(busy) == 0 if shop.db.sqlite else len(busy) >= 7
    assert {a.status_code for a in answers} <= {201, 409}
    assert (await shop.post()).headers["idempotent-replayed"] == "true"


async def test_two_processes_race_for_a_key_and_the_loser_never_acts(db: Database) -> None:
    """Transactions of their own connections, interleaved by hand: claim, claim, commit."""
    key = Key("ab" * 32, "f")
    answer = StoredResponse(200, "first")
    results: list[object] = []

    def second() -> None:
        try:
            with db.engine.begin() as conn:
                results.append(idempotency.find(conn, key))
        except HTTPException as error:
            results.append(error.status_code)

    with db.engine.begin() as conn:
        assert idempotency.find(conn, key) is None
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive() == db.sqlite
        idempotency.remember(conn, key, answer)
    thread.join()
    assert results == [StoredResponse(200, "first", {}, replayed=True)] if db.sqlite else [409]


async def test_a_process_that_dies_in_the_middle_leaves_the_key_free(db: Database) -> None:
    key = Key("cd" * 32, "f")
    with db.engine.connect() as conn:
        assert idempotency.find(conn, key) is None
        conn.rollback()
    assert await db.run(lambda conn: idempotency.find(conn, key)) is None


async def test_old_records_go_in_batches(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(conn: Connection, number: int) -> StoredResponse:
        return once(conn, Key(f"{number:064x}", "f"), lambda: StoredResponse(200, None))

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 25 * 3600)
    await db.run(lambda conn: [keep(conn, number) for number in range(25)])
    monkeypatch.setattr(time, "time", lambda: now - 23 * 3600)
    await db.run(lambda conn: keep(conn, 99))
    monkeypatch.setattr(time, "time", lambda: now)
    counts = [await db.run(lambda conn: idempotency.forget(conn, limit=10)) for _ in range(4)]
    assert counts == [10, 10, 5, 0]
    found = await db.run(lambda conn: idempotency.find(conn, Key(f"{99:064x}", "f")))
    assert found is not None
