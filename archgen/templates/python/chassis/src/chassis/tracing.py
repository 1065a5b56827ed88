"""Traces that follow a request through HTTP and messages: W3C Trace Context over OpenTelemetry.

Spans are recorded and sent only when `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Without it they carry
their ids and nothing else, which is enough for `traceparent` to flow and for logs to be joined.

The provider is this module's own and not OpenTelemetry's global one: newer FastAPI traces every
request itself once a global provider exists, and each would be in the trace twice.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.metrics import route_of

CORRELATION_HEADER = "x-correlation-id"
# Asked every few seconds by machines; as traces they would bury everything else.
UNTRACED = frozenset({"/health/live", "/health/ready", "/metrics"})

# What began all this: the same in every request and message that one cause leads to.
correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
# The `traceparent` of what is being handled where no span is open: a header, parsed only when asked for.
_cause: ContextVar[str] = ContextVar("cause", default="")

_propagator = TraceContextTextMapPropagator()


class IdsOnly(trace.NoOpTracer):
    """Spans that have ids and record nothing. Per request 13 us, where the SDK's take 34."""

    def start_span(self, name: str, context: Context | None = None, *_: Any, **__: Any) -> Span:
        parent = trace.get_current_span(context).get_span_context()
        # Not from the kernel, each call to which hands the interpreter to another thread.
        trace_id = parent.trace_id or random.getrandbits(128)
        flags, state = parent.trace_flags, parent.trace_state
        return NonRecordingSpan(SpanContext(trace_id, random.getrandbits(64), False, flags, state))


_tracer: Tracer = IdsOnly()


def setup(service: str, env: Mapping[str, str] = os.environ) -> Callable[[], None]:
    """Start tracing for this process. Call the result at shutdown: it sends what is still waiting.

    OpenTelemetry's own variables (`OTEL_TRACES_SAMPLER`, `OTEL_EXPORTER_OTLP_HEADERS`, ...) apply.
    """
    global _tracer
    if not env.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        _tracer = IdsOnly()
        return lambda: None
    # Imported here: most processes on a laptop never need them, and they take a while to load.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("chassis")
    return provider.shutdown


def recording() -> bool:
    """Whether spans are sent anywhere; if not, ids are all there is to a trace."""
    return not isinstance(_tracer, IdsOnly)


def inject() -> dict[str, str]:
    """The headers (`traceparent`, perhaps `tracestate`) that make the current span somebody's parent."""
    headers: dict[str, str] = {}
    _propagator.inject(headers, _context())
    return headers


def parent_of(traceparent: str) -> str:
    """The `traceparent` for messages sent while one that carried `traceparent` is handled."""
    return inject().get("traceparent", traceparent) if recording() else traceparent


def extract(traceparent: str | None, tracestate: str | None = None) -> Context:
    """The context to start a span in. An absent or malformed `traceparent` gives a new trace."""
    given = {"traceparent": traceparent or "", "tracestate": tracestate or ""}
    return _propagator.extract(given, context=Context())


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, AttributeValue] | None = None,
    parent: Context | None = None,
) -> Iterator[Span]:
    """Do what is inside as one span, below `parent` or else below the current span."""
    # An empty context is false, and says that the span has no parent.
    started = _tracer.start_span(name, _context() if parent is None else parent, kind, attributes)
    with trace.use_span(started, end_on_exit=True) as current:
        yield current


def record(
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue],
    traceparent: str,
    began: int,
    ended: int,
) -> None:
    """A span of what is over already, below `traceparent`; the times are nanoseconds since the epoch."""
    if recording():
        _tracer.start_span(name, extract(traceparent), kind, attributes, start_time=began).end(ended)


def trace_id() -> str:
    """The id of the current trace as 32 hexadecimal digits; empty outside of any."""
    return ids()[0]


def ids() -> tuple[str, str]:
    """The ids of the current trace and span; empty outside of any."""
    context = trace.get_current_span(_context()).get_span_context()
    if not context.is_valid:
        return "", ""
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def _context() -> Context | None:
    """Where a new span belongs when no parent is given; None stands for the current context."""
    cause = _cause.get()
    if not cause or trace.get_current_span().get_span_context().is_valid:
        return None
    return extract(cause)


class continued:  # noqa: N801 - used like a function; a generator would take three times as long per message
    """Do what is inside as part of what `traceparent` and `correlation` name, without a span for it."""

    __slots__ = ("_correlation", "_tokens", "_traceparent")

    def __init__(self, traceparent: str, correlation: str) -> None:
        self._traceparent = traceparent
        self._correlation = correlation

    def __enter__(self) -> None:
        self._tokens = (_cause.set(self._traceparent), correlation_id.set(self._correlation))

    def __exit__(self, *_: object) -> None:
        cause, correlation = self._tokens
        _cause.reset(cause)
        correlation_id.reset(correlation)


@contextmanager
def correlated(given: str | None) -> Iterator[str]:
    """Do what is inside under the correlation id `given`, or under the trace's id where it is no use."""
    usable = given and re.fullmatch(r"[\w.:-]{1,128}", given, re.ASCII)
    token = correlation_id.set(given if given and usable else trace_id())
    try:
        yield correlation_id.get()
    finally:
        correlation_id.reset(token)


class Traces:
    """ASGI middleware: one server span per request, continuing the caller's trace."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self.app(scope, receive, send)
            return
        # A plain dict: `Headers` goes through all of them again for each name that is asked for.
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        parent = extract(headers.get(b"traceparent"), headers.get(b"tracestate"))
        method: str = scope["method"]
        with (
            span(method, SpanKind.SERVER, {"http.request.method": method}, parent) as current,
            correlated(headers.get(CORRELATION_HEADER.encode())),
        ):

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    current.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        current.set_status(StatusCode.ERROR)
                await send(message)

            try:
                await self.app(scope, receive, watched)
            finally:
                route = route_of(scope)
                current.update_name(f"{method} {route}")
                current.set_attribute("http.route", route)
