"""A circuit breaker: stop calling a peer that does not answer, and find out gently when it does.

    closed     calls go through; `failures` failures in a row open it
    open       calls are refused at once, until `reset` seconds have passed
    half-open  one call at a time goes through as a probe: its success closes the breaker, its
               failure opens it again

Pattern: Michael Nygard, Release It!, chapter "Stability Patterns".

It is not a lock and never waits: it is meant for one event loop and shared there by all callers
of a peer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

from chassis import metrics
from chassis.errors import Unavailable


class State(IntEnum):
    """The numbers are the values of the metric `breaker_state`."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class BreakerOpen(Unavailable):
    """The call was not made; `retry_after` is the seconds until one may be."""


def any_error(_error: Exception) -> bool:
    return True


class Breaker:
    """The breaker of one peer.

    `failures` in a row open it and `reset` is the seconds until the first probe. `is_failure`
    tells whether an exception speaks against the peer: a refusal on business grounds (4xx) does
    not, since a peer that refuses is a peer that works; None is for what says nothing about it.
    `clock` counts seconds and never jumps.
    """

    def __init__(
        self,
        name: str,
        failures: int = 5,
        reset: float = 60.0,
        *,
        is_failure: Callable[[Exception], bool | None] = any_error,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.state = State.CLOSED
        self._limit = failures
        self._reset = reset
        self._is_failure = is_failure
        self._clock = clock
        self._failures = 0
        self._opened_at = 0.0
        self._probing = False
        # Counts changes of state. A call remembers the number it began under, and a result that
        # comes back under another number is about a past that no longer matters.
        self._era = 0
        metrics.breaker_state.labels(name).set(self.state)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Put the call inside; raises `BreakerOpen` instead of entering when it must not be made.

        A time limit belongs inside too, where its `TimeoutError` counts as a failure. One that is
        outside arrives here as a cancellation, which says nothing about the peer: it frees the
        place of the probe and counts neither way.
        """
        era = self._admit()
        try:
            yield
        except Exception as error:
            failed = self._is_failure(error)
            if failed is None:
                self._abandon(era)
            else:
                self._finish(era, failed=failed)
            raise
        except BaseException:
            self._abandon(era)
            raise
        else:
            self._finish(era, failed=False)

    def _admit(self) -> int:
        if self.state is State.OPEN:
            remaining = self._opened_at + self._reset - self._clock()
            if remaining > 0:
                raise BreakerOpen(f"{self.name} is not being called for now", remaining)
            self._enter(State.HALF_OPEN)
        if self.state is State.HALF_OPEN:
            if self._probing:
                # How long the probe takes is not known; a second is a fair time to ask again.
                raise BreakerOpen(f"{self.name} is being probed", min(1.0, self._reset))
            self._probing = True
        return self._era

    def _finish(self, era: int, *, failed: bool) -> None:
        if era != self._era:
            return
        if not failed:
            self._failures = 0
            if self.state is State.HALF_OPEN:
                self._enter(State.CLOSED)
            return
        self._failures += 1
        if self.state is State.HALF_OPEN or self._failures >= self._limit:
            self._opened_at = self._clock()
            self._enter(State.OPEN)

    def _abandon(self, era: int) -> None:
        if era == self._era:
            self._probing = False

    def _enter(self, state: State) -> None:
        self.state = state
        self._era += 1
        self._failures = 0
        self._probing = False
        metrics.breaker_state.labels(self.name).set(state)
        metrics.breaker_transitions.labels(self.name, state.name.lower()).inc()
