import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from chassis import edge, tracing
from chassis.health import Health

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"

app = FastAPI()
edge.install(app, Health())


@app.get("/orders/{order_id}")
async def read(order_id: str) -> dict[str, str]:
    if order_id == "bug":
        raise RuntimeError
    return {**tracing.inject(), "trace": tracing.trace_id(), "correlation": tracing.correlation_id.get()}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    return exporter


@pytest.fixture
def without_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_tracer", tracing._tracer)
    tracing.setup("orders", env={})


async def get(path: str, **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return (await client.get(path, headers=names)).json()


async def test_a_request_is_a_span_below_its_caller(spans: InMemorySpanExporter) -> None:
    seen = await get("/orders/1", traceparent=PARENT)
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert span.name == "GET /orders/{order_id}"
    assert span.kind is SpanKind.SERVER
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert seen["traceparent"] == f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/orders/{order_id}",
        "http.response.status_code": 200,
    }


async def test_a_bug_makes_the_span_an_error(spans: InMemorySpanExporter) -> None:
    await get("/orders/bug")
    (span,) = spans.get_finished_spans()
    assert not span.status.is_ok
    assert (span.attributes or {})["http.response.status_code"] == 500


async def test_probes_are_not_traced(spans: InMemorySpanExporter) -> None:
    await get("/health/live")
    assert spans.get_finished_spans() == ()


@pytest.mark.usefixtures("without_exporter")
async def test_without_an_exporter_the_trace_still_flows() -> None:
    seen = await get("/orders/1", traceparent=PARENT)
    assert seen["trace"] == TRACE
    assert seen["traceparent"].startswith(f"00-{TRACE}-")
    assert "b7ad6b7169203331" not in seen["traceparent"], "this service has a span of its own"
    first, second = await get("/orders/1"), await get("/orders/1")
    assert first["trace"] != second["trace"]


@pytest.mark.usefixtures("without_exporter")
@pytest.mark.parametrize(
    "malformed", ["", "garbage", PARENT.replace(TRACE, "0" * 32), PARENT + "x", "00-" * 99]
)
async def test_a_malformed_parent_starts_a_new_trace(malformed: str) -> None:
    seen = await get("/orders/1", traceparent=malformed)
    assert len(seen["trace"]) == 32
    assert seen["trace"] not in (TRACE, "0" * 32)


@pytest.mark.usefixtures("without_exporter")
async def test_a_message_carries_the_trace_on() -> None:
    with tracing.span("publish", SpanKind.PRODUCER, parent=tracing.extract(PARENT)):
        carried = tracing.inject()["traceparent"]
    with tracing.span("handle", SpanKind.CONSUMER, parent=tracing.extract(carried)):
        assert tracing.trace_id() == TRACE
    assert tracing.trace_id() == ""


@pytest.mark.usefixtures("without_exporter")
def test_a_message_without_a_trace_is_not_put_into_the_one_at_hand() -> None:
    with tracing.span("loop"):
        outer = tracing.trace_id()
        with tracing.span("handle", parent=tracing.extract(None)):
            assert tracing.trace_id() not in ("", outer)


@pytest.mark.usefixtures("without_exporter")
async def test_the_correlation_id_is_the_callers_or_the_trace() -> None:
    assert (await get("/orders/1", x_correlation_id="checkout-7"))["correlation"] == "checkout-7"
    seen = await get("/orders/1")
    assert seen["correlation"] == seen["trace"]
    for unusable in ("", "a b", "x" * 129, 'a"}{"level":"x'):
        seen = await get("/orders/1", x_correlation_id=unusable)
        assert seen["correlation"] == seen["trace"]
    assert tracing.correlation_id.get() == ""


@pytest.mark.usefixtures("without_exporter")
async def test_requests_at_the_same_time_keep_apart() -> None:
    seen = await asyncio.gather(*(get("/orders/1", x_correlation_id=f"c{n}") for n in range(50)))
    assert [s["correlation"] for s in seen] == [f"c{n}" for n in range(50)]
    assert len({s["trace"] for s in seen}) == 50


def test_spans_are_sent_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real collector's endpoint: an HTTP server that takes what the exporter posts at shutdown."""
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    monkeypatch.setattr(tracing, "_tracer", tracing._tracer)
    shutdown = tracing.setup("orders")
    with tracing.span("reserve stock"):
        pass
    shutdown()
    server.shutdown()
    server.server_close()
    ((path, body),) = received
    assert path == "/v1/traces"
    assert b"reserve stock" in body
    assert b"orders" in body
