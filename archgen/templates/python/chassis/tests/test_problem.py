import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Header
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from chassis import edge
from chassis.errors import Conflict, NotFound, Refused, Unavailable
from chassis.health import Health
from chassis.http_client import PeerRefused, PeerUnavailable
from chassis.problem import MEDIA_TYPE, RESPONSES, Unexpected


@dataclass
class Item:
    sku: str
    quantity: int


@dataclass
class Order:
    customer: UUID
    items: list[Item]


app = FastAPI(responses=RESPONSES)
edge.install(app, Health())

RAISED = {
    "refused": Refused("no stock"),
    "conflict": Conflict("moved on", expected=3),
    "missing": NotFound("order", "o-1"),
    "unavailable": Unavailable("the broker is away", retry_after=2.2),
    "peer-refused": PeerRefused("stock", 404, {"detail": "internal name"}),
    "peer-unavailable": PeerUnavailable("stock", "open", "not called for now", retry_after=31),
    "database": OperationalError("SELECT secret", {}, Exception("host=10.0.0.1")),
    "bug": RuntimeError("password=hunter2"),
    "own-number": HTTPException(499, "gone"),
    "teapot": HTTPException(418, "short and stout", headers={"X-Pot": "1"}),
}


@app.post("/orders")
async def create(order: Order) -> Order:
    return order


@app.get("/orders/{order_id}")
async def read(order_id: UUID, limit: int = 1, x_count: int = Header(0)) -> str:
    return f"{order_id}{limit}{x_count}"


@app.get("/raise/{name}")
async def failing(name: str) -> None:
    raise RAISED[name]


async def ask(method: str, path: str, **more: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, **more)


async def problem(method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
    response = await ask(method, path, **more)
    assert response.headers["content-type"] == MEDIA_TYPE
    body = response.json()
    assert body["status"] == response.status_code
    assert body["title"]
    return response.status_code, body


async def test_every_fault_of_a_body_is_pointed_at_and_none_is_echoed() -> None:
    order = {"customer": "hunter2", "items": [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": "two"}]}
    status, body = await problem("POST", "/orders", json=order)
    assert status == 422
    assert [error["pointer"] for error in body["errors"]] == ["#/customer", "#/items/1/quantity"]
    assert all(error["detail"] for error in body["errors"])
    assert "hunter2" not in str(body)


async def test_a_faulty_parameter_is_named() -> None:
    status, body = await problem("GET", "/orders/7?limit=x", headers={"x-count": "y"})
    assert status == 422
    places = [(error["in"], error["parameter"]) for error in body["errors"]]
    assert places == [("path", "order_id"), ("query", "limit"), ("header", "x-count")]


@pytest.mark.parametrize("content", ["{", "", "{'a': 1}", "[" * 100_000, b'"\xff"', "1" * 5000 + "x"])
async def test_what_is_not_json_is_400_and_nothing_at_all_is_422(content: str | bytes) -> None:
    status, _ = await problem(
        "POST", "/orders", content=content, headers={"content-type": "application/json"}
    )
    assert status == (400 if content else 422)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "garbage", None])
async def test_another_media_type_is_415(media_type: str | None) -> None:
    headers = {"content-type": media_type} if media_type else {}
    assert (await problem("POST", "/orders", content=b"{}", headers=headers))[0] == 415


async def test_unknown_path_and_method() -> None:
    assert (await problem("GET", "/nowhere"))[0] == 404
    assert (await problem("DELETE", "/orders"))[0] == 405
    assert (await ask("DELETE", "/orders")).headers["allow"] == "POST"


async def test_what_a_use_case_says() -> None:
    status, body = await problem("GET", "/raise/refused")
    assert (status, body["reason"]) == (409, "no stock")
    assert (await problem("GET", "/raise/conflict"))[0] == 409
    assert (await problem("GET", "/raise/conflict", headers={"If-Match": '"3"'}))[0] == 412
    assert (await problem("GET", "/raise/missing"))[1]["detail"] == "order 'o-1' does not exist"
    assert (await problem("GET", "/raise/unavailable"))[0] == 503
    assert (await ask("GET", "/raise/unavailable")).headers["retry-after"] == "3"
    status, body = await problem("GET", "/raise/teapot")
    assert (status, body["detail"]) == (418, "short and stout")
    assert (await ask("GET", "/raise/teapot")).headers["x-pot"] == "1"
    assert (await problem("GET", "/raise/own-number"))[1]["detail"] == "gone"


async def test_a_peer_in_trouble_is_503_and_a_peer_misused_is_502_without_its_words() -> None:
    assert (await problem("GET", "/raise/peer-unavailable"))[0] == 503
    assert (await ask("GET", "/raise/peer-unavailable")).headers["retry-after"] == "31"
    status, body = await problem("GET", "/raise/peer-refused")
    assert status == 502
    assert "internal name" not in str(body)


@pytest.mark.parametrize(("name", "expected"), [("bug", 500), ("database", 503)])
async def test_the_unexpected_is_logged_with_its_trace_and_not_told(
    name: str, expected: int, caplog: pytest.LogCaptureFixture
) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    with caplog.at_level(logging.ERROR):
        status, body = await problem(
            "GET", f"/raise/{name}", headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
        )
    assert status == expected
    assert body["trace_id"] == trace_id
    assert not any(word in str(body) for word in ("hunter2", "SELECT", "10.0.0.1"))
    assert [record.getMessage() for record in caplog.records] == [f"GET /raise/{name} failed"]
    assert caplog.records[0].exc_info


async def test_a_failure_amid_the_answer_breaks_the_connection() -> None:
    async def half(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("amid")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    with pytest.raises(RuntimeError, match="amid"):
        await Unexpected(half)({"type": "http", "method": "GET", "path": "/"}, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]


def test_openapi_describes_errors_as_problems() -> None:
    responses = app.openapi()["paths"]["/orders"]["post"]["responses"]
    assert set(responses) == {"200", "default"}
    assert MEDIA_TYPE in responses["default"]["content"]
