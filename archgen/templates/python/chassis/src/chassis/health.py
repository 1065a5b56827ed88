"""Whether this process is alive, and whether it should be sent work.

Alive is not the same as ready: a process whose database is away must not be restarted for it, only
left alone until the database is back. So the first never looks at anything else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fastapi import APIRouter
from starlette.responses import JSONResponse

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[object]]


@dataclass
class Health:
    """What readiness depends on. A check passes unless it raises or takes longer than `seconds`."""

    seconds: float = 2.0
    draining: bool = False
    _checks: dict[str, Check] = field(default_factory=dict)
    _on_drain: list[Callable[[], object]] = field(default_factory=list)

    def add(self, name: str, check: Check) -> None:
        """Make readiness depend on `check`; `name` is shown to whoever asks."""
        self._checks[name] = check

    def on_drain(self, hook: Callable[[], object]) -> None:
        """Call `hook` when draining begins. It runs in a signal handler, so it does next to nothing."""
        self._on_drain.append(hook)

    def drain(self) -> None:
        """From now on not ready: the process is about to end and finishes what it has."""
        self.draining = True
        for hook in self._on_drain:
            hook()

    async def ready(self) -> bool:
        """Whether the process should be sent work."""
        return not self.draining and all(result == "ok" for result in (await self.report()).values())

    async def report(self) -> dict[str, str]:
        """Each check by name: "ok", "failed" or "timeout". They run at the same time."""
        results = await asyncio.gather(*(self._run(name, check) for name, check in self._checks.items()))
        return dict(zip(self._checks, results, strict=True))

    async def _run(self, name: str, check: Check) -> str:
        try:
            async with asyncio.timeout(self.seconds):
                await check()
        except TimeoutError:
            log.warning("readiness: %s did not answer", name)
            return "timeout"
        except Exception as error:
            # The reason goes to the log only: it may name hosts, and anybody may ask for readiness.
            log.warning("readiness: %s failed: %r", name, error)
            return "failed"
        return "ok"

    def router(self) -> APIRouter:
        """The routes `/health/live` (always 200) and `/health/ready` (200 or 503)."""
        routes = APIRouter(prefix="/health", tags=["health"])

        @routes.get("/live", summary="Is the process up?")
        async def live() -> dict[str, str]:
            return {"status": "live"}

        @routes.get("/ready", summary="Should it be sent work?")
        async def ready() -> JSONResponse:
            if self.draining:
                return JSONResponse({"status": "draining", "checks": {}}, 503)
            checks = await self.report()
            if any(result != "ok" for result in checks.values()):
                return JSONResponse({"status": "not ready", "checks": checks}, 503)
            return JSONResponse({"status": "ready", "checks": checks})

        return routes
