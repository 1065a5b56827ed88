"""A worker as a process: `python -m payments.worker`, configured by the environment like the service.

It serves health and metrics on its own PORT and nothing else. It needs the service's database, and
neither the broker nor the service: what its jobs say waits in the outbox for the service to publish.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI
from sqlalchemy import text

from chassis import edge, logs, tracing
from chassis.db import Database
from chassis.health import Health
from chassis.jobs.worker import LEASE, SLOTS, Worker
from chassis.migrate import migrate
from chassis.server import serve
from chassis.service import Service
from chassis.settings import Settings, SettingsError


def run(service: Service) -> None:
    """Do the jobs of `service` until a signal ends the process.

    `JOB_SLOTS` is how many at a time, `JOB_LEASE_SECONDS` how long a job stays held after its worker
    was last seen. Raises SettingsError when either is not a number above 0.
    """
    settings = Settings.from_env(service.name)
    logs.setup(f"{service.name}-worker", settings.log_level)
    slots, lease = int(_number("JOB_SLOTS", SLOTS)), _number("JOB_LEASE_SECONDS", LEASE)
    health = Health()
    serve(create_app(service, settings, health, slots, lease), settings, health)


def create_app(service: Service, settings: Settings, health: Health, slots: int, lease: float) -> FastAPI:
    """The worker's app: while it runs, the worker runs."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        flush_traces = tracing.setup(f"{service.name}-worker")
        db = Database(settings.database_url)
        await db.run(migrate)
        health.add("database", lambda: db.read(lambda conn: conn.execute(text("SELECT 1")).scalar()))
        worker = Worker(service, db, slots=slots, lease=lease)
        worker.start()
        try:
            yield
        finally:
            await worker.stop(settings.shutdown_seconds / 2)
            db.close()
            flush_traces()

    name = f"{service.name}-worker"
    app = FastAPI(title=name, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    edge.install(app, health)
    return app


def _number(variable: str, default: float) -> float:
    given = os.environ.get(variable, "").strip() or str(default)
    with contextlib.suppress(ValueError):
        if 0 < float(given) < float("inf"):
            return max(float(given), 0.1)
    raise SettingsError([f"{variable} is {given!r}; it must be a number above 0"])
