"""Service level objectives as recording rules, and alerts on how fast their error budget burns.

Source: Google, "The Site Reliability Workbook", chapter 5, "Alerting on SLOs", approach 6
(multiwindow, multi-burn-rate), https://sre.google/workbook/alerting-on-slos/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from archgen.spec.calls import over_grpc
from archgen.spec.model import System

# Probes and scrapes say nothing about what users get.
USERS = 'route!~"/health/.*|/metrics|/openapi.json"'
REQUESTS = (f"http_requests_total{{{USERS}$services}}", 'grpc_requests_total{method!=""$services}')
# The codes that speak against the service; see chassis.rpc.edge.
FAULTS = "UNKNOWN|DEADLINE_EXCEEDED|INTERNAL|UNAVAILABLE|DATA_LOSS|UNIMPLEMENTED|RESOURCE_EXHAUSTED"
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
TRAFFIC = "service:http_requests:rate1h"
# Below this many requests per second a single failure would look like an outage.
LEAST_TRAFFIC = 0.02


@dataclass(frozen=True)
class Objective:
    """A share of good requests over 30 days; `ratio` names the recorded share of bad ones.

    `bad` is how, from the `few` and the `all` of what is counted over HTTP and, with `grpc`, over gRPC.
    `targets` and `bounds` are of services that promise something of their own: another share, or another
    value in the place of $bound.
    """

    name: str
    target: float
    ratio: str
    bad: str
    few: tuple[str, str]
    all: tuple[str, str]
    meaning: str
    grpc: bool = False
    bound: float = 0.0
    targets: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[str, float] = field(default_factory=dict)

    def record(self, window: str) -> tuple[str, str]:
        """The recorded series for `window`, and its expression."""
        parts = [
            self.bad.replace("$few", _summed(self.few, self.grpc))
            .replace("$all", _summed(self.all, self.grpc))
            .replace("$window", window)
            .replace("$bound", f"{float(bound)}")
            .replace("$services", f",{services}" if services else "")
            for bound, services in _groups(self.bound, self.bounds)
        ]
        return f"{self.ratio}{window}", " or ".join(parts)

    def burns(self, factor: float, long: str, short: str) -> str:
        """True while the budget burns `factor` times too fast, over both windows: it did, and still does."""
        parts = []
        for target, services in _groups(self.target, self.targets):
            limit, only = f"{round(factor * (1 - target), 9):g}", f"{{{services}}}" if services else ""
            parts.append(f"({self.ratio}{long}{only} > {limit} and {self.ratio}{short}{only} > {limit})")
        return " or ".join(parts)

    @property
    def fast(self) -> str:
        """2 % of the month's budget within an hour, or 5 % within six."""
        burning = f"{self.burns(14.4, '1h', '5m')} or {self.burns(6, '6h', '30m')}"
        return f"({burning}) and {TRAFFIC} > {LEAST_TRAFFIC:g}"

    @property
    def slow(self) -> str:
        """10 % of the month's budget within a day, or all that is left within three."""
        return f"{self.burns(3, '1d', '2h')} or {self.burns(1, '3d', '6h')}"


AVAILABILITY = Objective(
    "availability",
    0.999,
    "service:http_errors:ratio_rate",
    "$few / $all",
    (
        f'http_requests_total{{status=~"5..",{USERS}$services}}',
        f'grpc_requests_total{{code=~"{FAULTS}"$services}}',
    ),
    REQUESTS,
    "99.9 % of requests are answered without a server error",
)
LATENCY = Objective(
    "latency",
    0.99,
    "service:http_slow:ratio_rate",
    "1 - $few / $all",
    (
        f'http_request_duration_seconds_bucket{{le="$bound",{USERS}$services}}',
        'grpc_request_duration_seconds_bucket{le="$bound"$services}',
    ),
    (
        f"http_request_duration_seconds_count{{{USERS}$services}}",
        'grpc_request_duration_seconds_count{method!=""$services}',
    ),
    "99 % of requests are answered within 0.5 seconds",
    bound=0.5,
)


def objectives(system: System) -> tuple[Objective, Objective]:
    """Availability and latency as this system's services promise them."""
    slos = {name: service.slo for name, service in system.services.items()}
    targets = {name: slo.availability for name, slo in slos.items() if slo.availability is not None}
    bounds = {name: slo.latency for name, slo in slos.items() if slo.latency is not None}
    own = "".join(f"; {share * 100:g} % by {name}" for name, share in targets.items())
    faster = "".join(f"; within {bound:g} by {name}" for name, bound in bounds.items())
    grpc = any(over_grpc(system, name) for name in system.services)
    return (
        replace(AVAILABILITY, targets=targets, meaning=AVAILABILITY.meaning + own, grpc=grpc),
        replace(LATENCY, bounds=bounds, meaning=LATENCY.meaning + faster, grpc=grpc),
    )


def recorded(system: System) -> list[tuple[str, str]]:
    """Every recorded series with its expression."""
    found = objectives(system)
    ratios = [objective.record(window) for objective in found for window in WINDOWS]
    traffic = _summed(REQUESTS, found[0].grpc).replace("$window", "1h").replace("$services", "")
    return [(TRAFFIC, traffic), *ratios]


def _summed(series: tuple[str, str], grpc: bool) -> str:
    """Per second and service. What both count have different labels, so `or` takes all of them."""
    rates = (f"rate({each}[$window])" for each in series[: 1 + grpc])
    return f"sum by (service) ({' or '.join(rates)})"


def _groups(common: float, own: Mapping[str, float]) -> Iterator[tuple[float, str]]:
    """Each value with the matcher of the services that it is for; an empty one is for all."""
    different = {name: value for name, value in own.items() if value != common}
    others = "|".join(different)
    yield common, f'service!~"{others}"' if others else ""
    for value in sorted(set(different.values())):
        services = "|".join(name for name, each in different.items() if each == value)
        yield value, f'service=~"{services}"'
