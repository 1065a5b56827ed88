"""Delivers messages twice and late: listens to the stream and publishes random messages again.

Three kinds, all of which at-least-once delivery allows:
- `twice`: the same message again at once;
- `late`: the same message again, seconds later;
- `asked again`: a saga's command under a new id, as its owner sends it when an answer is overdue.

No copy bears the Nats-Msg-Id of its original, so the broker can't recognise it. What happens to a message
depends on the seed and on its place in the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from random import Random
from types import TracebackType
from typing import Self
from uuid import uuid4

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

HEADER = "Torture-Copy"
SHARE = {"twice": 0.06, "late": 0.05, "asked again": 0.06}
LATEST = 9.0


class Echoes:
    """At work while inside. Copies bear HEADER, by which they are told from originals afterwards."""

    def __init__(self, broker_url: str, system: str, seed: int) -> None:
        self._url = broker_url
        self._system = system
        self._seed = seed
        self._number = 0
        self._open = True
        self._pending: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._client = Client()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def finish(self) -> None:
        """Begin no new copies and wait until those under way are published."""
        self._open = False
        asyncio.run_coroutine_threadsafe(self._drain(), self._loop).result(2 * LATEST)

    async def _listen(self) -> None:
        async def quiet(_error: Exception) -> None:
            return  # that the broker goes away is the point

        self._client = await nats.connect(
            self._url, max_reconnect_attempts=-1, reconnect_time_wait=0.1, error_cb=quiet
        )
        await self._client.subscribe(f"{self._system}.>", cb=self._hear)
        await self._client.flush()

    async def _hear(self, msg: Msg) -> None:
        if HEADER in (msg.headers or {}) or not self._open:
            return
        self._number += 1
        rng = Random(f"echo {self._seed} {self._number}")
        kind = rng.choices([*SHARE, ""], [*SHARE.values(), 1 - sum(SHARE.values())])[0]
        body = json.loads(msg.data)
        command = ".command." in msg.subject and body.get("sagaid")
        if not kind or (kind == "asked again" and not command):
            return
        delay = rng.uniform(0.0, 0.1) if kind == "twice" else rng.uniform(1.0, LATEST)
        if kind == "asked again":
            body["id"] = str(uuid4())
        task = asyncio.create_task(self._again(kind, msg.subject, body, delay))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _again(self, kind: str, subject: str, body: dict[str, object], delay: float) -> None:
        await asyncio.sleep(delay)
        with contextlib.suppress(Exception):  # the broker is away: this copy is not delivered
            await self._client.jetstream(timeout=2).publish(
                subject, json.dumps(body).encode(), headers={HEADER: kind}
            )

    async def _drain(self) -> None:
        if self._pending:
            await asyncio.wait(self._pending, timeout=LATEST + 3)

    async def _leave(self) -> None:
        for task in self._pending:
            task.cancel()
        await self._client.close()
