"""Grafana dashboards: the system at a glance, one service in depth, and its sagas.

Source: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from archgen.contracts.yaml_text import Json
from archgen.observability.objectives import USERS, objectives
from archgen.spec.model import System

DATASOURCE: Json = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24  # of Grafana's grid
HEIGHT = 8
Unit = Literal["short", "s", "percentunit", "reqps", "bytes"]


@dataclass(frozen=True)
class Panel:
    """A graph of `queries`, pairs of an expression and the legend of its series."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: Unit = "short"
    about: str = ""
    width: int = 12
    kind: Literal["timeseries", "stat"] = "timeseries"


def system_overview(system: System) -> tuple[Panel, ...]:
    """Is anything wrong, and where?"""
    availability, latency = objectives(system)
    return (
        Panel(
            "Replicas up", (('sum by (service) (up{job="services"})', "{{service}}"),), kind="stat", width=24
        ),
        Panel(
            "Requests per second",
            ((f"sum by (service) (rate(http_requests_total{{{USERS}}}[$__rate_interval]))", "{{service}}"),),
            "reqps",
        ),
        Panel(
            "Share of server errors",
            ((availability.record("5m")[0], "{{service}}"),),
            "percentunit",
            f"Objective: {availability.meaning}.",
        ),
        Panel(
            "Share of slow requests",
            ((latency.record("5m")[0], "{{service}}"),),
            "percentunit",
            f"Objective: {latency.meaning}.",
        ),
        Panel(
            "Oldest message in the outbox",
            (("max by (service) (outbox_oldest_seconds)", "{{service}}"),),
            "s",
            "What is committed and not yet published.",
        ),
        Panel("Messages waiting for a consumer", (("max by (consumer) (consumer_lag)", "{{consumer}}"),)),
        Panel("Dead letters waiting", (("max by (consumer) (dead_letters_waiting)", "{{consumer}}"),)),
        Panel(
            "Open breakers",
            (("max by (service, peer) (breaker_state)", "{{service}} to {{peer}}"),),
            about="0 closed, 1 half-open, 2 open.",
        ),
        Panel("Stuck sagas", (("max by (saga) (saga_stuck)", "{{saga}}"),), kind="stat"),
    )


def grpc() -> tuple[Panel, ...]:
    """What a service answers over gRPC."""
    own = 'service="$service"'
    seconds = f"grpc_request_duration_seconds_bucket{{{own}}}"
    return (
        Panel(
            "gRPC calls per second",
            (
                (
                    f"sum by (method, code) (rate(grpc_requests_total{{{own}}}[$__rate_interval]))",
                    "{{method}} {{code}}",
                ),
            ),
            "reqps",
        ),
        Panel(
            "Time to answer over gRPC", _quantiles(f"sum by (le) (rate({seconds}[$__rate_interval]))"), "s"
        ),
        Panel("gRPC calls in flight", ((f"sum(grpc_requests_in_flight{{{own}}})", "in flight"),)),
    )


def one_service() -> tuple[Panel, ...]:
    """What a service does and what it waits for. `$service` is chosen at the top."""
    own = 'service="$service"'
    seconds = f"http_request_duration_seconds_bucket{{{own},{USERS}}}"
    return (
        Panel(
            "Requests per second",
            (
                (
                    "sum by (method, route, status)"
                    f" (rate(http_requests_total{{{own},{USERS}}}[$__rate_interval]))",
                    "{{method}} {{route}} {{status}}",
                ),
            ),
            "reqps",
        ),
        Panel("Time to answer", _quantiles(f"sum by (le) (rate({seconds}[$__rate_interval]))"), "s"),
        Panel("Requests in flight", ((f"sum(http_requests_in_flight{{{own}}})", "in flight"),)),
        Panel(
            "Messages handled per second",
            (
                (
                    f"sum by (consumer, outcome) (rate(messages_handled_total{{{own}}}[$__rate_interval]))",
                    "{{consumer}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "Time to handle a message",
            (
                (
                    f"sum by (consumer) (rate(message_handling_seconds_sum{{{own}}}[$__rate_interval]))"
                    f" / sum by (consumer) (rate(message_handling_seconds_count{{{own}}}[$__rate_interval]))",
                    "{{consumer}}",
                ),
            ),
            "s",
        ),
        Panel("Messages waiting", ((f"max by (consumer) (consumer_lag{{{own}}})", "{{consumer}}"),)),
        Panel(
            "Outbox",
            (
                (f"max(outbox_pending{{{own}}})", "waiting"),
                (f"sum(rate(outbox_published_total{{{own}}}[$__rate_interval]))", "published per second"),
            ),
        ),
        Panel(
            "Dead letters",
            (
                (f"max by (consumer) (dead_letters_waiting{{{own}}})", "{{consumer}} waiting"),
                (
                    f"sum by (consumer) (increase(dead_letters_total{{{own}}}[1h]))",
                    "{{consumer}} within an hour",
                ),
            ),
        ),
        Panel("Events a view has not seen", ((f"max by (view) (view_position_lag{{{own}}})", "{{view}}"),)),
        Panel(
            "Calls to peers per second",
            (
                (
                    f"sum by (peer, outcome) (rate(peer_calls_total{{{own}}}[$__rate_interval]))",
                    "{{peer}} {{outcome}}",
                ),
                (f"sum by (peer) (rate(retries_total{{{own}}}[$__rate_interval]))", "{{peer}} retried"),
                (
                    f"sum by (peer) (rate(retries_denied_total{{{own}}}[$__rate_interval]))",
                    "{{peer}} not retried",
                ),
                (f"sum by (peer) (rate(fallbacks_total{{{own}}}[$__rate_interval]))", "{{peer}} from memory"),
            ),
        ),
        Panel(
            "Time peers take, 99 of 100",
            (
                (
                    "histogram_quantile(0.99, sum by (le, peer)"
                    f" (rate(peer_call_duration_seconds_bucket{{{own}}}[$__rate_interval])))",
                    "{{peer}}",
                ),
            ),
            "s",
        ),
        Panel(
            "Breakers",
            (
                (f"max by (peer) (breaker_state{{{own}}})", "{{peer}}"),
                (
                    f"sum by (peer, to) (increase(breaker_transitions_total{{{own}}}[5m]))",
                    "{{peer}} to {{to}}",
                ),
            ),
            about="0 closed, 1 half-open, 2 open.",
        ),
        Panel("Memory", ((f"process_resident_memory_bytes{{{own}}}", "{{instance}}"),), "bytes"),
        Panel(
            "Processor",
            ((f"rate(process_cpu_seconds_total{{{own}}}[$__rate_interval])", "{{instance}}"),),
            about="Seconds of processor time per second.",
        ),
    )


def jobs() -> tuple[Panel, ...]:
    """What workers of the chosen service do."""
    own = 'service="$service"'
    return (
        Panel(
            "Jobs by status",
            ((f"max by (task, status) (jobs_queued{{{own}}})", "{{task}} {{status}}"),),
        ),
        Panel(
            "Oldest job that is due",
            ((f"max by (task) (job_oldest_ready_seconds{{{own}}})", "{{task}}"),),
            "s",
        ),
        Panel(
            "Attempts of jobs per second",
            (
                (f"sum by (task) (rate(job_attempts_total{{{own}}}[$__rate_interval]))", "{{task}} begun"),
                (
                    f"sum by (task, outcome) (rate(jobs_ended_total{{{own}}}[$__rate_interval]))",
                    "{{task}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "Time of an attempt, 95 of 100",
            (
                (
                    "histogram_quantile(0.95, sum by (le, task)"
                    f" (rate(job_seconds_bucket{{{own}}}[$__rate_interval])))",
                    "{{task}}",
                ),
            ),
            "s",
        ),
    )


def security() -> tuple[Panel, ...]:
    """Who gets in at the chosen service, and who does not."""
    own = 'service="$service"'
    return (
        Panel(
            "Requests turned away per second",
            (
                (f"sum by (reason) (rate(requests_denied_total{{{own}}}[$__rate_interval]))", "{{reason}}"),
                (
                    f"sum by (by) (rate(rate_limited_total{{{own}}}[$__rate_interval]))",
                    "too often by {{by}}",
                ),
            ),
        ),
        Panel(
            "Signing in",
            (
                (f"sum by (outcome) (increase(logins_total{{{own}}}[1h]))", "logins {{outcome}}"),
                (f"sum by (outcome) (increase(registrations_total{{{own}}}[1h]))", "accounts {{outcome}}"),
                (f"sum by (outcome) (increase(token_refreshes_total{{{own}}}[1h]))", "refreshes {{outcome}}"),
            ),
            about="In an hour.",
        ),
    )


def agents() -> tuple[Panel, ...]:
    """What agents of the chosen service do, and what it costs."""
    own = 'service="$service"'
    return (
        Panel(
            "Runs of agents",
            (
                (f"sum by (agent, status) (increase(agent_runs_total{{{own}}}[1h]))", "{{agent}} {{status}}"),
                (f"sum by (agent) (agent_runs_in_flight{{{own}}})", "{{agent}} under way"),
            ),
        ),
        Panel(
            "Time of a run, 95 of 100",
            (
                (
                    "histogram_quantile(0.95, sum by (le, agent)"
                    f" (rate(agent_run_duration_seconds_bucket{{{own}}}[$__rate_interval])))",
                    "{{agent}}",
                ),
            ),
            "s",
        ),
        Panel(
            "Tokens within an hour",
            (
                (
                    f"sum by (agent, model, kind) (increase(agent_tokens_total{{{own}}}[1h]))",
                    "{{agent}} {{model}} {{kind}}",
                ),
            ),
        ),
        Panel(
            "Cost within an hour",
            ((f"sum by (agent, model) (increase(agent_cost_total{{{own}}}[1h]))", "{{agent}} {{model}}"),),
        ),
        Panel(
            "Tool calls within an hour",
            (
                (
                    f"sum by (tool, outcome) (increase(agent_tool_calls_total{{{own}}}[1h]))",
                    "{{tool}} {{outcome}}",
                ),
            ),
        ),
    )


def sagas() -> tuple[Panel, ...]:
    """How many, how long, how they end, and where they wait."""
    return (
        Panel("Stuck", (("max by (saga) (saga_stuck)", "{{saga}}"),), kind="stat"),
        Panel("In flight", (("max by (saga) (saga_in_flight)", "{{saga}}"),)),
        Panel(
            "Ended per second",
            (
                (
                    "sum by (saga, outcome) (rate(saga_finished_total[$__rate_interval]))",
                    "{{saga}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "From start to end",
            _quantiles("sum by (le, saga) (rate(saga_seconds_bucket[$__rate_interval]))", "{{saga}} "),
            "s",
        ),
        Panel(
            "Until a step is answered, 99 of 100",
            (
                (
                    "histogram_quantile(0.99, sum by (le, saga, step, phase)"
                    " (rate(saga_step_seconds_bucket[$__rate_interval])))",
                    "{{saga}} {{step}} {{phase}}",
                ),
            ),
            "s",
            width=24,
        ),
    )


def _quantiles(rates: str, legend: str = "") -> tuple[tuple[str, str], ...]:
    shares = (("0.5", "half"), ("0.95", "95 of 100"), ("0.99", "99 of 100"))
    return tuple((f"histogram_quantile({share}, {rates})", f"{legend}{name}") for share, name in shares)


def dashboard(uid: str, title: str, panels: Sequence[Panel], variables: Iterable[str] = ()) -> Json:
    """One dashboard. Each of `variables` is a label to choose a value of, at the top."""
    templating: list[Json] = [
        {
            "name": name,
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": f'label_values(up{{job="services"}}, {name})', "refId": name},
            "refresh": 2,
            "sort": 1,
        }
        for name in variables
    ]
    return {
        "uid": uid,
        "title": title,
        "editable": True,
        "refresh": "30s",
        "schemaVersion": 39,
        "tags": [uid.rpartition("-")[0]],
        "templating": {"list": templating},
        "time": {"from": "now-6h", "to": "now"},
        "panels": _placed(panels),
    }


def _placed(panels: Sequence[Panel]) -> list[Json]:
    """The panels from left to right and from top to bottom."""
    placed: list[Json] = []
    x = y = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        placed.append(_panel(number, panel, x, y))
        x += panel.width
    return placed


def _panel(number: int, panel: Panel, x: int, y: int) -> Json:
    targets: list[Json] = [
        {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "expr": expr, "legendFormat": legend}
        for index, (expr, legend) in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": DATASOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {},
        "targets": targets,
    }


def datasources(prometheus: str, jaeger: str) -> Json:
    """How Grafana finds Prometheus, and Jaeger for traces, by their host names."""
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prometheus",
                "uid": "prometheus",
                "type": "prometheus",
                "url": f"http://{prometheus}:9090",
                "isDefault": True,
            },
            {"name": "Jaeger", "uid": "jaeger", "type": "jaeger", "url": f"http://{jaeger}:16686"},
        ],
    }


def provider() -> Json:
    """Where Grafana finds the dashboards."""
    options: Json = {"path": "/var/lib/grafana/dashboards"}
    return {"apiVersion": 1, "providers": [{"name": "project", "type": "file", "options": options}]}
