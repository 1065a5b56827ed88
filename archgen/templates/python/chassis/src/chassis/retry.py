"""Trying again, without making an outage worse.

Three things keep retries polite: the waits are random (full jitter), so that callers who failed
together do not return together; a budget per peer lets retries be a tenth of the traffic and no
more; and a wait the peer asks for is granted, or nothing is tried at all.

Source of full jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
Source of the budget: Site Reliability Engineering (Google), chapter "Handling Overload".

Whether a call may be made twice is for the caller to know: see `http_client`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from chassis import metrics
from chassis.errors import Unavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Retry:
    """How often and how patiently. Times are seconds.

    `attempts` counts the first. `delay` is the longest wait before the first retry; with the
    exponential backoff it doubles each time, up to `longest`. A peer that asks for a longer
    wait than `longest` is not tried again.
    """

    attempts: int = 3
    backoff: Literal["exponential", "fixed"] = "exponential"
    delay: float = 0.2
    longest: float = 5.0

    def wait(self, failed: int, asked: float | None = None) -> float | None:
        """Seconds to wait after `failed` attempts, or `None` for giving up.

        `asked` is what the peer's Retry-After said; the jitter comes on top of it, since all
        who were told the same would otherwise come back in the same instant.
        """
        if failed >= self.attempts or (asked or 0.0) > self.longest:
            return None
        # The exponent is bounded because an enormous `attempts` must not overflow the float.
        doubled = self.delay * 2 ** min(failed - 1, 30) if self.backoff == "exponential" else self.delay
        return (asked or 0.0) + random.uniform(0.0, min(doubled, self.longest))


class Budget:
    """A bucket of retries that ordinary calls fill: `ratio` of one for each call, at most `reserve`.

    It starts full, so that a service with little traffic may retry as well.
    """

    def __init__(self, ratio: float = 0.1, reserve: float = 10.0) -> None:
        self._ratio = ratio
        self._reserve = reserve
        self._tokens = reserve

    def deposit(self) -> None:
        self._tokens = min(self._reserve, self._tokens + self._ratio)

    def withdraw(self) -> bool:
        """Take one retry; `False` when there is none left."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


async def retrying(
    attempt: Callable[[], Awaitable[T]],
    retry: Retry,
    budget: Budget,
    *,
    peer: str,
    deadline: float,
) -> T:
    """Await `attempt()` until it returns, raises something other than `Unavailable`, or it is enough.

    `deadline` is an instant of the running loop's clock; a wait that would pass it is not begun.
    The last `Unavailable` is raised when nothing more is tried.
    """
    budget.deposit()
    loop = asyncio.get_running_loop()
    failed = 0
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            failed += 1
            wait = retry.wait(failed, error.retry_after)
            if wait is None or loop.time() + wait >= deadline:
                raise
            if not budget.withdraw():
                metrics.retries_denied.labels(peer).inc()
                raise
        metrics.retries.labels(peer).inc()
        await asyncio.sleep(wait)
