"""What stands in for the broker in tests that are not about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.bus import Outgoing, Subscription
from chassis.messages import Message


class FakeDelivery:
    """A delivery that remembers how it was settled: `settled` holds "ack" or the delay of a retry."""

    def __init__(self, message: Message | bytes, attempt: int = 1, address: str = "shop.event.x") -> None:
        self.body = message if isinstance(message, bytes) else message.to_json().encode()
        self.address = address if isinstance(message, bytes) else message.address or address
        self.attempt = attempt
        self.settled: list[str | float] = []

    async def ack(self) -> None:
        self.settled.append("ack")

    async def retry(self, delay: float) -> None:
        self.settled.append(delay)

    @property
    def acked(self) -> bool:
        """Whether it was acknowledged, and nothing else. Raises AssertionError when settled twice."""
        assert len(self.settled) < 2, f"settled more than once: {self.settled}"
        return self.settled == ["ack"]


class FakeBus:
    """A broker that keeps what it is given, or is away while `down`."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.down = False

    @property
    def connected(self) -> bool:
        return not self.down

    async def connect(self) -> None:
        if self.down:
            raise ConnectionError("the broker is down")

    async def publish(self, batch: Sequence[Outgoing]) -> None:
        if self.down:
            raise ConnectionError("the broker is down")
        self.sent.extend(batch)

    async def subscribe(self, consumer: str, addresses: Sequence[str]) -> Subscription:
        raise NotImplementedError("nothing arrives here")

    async def close(self) -> None:
        self.down = True

    @property
    def messages(self) -> list[Message]:
        return [Message.from_json(item.body, item.address) for item in self.sent]

    def data(self) -> list[dict[str, Any]]:
        return [message.data for message in self.messages]
