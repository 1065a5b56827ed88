"""Service level objectives as recording rules, and alerts on how fast their error budget burns.

Source: Google, "The Site Reliability Workbook", chapter 5, "Alerting on SLOs", approach 6
(multiwindow, multi-burn-rate), https://sre.google/workbook/alerting-on-slos/
"""

from __future__ import annotations

from dataclasses import dataclass

# Probes and scrapes say nothing about what users get.
USERS = 'route!~"/health/.*|/metrics|/openapi.json"'
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
TRAFFIC = "service:http_requests:rate1h"
# Below this many requests per second a single failure would look like an outage.
LEAST_TRAFFIC = 0.02


@dataclass(frozen=True)
class Objective:
    """A share of good requests over 30 days; `ratio` names the recorded share of bad ones, `bad` is how."""

    name: str
    target: float
    ratio: str
    bad: str
    meaning: str

    def record(self, window: str) -> tuple[str, str]:
        """The recorded series for `window`, and its expression."""
        return f"{self.ratio}{window}", self.bad.replace("$window", window)

    def burns(self, factor: float, long: str, short: str) -> str:
        """True while the budget burns `factor` times too fast, over both windows: it did, and still does."""
        limit = f"{round(factor * (1 - self.target), 6):g}"
        return f"({self.ratio}{long} > {limit} and {self.ratio}{short} > {limit})"

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
    f'sum by (service) (rate(http_requests_total{{status=~"5..",{USERS}}}[$window]))'
    f" / sum by (service) (rate(http_requests_total{{{USERS}}}[$window]))",
    "99.9 % of requests are answered without a server error",
)
LATENCY = Objective(
    "latency",
    0.99,
    "service:http_slow:ratio_rate",
    f'1 - sum by (service) (rate(http_request_duration_seconds_bucket{{le="0.5",{USERS}}}[$window]))'
    f" / sum by (service) (rate(http_request_duration_seconds_count{{{USERS}}}[$window]))",
    "99 % of requests are answered within 0.5 seconds",
)
OBJECTIVES = (AVAILABILITY, LATENCY)


def recorded() -> list[tuple[str, str]]:
    """Every recorded series with its expression."""
    ratios = [objective.record(window) for objective in OBJECTIVES for window in WINDOWS]
    return [(TRAFFIC, f"sum by (service) (rate(http_requests_total{{{USERS}}}[1h]))"), *ratios]
