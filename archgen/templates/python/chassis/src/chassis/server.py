"""Running a service's HTTP side, and ending it without dropping a request.

On SIGTERM: readiness says no, no connection is accepted any more, requests under way are finished
(for at most `shutdown_seconds`), the app's lifespan ends, and the process exits with 0.
"""

from __future__ import annotations

import math
import signal
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from chassis.health import Health
from chassis.settings import Settings


class Server(uvicorn.Server):
    """uvicorn, except that being asked to stop is not a failure.

    uvicorn raises the signal again when it is done, and the process would end as if killed by it.
    """

    def __init__(self, config: uvicorn.Config, health: Health) -> None:
        super().__init__(config)
        self._health = health

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._health.drain()
        # A second Ctrl-C is somebody who does not want to wait.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def serve(app: ASGIApp, settings: Settings, health: Health) -> None:
    """Serve `app` until a signal ends it. Exits with 3 when the app could not start.

    `logs.setup` comes before: uvicorn is told not to arrange logging of its own.
    """
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        lifespan="on",
        log_config=None,
        # Metrics and traces tell the same and more; a line per request is for looking closely.
        access_log=settings.log_level == "DEBUG",
        server_header=False,
        # Whose address counts is decided in one place, `security.addresses`; anybody can send the header.
        proxy_headers=False,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_seconds),
    )
    server = Server(config, health)
    server.run()
    if not server.started:
        raise SystemExit(3)
