"""Every metric of a service, in one place, so that alerts and dashboards have one list to name.

Times are seconds. Labels take few values and never a raw path, an id or a message of an error:
each new value is a new time series for as long as the process lives.
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

registry = CollectorRegistry()
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)

_LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONG = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


def _counter(name: str, about: str, *labels: str) -> Counter:
    return Counter(name, about, labels, registry=registry)


def _gauge(name: str, about: str, *labels: str) -> Gauge:
    return Gauge(name, about, labels, registry=registry)


def _histogram(name: str, about: str, *labels: str, buckets: tuple[float, ...] = _LATENCY) -> Histogram:
    return Histogram(name, about, labels, registry=registry, buckets=buckets)


# HTTP, coming in
http_requests = _counter("http_requests_total", "Requests answered.", "method", "route", "status")
http_seconds = _histogram("http_request_duration_seconds", "Time to answer a request.", "method", "route")
http_in_flight = _gauge("http_requests_in_flight", "Requests being answered now.")

# gRPC, coming in; `code` is the name of the status, such as NOT_FOUND
grpc_requests = _counter("grpc_requests_total", "gRPC calls answered.", "method", "code")
grpc_seconds = _histogram("grpc_request_duration_seconds", "Time to answer a gRPC call.", "method")
grpc_in_flight = _gauge("grpc_requests_in_flight", "gRPC calls being answered now.")

# Calls to peers
peer_calls = _counter("peer_calls_total", "Attempts to call a peer.", "peer", "outcome")
peer_seconds = _histogram("peer_call_duration_seconds", "Time a peer took for one attempt.", "peer")
retries = _counter("retries_total", "Attempts that were not the first.", "peer")
retries_denied = _counter("retries_denied_total", "Retries the budget did not allow.", "peer")
fallbacks = _counter("fallbacks_total", "Answers served from memory instead of the peer.", "peer")
breaker_state = _gauge("breaker_state", "0 closed, 1 half-open, 2 open.", "peer")
breaker_transitions = _counter("breaker_transitions_total", "Changes of state.", "peer", "to")

# Messages
outbox_pending = _gauge("outbox_pending", "Messages committed but not yet published.")
outbox_oldest = _gauge("outbox_oldest_seconds", "Age of the oldest message not yet published.")
outbox_published = _counter("outbox_published_total", "Messages published from the outbox.")
consumer_lag = _gauge("consumer_lag", "Messages that wait for a consumer.", "consumer")
messages_handled = _counter("messages_handled_total", "Messages handled.", "consumer", "outcome")
message_seconds = _histogram("message_handling_seconds", "Time to handle one message.", "consumer")
dead_letters = _counter("dead_letters_total", "Messages given up on.", "consumer")
dead_letters_waiting = _gauge("dead_letters_waiting", "Messages given up on and not sent again.", "consumer")

# Jobs
job_attempts = _counter("job_attempts_total", "Attempts begun.", "job")
jobs_ended = _counter("jobs_ended_total", "Attempts ended: done, retried, failed or lost.", "job", "outcome")
job_seconds = _histogram("job_seconds", "Time of one attempt.", "job", buckets=_LONG)
jobs_queued = _gauge("jobs_queued", "Jobs waiting, ready, running or failed.", "job", "status")
job_oldest = _gauge("job_oldest_ready_seconds", "How long the oldest job has waited for a worker.", "job")

# Sagas and views
saga_in_flight = _gauge("saga_in_flight", "Sagas begun and not ended.", "saga")
saga_finished = _counter("saga_finished_total", "Sagas ended.", "saga", "outcome")
saga_seconds = _histogram("saga_seconds", "Time from a saga's start to its end.", "saga", buckets=_LONG)
saga_step_seconds = _histogram(
    "saga_step_seconds", "Time until a step is answered.", "saga", "step", "phase", buckets=_LONG
)
saga_stuck = _gauge("saga_stuck", "Sagas that wait for a person.", "saga")
view_position_lag = _gauge("view_position_lag", "Events that a view has not seen yet.", "view")

# Agents
agent_runs = _counter("agent_runs_total", "Runs that ended or paused.", "agent", "status")
agent_runs_in_flight = _gauge("agent_runs_in_flight", "Runs under way.", "agent")
agent_run_seconds = _histogram(
    "agent_run_duration_seconds", "Time a run worked until its end or a pause.", "agent", buckets=_LONG
)
agent_tokens = _counter("agent_tokens_total", "Tokens read and written.", "agent", "model", "kind")
agent_cost = _counter("agent_cost_total", "What tokens cost by the configured prices.", "agent", "model")
agent_tool_calls = _counter("agent_tool_calls_total", "Tool calls answered.", "agent", "tool", "outcome")

# Security
denied = _counter("requests_denied_total", "Requests refused: no_token, bad_token or role.", "reason")
rate_limited = _counter("rate_limited_total", "Requests that came too often, by what was counted.", "by")
logins = _counter("logins_total", "Attempts to sign in.", "outcome")
registrations = _counter("registrations_total", "Accounts asked for: new, or known already.", "outcome")
refreshes = _counter("token_refreshes_total", "Tokens asked for with a refresh token.", "outcome")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_of(scope: Scope) -> str:
    """The template of the route that took the request, such as `/orders/{id}`; "unmatched" if none did."""
    # Newer FastAPI keeps the template with the prefix of an included router apart from the route.
    matched = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    path: str = getattr(matched, "path", None) or "unmatched"
    return path


class Requests:
    """ASGI middleware that counts and times requests."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = "aborted"  # stays when nothing was answered: the caller went away

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        began = time.perf_counter()
        http_in_flight.inc()
        try:
            await self.app(scope, receive, watched)
        finally:
            http_in_flight.dec()
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = route_of(scope)
            http_requests.labels(method, route, status).inc()
            http_seconds.labels(method, route).observe(time.perf_counter() - began)


def router() -> APIRouter:
    """The route `/metrics`, in the Prometheus text format."""
    routes = APIRouter()

    @routes.get("/metrics", include_in_schema=False)
    async def metrics() -> Any:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes
