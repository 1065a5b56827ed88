"""How a peer is called: what the `policies:` of the system's description become."""

from __future__ import annotations

from dataclasses import dataclass, field

from chassis.retry import Retry


@dataclass(frozen=True)
class BreakerPolicy:
    """Failures in a row that open the breaker, and seconds until it is probed."""

    failures: int = 5
    reset: float = 60.0


@dataclass(frozen=True)
class Policy:
    """How a peer is called. `timeout` is seconds for one attempt.

    `deadline` is seconds for the whole call, waits between attempts included; `None` stands for
    the time that all attempts may take.
    """

    timeout: float = 2.0
    retry: Retry = field(default_factory=Retry)
    breaker: BreakerPolicy = BreakerPolicy()
    deadline: float | None = None

    @property
    def total(self) -> float:
        return self.deadline or self.timeout * self.retry.attempts
