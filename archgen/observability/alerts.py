"""The alerts of a system, each with what it means and a case that must raise it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from archgen.observability.objectives import Objective, objectives
from archgen.spec.model import Orchestration, System
from archgen.spec.names import kebab, snake

# Series that Prometheus makes itself while it scrapes.
SCRAPED = "up"


@dataclass(frozen=True)
class Alert:
    """`page` wakes somebody; a `ticket` waits for the morning. `after` is how long `expr` must hold.

    In `summary`, `$x` stands for the label x. `series` (notation of promtool) must raise the alert
    at `at` with exactly the labels `raises`.
    """

    name: str
    expr: str
    after: str
    severity: Literal["page", "ticket"]
    summary: str
    description: str
    series: tuple[tuple[str, str], ...]
    at: str
    raises: dict[str, str] = field(default_factory=dict)

    @property
    def runbook(self) -> str:
        """The path of its runbook in the project."""
        return f"docs/runbooks/{kebab(snake(self.name))}.md"


def alerts(system: System) -> tuple[Alert, ...]:
    """What this system can suffer from; nothing about parts it does not have."""
    service = next(iter(system.services), "service")
    found = [*_serving(system, service), *_messages(system, service)]
    orchestrated = [
        (saga.owner, name) for name, saga in system.sagas.items() if isinstance(saga, Orchestration)
    ]
    if orchestrated:
        found += _sagas(*orchestrated[0])
    callers = [(name, peer) for name, one in system.services.items() for peer in one.calls]
    # An agent's model is called like a peer, through a breaker.
    callers += [(name, "anthropic.") for name, one in system.services.items() if one.agents]
    if callers:
        found += _calls(callers[0][0], callers[0][1].partition(".")[0])
    jobs = [(name, job) for name, one in system.services.items() for job in one.jobs]
    if jobs:
        found += _jobs(*jobs[0])
    if system.auth is not None:
        found += _security(system.auth.service or service, own=bool(system.auth.service))
    return tuple(found)


def _security(service: str, *, own: bool) -> Iterator[Alert]:
    raises = {"service": service}
    if own:
        yield Alert(
            "LoginsFailing",
            'sum by (service) (rate(logins_total{outcome="failed"}[5m])) > 0.5',
            "5m",
            "ticket",
            "Many attempts to sign in at $service fail.",
            "More than one in two seconds: somebody tries passwords, or an application has a wrong one.",
            ((f'logins_total{{service="{service}",outcome="failed"}}', "0+120x40"),),
            "20m",
            raises,
        )
        yield Alert(
            "RefreshTokensReplayed",
            'sum by (service) (increase(token_refreshes_total{outcome="replayed"}[15m])) > 3',
            "0m",
            "page",
            "Refresh tokens of $service come twice.",
            "Each is good once. Several came again: they were stolen, or an application refreshes twice.",
            ((f'token_refreshes_total{{service="{service}",outcome="replayed"}}', "0+1x40"),),
            "30m",
            raises,
        )
    yield Alert(
        "RequestsDenied",
        "sum by (service) (rate(requests_denied_total[5m])) > 5",
        "10m",
        "ticket",
        "$service turns many requests away.",
        "More than five a second come without a token that counts, or with roles that do not suffice.",
        ((f'requests_denied_total{{service="{service}",reason="bad_token"}}', "0+600x40"),),
        "30m",
        raises,
    )


def _serving(system: System, service: str) -> Iterator[Alert]:
    scraped = f'{SCRAPED}{{job="services",service="{service}",instance="a"}}'
    yield Alert(
        "ServiceDown",
        f'sum by (service) ({SCRAPED}{{job="services"}}) == 0',
        "1m",
        "page",
        "No replica of $service answers.",
        "Every scrape of the service fails. Its messages wait in the broker; requests to it fail.",
        ((scraped, "1x5 0x10"),),
        "10m",
        {"service": service},
    )
    yield Alert(
        "ServiceRestarting",
        "max by (service) (changes(process_start_time_seconds[30m])) > 3",
        "0m",
        "ticket",
        "$service restarts again and again.",
        "A replica started more than three times within half an hour.",
        ((f'process_start_time_seconds{{service="{service}",instance="a"}}', "0+60x40"),),
        "30m",
        {"service": service},
    )
    availability, latency = objectives(system)
    bound = latency.bounds.get(service, latency.bound)
    yield from _burning(availability, "ErrorBudget", service, _failing(service))
    yield from _burning(latency, "LatencyBudget", service, _slow(service, bound))


def _failing(service: str) -> tuple[tuple[str, str], ...]:
    labels = f'service="{service}",method="POST",route="/x"'
    return (
        # More than any promise leaves for a burn rate of 14.4.
        (f'http_requests_total{{{labels},status="500"}}', "0+54x200"),
        (f'http_requests_total{{{labels},status="200"}}', "0+6x200"),
    )


def _slow(service: str, bound: float) -> tuple[tuple[str, str], ...]:
    labels = f'service="{service}",method="POST",route="/x"'
    return (
        (f'http_request_duration_seconds_bucket{{{labels},le="{bound}"}}', "0+30x200"),
        (f"http_request_duration_seconds_count{{{labels}}}", "0+60x200"),
        (f'http_requests_total{{{labels},status="200"}}', "0+60x200"),
    )


def _burning(
    objective: Objective, name: str, service: str, series: tuple[tuple[str, str], ...]
) -> Iterator[Alert]:
    promise = f"Promised: {objective.meaning}, over 30 days."
    yield Alert(
        f"{name}BurnsFast",
        objective.fast,
        "2m",
        "page",
        f"$service spends its {objective.name} budget of the month in hours or a few days.",
        f"{promise} At this rate the budget is gone in two days or, at worst, in hours.",
        series,
        "2h",
        {"service": service},
    )
    yield Alert(
        f"{name}BurnsSlowly",
        objective.slow,
        "15m",
        "ticket",
        f"$service will not keep its {objective.name} objective this month.",
        f"{promise} Nobody has to get up, and somebody has to look today.",
        series,
        "3h",
        {"service": service},
    )


def _messages(system: System, service: str) -> Iterator[Alert]:
    consumer = {"service": service, "consumer": f"{service}-commands"}
    labels = ",".join(f'{name}="{value}"' for name, value in consumer.items())
    yield Alert(
        "OutboxBacklog",
        "max by (service) (outbox_oldest_seconds) > 60",
        "2m",
        "page",
        "What $service commits is not published.",
        "The oldest message in the outbox has waited for over a minute; other services do not hear of it.",
        ((f'outbox_oldest_seconds{{service="{service}"}}', "0+30x30"),),
        "10m",
        {"service": service},
    )
    yield Alert(
        "ConsumerLag",
        "max by (service, consumer) (consumer_lag) > 1000",
        "10m",
        "ticket",
        "$consumer of $service falls behind.",
        "More than 1000 messages have waited for ten minutes: it handles fewer than arrive.",
        ((f"consumer_lag{{{labels}}}", "5000x60"),),
        "30m",
        consumer,
    )
    yield Alert(
        "DeadLetters",
        "max by (service, consumer) (dead_letters_waiting) > 0",
        "1m",
        "ticket",
        "$consumer of $service gave messages up.",
        "What they say has not happened. They are kept, with the reason, until somebody sends them again.",
        ((f"dead_letters_waiting{{{labels}}}", "0x5 2x30"),),
        "15m",
        consumer,
    )
    views = [(name, view) for name, one in system.services.items() for view in one.views]
    if views:
        owner, view = views[0]
        yield Alert(
            "ViewLag",
            "max by (service, view) (view_position_lag) > 500",
            "5m",
            "ticket",
            "The view $view of $service shows the past.",
            "More than 500 events have not reached it for five minutes; who reads it sees old values.",
            ((f'view_position_lag{{service="{owner}",view="{view}"}}', "900x30"),),
            "15m",
            {"service": owner, "view": view},
        )


def _sagas(owner: str, saga: str) -> Iterator[Alert]:
    raises = {"service": owner, "saga": saga}
    labels = ",".join(f'{name}="{value}"' for name, value in raises.items())
    yield Alert(
        "SagaStuck",
        "max by (service, saga) (saga_stuck) > 0",
        "1m",
        "page",
        "A $saga is stuck: neither done nor undone.",
        "A compensation, or the last command, kept failing. Nothing more happens until somebody resumes it.",
        ((f"saga_stuck{{{labels}}}", "0x5 1x30"),),
        "15m",
        raises,
    )
    yield Alert(
        "SagasCompensated",
        'sum by (service, saga) (rate(saga_finished_total{outcome="compensated"}[30m]))'
        " / sum by (service, saga) (rate(saga_finished_total[30m])) > 0.3",
        "15m",
        "ticket",
        "Too many $saga are undone.",
        "More than 30 % of those that ended within half an hour were compensated.",
        (
            (f'saga_finished_total{{{labels},outcome="compensated"}}', "0+5x120"),
            (f'saga_finished_total{{{labels},outcome="done"}}', "0+5x120"),
        ),
        "90m",
        raises,
    )


def _calls(caller: str, peer: str) -> Iterator[Alert]:
    raises = {"service": caller, "peer": peer}
    yield Alert(
        "BreakerOpen",
        "max by (service, peer) (breaker_state) == 2",
        "2m",
        "ticket",
        "$service does not call $peer any more.",
        "The circuit breaker is open: the peer failed or was too slow. Fallbacks answer where there are any.",
        ((f'breaker_state{{service="{caller}",peer="{peer}"}}', "0x5 2x30"),),
        "15m",
        raises,
    )


def _jobs(service: str, job: str) -> Iterator[Alert]:
    raises = {"service": service, "task": job}
    labels = f'service="{service}",task="{job}"'
    yield Alert(
        "JobsFailed",
        'max by (service, task) (jobs_queued{status="failed"}) > 0',
        "1m",
        "ticket",
        "$task of $service failed for good.",
        "Every attempt failed. The job is kept, with the reason, until somebody sends it again.",
        ((f'jobs_queued{{{labels},status="failed"}}', "0x5 1x30"),),
        "15m",
        raises,
    )
    yield Alert(
        "JobsWaiting",
        "max by (service, task) (job_oldest_ready_seconds) > 300",
        "5m",
        "ticket",
        "$task of $service waits for a worker.",
        "The oldest job that is due has waited for more than five minutes: no worker runs, or too few.",
        ((f"job_oldest_ready_seconds{{{labels}}}", "0+60x40"),),
        "30m",
        raises,
    )
