import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from chassis import edge
from chassis.health import Health
from chassis.limits import Limits

app = FastAPI()
edge.install(app, Health(), body=1000, seconds=0.05)
steps: list[str] = []


@dataclass
class Note:
    text: str


@app.post("/typed")
async def typed(note: Note) -> int:
    return len(note.text)


@app.post("/raw")
async def raw(request: Request) -> int:
    return len(await request.body())


@app.get("/slow")
async def slow() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        steps.append("cancelled")


@app.get("/own-timeout")
async def own_timeout() -> None:
    raise TimeoutError


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(4):
            await asyncio.sleep(0.03)
            yield b"x"

    return StreamingResponse(parts())


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 100


async def test_a_declared_length_beyond_the_limit_is_refused_unread() -> None:
    pulled = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal pulled
        pulled += 1
        yield b"x" * 1001

    async with client() as http:
        answer = await http.post("/raw", content=body(), headers={"content-length": "1001"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"


async def test_chunks_without_a_length_are_counted() -> None:
    async with client() as http:
        assert (await http.post("/raw", content=chunks(10))).json() == 1000
        answer = await http.post("/raw", content=chunks(11))
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        typed = await http.post("/typed", content=chunks(11), headers={"content-type": "application/json"})
        assert typed.status_code == 413, "also where FastAPI reads the body"


async def test_a_request_that_takes_too_long_is_cancelled_and_told_so() -> None:
    async with client() as http:
        answer = await http.get("/slow")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert steps == ["cancelled"]


async def test_a_body_that_comes_too_slowly_ends_the_request() -> None:
    async def drip() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(60)

    async with client() as http:
        answer = await http.post("/raw", content=drip())
    assert (answer.status_code, answer.headers["connection"]) == (503, "close")


async def test_a_timeout_of_the_handlers_own_is_not_taken_for_the_limit() -> None:
    async with client() as http:
        assert (await http.get("/own-timeout")).status_code == 500


async def test_a_timeout_from_below_passes_through() -> None:
    async def below(*_: object) -> None:
        raise TimeoutError("of its own")

    scope = {"type": "http", "headers": []}
    with pytest.raises(TimeoutError, match="of its own"):
        await Limits(below)(scope, None, None)  # type: ignore[arg-type]


async def test_an_answer_that_begins_as_the_time_ends_is_the_only_one() -> None:
    sent: list[str] = []

    async def send(message: Message) -> None:
        sent.append(message["type"])
        await asyncio.sleep(0)

    async def late(_scope: Scope, _receive: Receive, send: Send) -> None:
        time.sleep(0.02)  # blocks the loop, so that the limit strikes while this still runs
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise

    with pytest.raises(TimeoutError):
        await Limits(late, seconds=0.01)({"type": "http", "headers": []}, None, send)  # type: ignore[arg-type]
    assert sent == ["http.response.start"]


async def test_an_answer_that_has_begun_may_take_its_time() -> None:
    async with client() as http:
        assert (await http.get("/stream")).text == "xxxx"
