"""The broker as the chassis sees it. `BROKER_URL` chooses the implementation at start.

Patterns know only this port; a broker that keeps these promises can stand behind it:
a published batch is durable when `publish` returns, and a delivery that is not acknowledged
comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Outgoing:
    """A message on its way out. `id` lets the broker drop a repeat."""

    id: str
    address: str
    body: bytes


class Delivery(Protocol):
    """A message on its way in; it must be settled by exactly one of `ack` and `retry`."""

    body: bytes
    address: str
    attempt: int  # 1 for the first delivery

    async def ack(self) -> None: ...

    async def retry(self, delay: float) -> None:
        """Ask for it again after `delay` seconds."""


class Subscription(Protocol):
    """A durable place in the stream, shared by all replicas of a service."""

    async def fetch(self, limit: int, wait: float) -> list[Delivery]:
        """Up to `limit` deliveries as soon as there is one; empty after `wait` seconds without."""

    async def lag(self) -> int:
        """How many messages wait to be delivered."""

    async def close(self) -> None: ...


class Bus(Protocol):
    """A connection to the broker; it reconnects by itself."""

    @property
    def connected(self) -> bool: ...

    async def connect(self) -> None: ...

    async def publish(self, batch: Sequence[Outgoing]) -> None:
        """Send all of `batch` and return when the broker has stored it; raises otherwise."""

    async def subscribe(self, consumer: str, addresses: Sequence[str]) -> Subscription: ...

    async def close(self) -> None: ...


def from_url(url: str, system: str) -> Bus:
    """The bus behind `url`. Raises ValueError for a broker that this chassis does not speak."""
    scheme = url.partition("://")[0]
    if scheme in ("nats", "tls"):
        from chassis.bus.nats import NatsBus

        return NatsBus(url, system)
    raise ValueError(f"BROKER_URL starts with {scheme!r}; this chassis speaks nats://")
