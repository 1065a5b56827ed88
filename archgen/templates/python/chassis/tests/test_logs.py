import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import logs, tracing

log = logging.getLogger("orders.create")
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logs.setup("orders", "INFO", human=False)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)


def test_a_line_is_json_with_its_own_fields(lines: Lines) -> None:
    log.info("order %s accepted", 7, extra={"order_id": "o-1", "amount": {"cents": 5}})
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "service": "orders",
        "logger": "orders.create",
        "message": "order 7 accepted",
        "order_id": "o-1",
        "amount": {"cents": 5},
    }


def test_a_line_is_joined_to_its_trace(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_tracer", tracing._tracer)
    tracing.setup("orders", env={})
    with tracing.span("work"), tracing.correlated("checkout-7"):
        log.info("inside")
        expected = tracing.ids()
    (line,) = lines()
    assert (line["trace_id"], line["span_id"]) == expected
    assert line["correlation_id"] == "checkout-7"


def test_an_exception_is_a_field_and_the_line_stays_one(lines: Lines) -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        log.exception("failed")
    (line,) = lines()
    assert line["exception"]["type"] == "ValueError"
    assert line["exception"]["message"] == "first\nsecond"
    assert "test_logs.py" in line["exception"]["stack"]


def test_nobody_can_write_a_second_line(lines: Lines) -> None:
    log.info("name is %s", 'x"}\n{"level":"ERROR"', extra={"note": "\ud800\x00\r\n"})
    (line,) = lines()
    assert line["level"] == "INFO"


@pytest.mark.parametrize(
    "name",
    ["password", "Authorization", "api_key", "apiKey", "X-Api-Key", "client_secret", "accessToken", "card"],
)
def test_a_secret_is_hidden_by_its_name_at_any_depth(name: str) -> None:
    hidden = logs.redacted({"a": [{"b": {name: {"value": "hunter2"}}}, (name, {name: 4111})]})
    assert "hunter2" not in str(hidden)
    assert "4111" not in str(hidden)


@pytest.mark.parametrize("name", ["discarded", "tokens", "cardinality", "idempotency_key", "passenger"])
def test_a_name_that_only_looks_like_a_secret_is_kept(name: str) -> None:
    assert logs.redacted({name: 7}) == {name: 7}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("connecting to postgresql://orders:hunter2@db/orders", "connecting to postgresql://***@db/orders"),
        ("sent Authorization: Bearer abc.def-ghi=", "sent Authorization: Bearer ***"),
        ("see https://example.org/a@b", "see https://example.org/a@b"),
    ],
)
def test_secrets_in_running_text(text: str, expected: str) -> None:
    assert logs.redacted(text) == expected


def test_secrets_in_fields_and_exceptions_do_not_reach_the_line(lines: Lines) -> None:
    try:
        raise ConnectionError("cannot reach nats://user:hunter2@broker:4222")
    except ConnectionError:
        log.exception("away: %s", "nats://user:hunter2@broker", extra={"password": "hunter2"})
    (line,) = lines()
    assert "hunter2" not in json.dumps(line)
    assert line["exception"]["message"] == "cannot reach nats://***@broker:4222"


def test_a_value_that_contains_itself_ends() -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    assert "..." in str(logs.redacted(loop))


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.text() | st.binary() | st.floats(), st.lists)))
def test_anything_can_be_logged(extra: dict[str, Any]) -> None:
    record = logging.makeLogRecord({"msg": "any", "levelname": "INFO"})
    for key, value in extra.items():
        record.__dict__.setdefault(key, value)
    assert "\n" not in logs.JsonFormatter("orders").format(record)


def test_the_servers_logs_come_out_the_same_way_without_probes_and_queries(lines: Lines) -> None:
    access = logging.getLogger("uvicorn.access")
    form = '%s - "%s %s HTTP/%s" %d'
    access.info(form, "127.0.0.1:5", "GET", "/health/ready", "1.1", 200)
    access.info(form, "127.0.0.1:5", "GET", "/metrics", "1.1", 200)
    access.info(form, "127.0.0.1:5", "GET", "/orders?email=a@b.c", "1.1", 200)
    logging.getLogger("uvicorn.error").warning("Shutting down")
    first, second = lines()
    assert first["message"] == '127.0.0.1:5 - "GET /orders HTTP/1.1" 200'
    assert second["message"] == "Shutting down"


def test_lines_for_people() -> None:
    record = logging.makeLogRecord(
        {"msg": "accepted", "levelname": "INFO", "name": "orders", "order_id": "o-1"}
    )
    text = logs.HumanFormatter().format(record)
    assert text.endswith("INFO    orders: accepted order_id=o-1")
