"""Reads the broker: the whole stream from its beginning, and how far each consumer is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import nats
from nats.aio.msg import Msg

from tests.torture.echoes import HEADER

QUIET = 10.0


@dataclass(frozen=True)
class Copy:
    """One message of the stream, at `sequence`; `echo` is the kind of copy, empty for an original."""

    sequence: int
    address: str
    echo: str
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """event, command or reply."""
        return self.address.split(".")[1]

    @property
    def name(self) -> str:
        """What follows the kind in the address, for example `order.created`."""
        return self.address.split(".", 2)[2]

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def subject(self) -> str:
        return str(self.body.get("subject", ""))

    @property
    def version(self) -> int:
        return int(self.body.get("aggregateversion", 0))

    @property
    def saga_id(self) -> str:
        return str(self.body.get("sagaid", ""))

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.body.get("data", {})
        return data

    def __str__(self) -> str:
        step = f" {self.body['sagaphase']} {self.body['sagastep']}" if "sagastep" in self.body else ""
        shown = {key: value for key, value in self.data.items() if key not in ("items", "result")}
        echo = f" [{self.echo}]" if self.echo else ""
        return (
            f"#{self.sequence:<6}{self.body.get('time', '')[11:23]} {self.kind:<7} {self.name} "
            f"v{self.version}{step}{echo} {self.id[:8]} {json.dumps(shown)}"
        )


def read(broker_url: str, system: str) -> list[Copy]:
    """Every message of the stream, oldest first. Raises TimeoutError when the broker falls silent."""
    return asyncio.run(_read(broker_url, system))


def lag(broker_url: str, system: str) -> dict[str, int]:
    """Per consumer, how many messages it has not acknowledged yet."""
    return asyncio.run(_lag(broker_url, system))


async def _read(broker_url: str, system: str) -> list[Copy]:
    client = await nats.connect(broker_url)
    try:
        arrived: asyncio.Queue[Msg] = asyncio.Queue()
        stream = client.jetstream()
        last = (await stream.stream_info(system)).state.last_seq
        await stream.subscribe(f"{system}.>", cb=arrived.put, ordered_consumer=True)
        return [copy async for copy in _until(arrived, last)] if last else []
    finally:
        await client.close()


async def _until(arrived: asyncio.Queue[Msg], last: int) -> AsyncIterator[Copy]:
    sequence = 0
    while sequence < last:
        msg = await asyncio.wait_for(arrived.get(), QUIET)
        sequence = msg.metadata.sequence.stream
        yield Copy(sequence, msg.subject, (msg.headers or {}).get(HEADER, ""), json.loads(msg.data))


async def _lag(broker_url: str, system: str) -> dict[str, int]:
    client = await nats.connect(broker_url)
    try:
        manager = client.jsm()
        return {
            info.name: (info.num_pending or 0) + (info.num_ack_pending or 0)
            for info in await manager.consumers_info(system)
            if info.config.durable_name
        }
    finally:
        await client.close()


def by_saga(copies: list[Copy]) -> dict[str, list[Copy]]:
    """The messages of each saga, in the order of the stream."""
    found: dict[str, list[Copy]] = {}
    for copy in copies:
        if copy.saga_id:
            found.setdefault(copy.saga_id, []).append(copy)
    return found


def originals(copies: list[Copy], kind: str) -> Iterator[Copy]:
    return (copy for copy in copies if copy.kind == kind and not copy.echo)
