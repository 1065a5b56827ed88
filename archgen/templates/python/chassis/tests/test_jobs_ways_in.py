"""Jobs over HTTP and from the command line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from jobs_for_tests import Nightly, Note, Poison, enqueue, prepare, service, until_ended

from chassis import __main__ as commands
from chassis.db import Database
from chassis.http import create_app
from chassis.jobs import http as ways
from chassis.jobs import queue
from chassis.jobs.worker import Worker
from chassis.settings import Settings


@pytest.fixture
async def client(db: Database, url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    routes = APIRouter()

    @routes.post("/jobs/note", status_code=202)
    async def note(request: Request) -> JSONResponse:
        return await ways.enqueue(request, Note)

    @routes.post("/jobs/nightly", status_code=202)
    async def nightly(request: Request) -> JSONResponse:
        return await ways.enqueue_scheduled(request, Nightly)

    @routes.get("/jobs/{id}")
    async def get_job(id: str, request: Request) -> JSONResponse:
        return await ways.state_of_job(request, id)

    contract = tmp_path / "openapi.json"
    contract.write_text("{}")
    settings = Settings.from_env("tested", env={"DATABASE_URL": url})
    app = create_app(service(), routes, settings, contract)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tested") as caller:
        yield caller
    app.state.runtime.db.close()


async def test_a_job_is_enqueued_once_per_key_and_told_about(client: httpx.AsyncClient, db: Database) -> None:
    headers = {"Idempotency-Key": "k1", "X-Correlation-Id": "c1"}
    first, second = [await client.post("/jobs/note", json={"what": "x"}, headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (202, 202), first.text
    assert first.headers["Location"] == second.headers["Location"] == f"/jobs/{first.json()['id']}"
    assert second.headers["Idempotent-Replayed"] == "true"
    [row] = await db.read(queue.listed)
    assert (row["args"], row["correlation_id"]) == ({"what": "x", "seconds": 0.0}, "c1")
    state = (await client.get(first.headers["Location"])).json()
    assert (state["job"], state["status"], state["attempt"], state["finished_at"]) == (
        "note",
        "ready",
        0,
        None,
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"what": "x", "more": 2}', 422),
        ('{"wh', 400),
        ("[]", 422),
        ("{}", 422),
        ('{"what": ["x"]}', 422),
        ('{"what": "x", "seconds": "NaN?"}', 422),
    ],
)
async def test_arguments_that_do_not_fit_are_refused_and_nothing_is_enqueued(
    client: httpx.AsyncClient, db: Database, body: str, status: int
) -> None:
    answer = await client.post("/jobs/note", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert await db.read(queue.listed) == []


async def test_a_scheduled_job_is_asked_for_now_or_for_a_time(
    client: httpx.AsyncClient, db: Database
) -> None:
    due = "2026-11-22T03:00:00+00:00"
    assert (await client.post("/jobs/nightly", json={"due": due})).status_code == 202
    [row] = await db.read(queue.listed)
    assert row["args"]["due"] == due


async def test_a_job_that_does_not_exist_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/jobs/c0ffee00-0000-4000-8000-000000000001")).status_code == 404


async def test_operators_list_failed_jobs_and_redrive_them(
    db: Database, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    await prepare(db)
    await enqueue(db, "p", Poison())
    worker = Worker(service(), db)
    worker.start()
    assert await until_ended(db, "p") == ["failed"]
    await worker.stop()
    assert commands.main(["jobs", "tested", "failed"]) == 0
    assert json.loads(capsys.readouterr().out)["error"] == "RuntimeError: it never works"
    assert commands.main(["redrive-jobs", "tested", "p"]) == 0
    assert commands.main(["redrive-jobs", "tested"]) == 1, "there is none left"
    assert [row["status"] for row in await db.read(queue.listed)] == ["ready"]
