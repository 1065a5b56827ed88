"""Follows what happens on the broker, message by message."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import nats
from nats.aio.msg import Msg

from chassis.messages import Malformed, Message


class Watch:
    """Every message of `system` while inside; with `replay`, also those that are stored already.

    It listens beside the services and takes nothing from them.
    """

    def __init__(self, broker_url: str, system: str, *, replay: bool = False) -> None:
        self._url = broker_url
        self._replay = replay
        self._subject = f"{system}.>"
        self._seen: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def messages(self, quiet: float) -> Iterator[Message]:
        """The messages as they come; ends after `quiet` seconds without one."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._seen.get(timeout=quiet)

    async def _listen(self) -> None:
        self._client = await nats.connect(self._url)
        if self._replay:
            await self._client.jetstream().subscribe(self._subject, cb=self._note, ordered_consumer=True)
        else:
            await self._client.subscribe(self._subject, cb=self._note)
        await self._client.flush()

    async def _note(self, msg: Msg) -> None:
        with contextlib.suppress(Malformed):
            self._seen.put(Message.from_json(msg.data, msg.subject))
