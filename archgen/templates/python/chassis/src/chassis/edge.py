"""The order in which a request passes the chassis on its way to a route.

- `Traces` outermost, so that everything below is in the trace
- `Requests` counts what the caller saw, limits and errors included
- `Limits` bounds body and time
- `Unexpected` turns what nobody caught into a problem, while trace and limits still hold
"""

from __future__ import annotations

from fastapi import FastAPI

from chassis import limits, metrics, problem, tracing
from chassis.health import Health


def install(app: FastAPI, health: Health, *, body: int = limits.MIB, seconds: float = 30.0) -> None:
    """Give `app` what every service has; `body` (bytes) and `seconds` bound a request."""
    problem.install(app)
    # Each one added goes around those added before it.
    app.add_middleware(limits.Limits, body=body, seconds=seconds)
    app.add_middleware(metrics.Requests)
    app.add_middleware(tracing.Traces)
    app.include_router(health.router())
    app.include_router(metrics.router())
