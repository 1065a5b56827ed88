import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from chassis import messaging, tracing
from chassis.db import Database
from chassis.inbox import Attempts, Inbox
from chassis.logs import JsonFormatter
from chassis.messages import Message
from chassis.testing.fakes import FakeDelivery
from chassis.uow import Origin, Session

TRACE = "0af7651916cd43dd8448eb211c80319c"
CAUSE = f"00-{TRACE}-b7ad6b7169203331-01"
LOG = logging.getLogger("shop")


def message(id: str = "m1", trace: str = CAUSE, **more: Any) -> Message:
    return Message(id, "shop.thing.v1", "/shop/orders", "s", {}, "shop.event.thing", trace=trace, **more)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    return exporter


@pytest.fixture(autouse=True)
def without_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_tracer", tracing.IdsOnly())


class Lines(logging.Handler):
    """What is logged, formatted where it is logged: the ids are those of the context of that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(json.loads(JsonFormatter("orders").format(record)))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel("INFO")
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


async def test_what_a_handler_logs_belongs_to_its_own_message(db: Database, lines: Lines) -> None:
    other = "00-11111111111111111111111111111111-2222222222222222-00"

    def handle(_session: Session, message: Message) -> None:
        LOG.info("at work on %s", message.id)

    deliveries = [
        FakeDelivery(message("m1", correlation_id="c1")),
        FakeDelivery(message("m2", other)),
        FakeDelivery(message("m3", trace="")),
    ]
    await Inbox("orders-things", handle, db).take(deliveries)
    seen = [line for line in lines.seen if line["logger"] == "shop"]
    assert [(line.get("trace_id"), line["correlation_id"]) for line in seen] == [
        (TRACE, "c1"),
        ("1" * 32, "m2"),
        (None, "m3"),
    ]


async def test_a_message_that_is_given_up_is_logged_in_its_trace(db: Database, lines: Lines) -> None:
    def handle(_session: Session, _message: Message) -> None:
        raise ValueError("no")

    await Inbox("orders-things", handle, db, Attempts(limit=1)).take([FakeDelivery(message())])
    [line] = [line for line in lines.seen if line["message"] == "a message was given up"]
    assert (line["trace_id"], line["correlation_id"]) == (TRACE, "m1")


async def test_handling_is_a_consumer_span_and_parent_of_what_it_sends(
    db: Database, spans: InMemorySpanExporter
) -> None:
    sent: list[str] = []

    def handle(_session: Session, message: Message) -> None:
        sent.append(Origin("shop", "payments").caused_by(message).trace)

    saga = message(saga="place_order", saga_id="s1", saga_step="payments.charge", saga_phase="do")
    await Inbox("payments-commands", handle, db).take([FakeDelivery(saga)])
    (span,) = spans.get_finished_spans()
    assert span.context is not None and span.parent is not None
    assert span.attributes is not None
    assert (span.name, span.kind) == ("process shop.event.thing", SpanKind.CONSUMER)
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.attributes["messaging.consumer.group.name"] == "payments-commands"
    assert span.attributes["saga.step"] == "payments.charge"
    assert sent == [f"00-{TRACE}-{span.context.span_id:016x}-01"]


async def test_a_handler_that_fails_fails_its_span(db: Database, spans: InMemorySpanExporter) -> None:
    def handle(_session: Session, message: Message) -> None:
        if message.id == "bad":
            raise ValueError("no")

    await Inbox("orders-things", handle, db).take(
        [FakeDelivery(message("good")), FakeDelivery(message("bad"))]
    )
    failed = {span.attributes["messaging.message.id"] for span in spans.get_finished_spans()
              if span.attributes and not span.status.is_ok and span.status.description}  # fmt: skip
    assert failed == {"bad"}


def test_publishing_is_a_producer_span_beside_the_handling(spans: InMemorySpanExporter) -> None:
    row = SimpleNamespace(message_id="m1", subject="shop.event.thing", body=message().to_json())
    messaging.published([row], 1_000, 2_000)
    (span,) = spans.get_finished_spans()
    assert span.parent is not None
    assert (span.name, span.kind) == ("publish shop.event.thing", SpanKind.PRODUCER)
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, "b7ad6b7169203331")
    assert (span.start_time, span.end_time) == (1_000, 2_000)


def test_without_an_exporter_messages_keep_the_trace_they_came_with() -> None:
    with messaging.handling("orders-things", message()):
        assert tracing.ids() == (TRACE, "b7ad6b7169203331")
        assert tracing.inject()["traceparent"].startswith(f"00-{TRACE}-")
        assert Origin("shop", "orders").caused_by(message()).trace == CAUSE
    assert tracing.ids() == ("", "")
    assert tracing.correlation_id.get() == ""


@pytest.mark.parametrize("trace", ["", "nonsense", "00-zz-zz-00", "00-" + "0" * 32 + "-" + "0" * 16 + "-00"])
def test_a_broken_traceparent_is_no_trace(trace: str) -> None:
    with messaging.handling("orders-things", message(trace=trace)):
        assert tracing.ids() == ("", "")


def test_a_broken_traceparent_begins_a_trace_where_traces_are_sent(spans: InMemorySpanExporter) -> None:
    with messaging.handling("orders-things", message(trace="nonsense")):
        assert tracing.trace_id()
    assert spans.get_finished_spans()[0].parent is None


def test_a_span_inside_continues_what_is_handled() -> None:
    with messaging.handling("orders-things", message()), tracing.span("call"):
        assert tracing.trace_id() == TRACE
        assert tracing.ids()[1] != "b7ad6b7169203331"
