"""NATS JetStream behind the bus port: one stream per system, one durable pull consumer per role.

Source: https://docs.nats.io/nats-concepts/jetstream
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsInbox
from nats.errors import Error as NatsError
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    PubAck,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from chassis.bus import Delivery, Outgoing

log = logging.getLogger(__name__)
PUBLISH_TIMEOUT = 5.0
ACK_WAIT = 30.0  # after this long without an ack a message is delivered again
EXPIRES = 15.0  # how long the server keeps a request for messages open
DEDUPLICATION = 120.0  # for how long the broker itself drops repeats
RETENTION = 8 * 86_400.0  # after this long a message leaves the stream
AHEAD = 256


class NatsBus:
    """A connection to NATS that never gives up reconnecting."""

    def __init__(self, url: str, system: str) -> None:
        self._url = url
        self._stream = system
        self._client = Client()
        self._publisher: JetStreamContext | None = None
        self._publishing: set[asyncio.Timeout] = set()

    @property
    def connected(self) -> bool:
        return self._client.is_connected

    async def connect(self) -> None:
        """Connect and make sure that the stream exists. Raises when the server is not there."""
        if not self._client.is_connected:
            self._client = await nats.connect(
                self._url,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.25,
                connect_timeout=2,
                ping_interval=5,
                max_outstanding_pings=2,
                error_cb=_note,
                disconnected_cb=self._lost,
                reconnected_cb=_back,
                name=self._stream,
            )
            self._publisher = self._client.jetstream(timeout=PUBLISH_TIMEOUT)
        config = StreamConfig(
            name=self._stream,
            subjects=[f"{self._stream}.>"],
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            max_age=RETENTION,
            duplicate_window=DEDUPLICATION,
        )
        manager = self._client.jsm()
        try:
            await manager.stream_info(self._stream)
        except NotFoundError:
            await manager.add_stream(config)

    async def publish(self, batch: Sequence[Outgoing]) -> None:
        # Said at once: the client would keep what it is given until its buffer is full.
        if self._publisher is None or not self.connected:
            raise ConnectionError("the broker is not connected")
        acks: list[asyncio.Future[PubAck]] = []
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT) as patience:
                self._publishing.add(patience)
                for item in batch:
                    headers = {"Nats-Msg-Id": item.id}
                    acks.append(await self._publisher.publish_async(item.address, item.body, headers=headers))
                await asyncio.gather(*acks)
        finally:
            self._publishing.discard(patience)
            for ack in acks:
                ack.cancel()  # else it would be waited for as long as this process lives

    async def _lost(self) -> None:
        log.warning("the broker is gone; reconnecting")
        for patience in self._publishing:
            # What was under way will never be acknowledged.
            patience.reschedule(asyncio.get_running_loop().time())

    async def subscribe(self, consumer: str, addresses: Sequence[str]) -> NatsSubscription:
        config = ConsumerConfig(
            durable_name=consumer,
            filter_subjects=list(addresses),
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT,
            max_deliver=-1,  # giving up is the inbox's decision, which keeps the message
            max_ack_pending=4 * AHEAD,
        )

        async def ensure() -> None:
            await self.connect()
            await self._client.jsm().add_consumer(self._stream, config=config)

        await ensure()
        subscription = NatsSubscription(self._client, self._stream, consumer, ensure)
        await subscription.open()
        return subscription

    async def close(self) -> None:
        if self._publisher is not None and not self._client.is_closed:
            await self._client.close()


class NatsSubscription:
    """Keeps a request for messages open and hands over what has arrived.

    The client's own `fetch` ends with each batch and asks again; here the next messages are
    already on their way while the last ones are handled. `ensure` makes stream and consumer where they
    are missing: somebody may delete them on the server while this goes on.
    """

    def __init__(
        self, client: Client, stream: str, consumer: str, ensure: Callable[[], Awaitable[None]]
    ) -> None:
        self._client = client
        self._ensure = ensure
        self._doubtful = False
        self._stream = stream
        self._consumer = consumer
        self._address = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._arrived: asyncio.Queue[Msg] = asyncio.Queue()
        self._inbox: NatsInbox | None = None
        self._reply = client.new_inbox()
        self._requested = 0
        self._requested_at = 0.0
        self._connection = 0  # counts reconnects: the server forgets requests when it loses us

    async def open(self) -> None:
        self._inbox = await self._client.subscribe(
            self._reply, cb=self._receive, pending_msgs_limit=-1, pending_bytes_limit=-1
        )

    async def _receive(self, msg: Msg) -> None:
        if msg.reply:
            self._requested = max(0, self._requested - 1)
            self._arrived.put_nowait(msg)
        else:
            # A status instead of a message: the request ended (expired, server restarted, …).
            self._requested = 0
            # 409 says, among else, that the consumer was deleted; 503 that nobody answers for it.
            self._doubtful |= (msg.headers or {}).get("Status") in ("409", "503")

    async def _ask(self, limit: int) -> None:
        now = asyncio.get_running_loop().time()
        connection = self._client.stats["reconnects"]
        stale = now - self._requested_at > EXPIRES or connection != self._connection
        if self._arrived.qsize() + self._requested >= limit and not stale:
            return
        count = AHEAD - self._arrived.qsize()
        if count <= 0:
            return
        self._requested, self._requested_at, self._connection = count, now, connection
        request = {"batch": count, "expires": int(EXPIRES * 1e9)}
        await self._client.publish(self._address, json.dumps(request).encode(), self._reply)

    async def fetch(self, limit: int, wait: float) -> list[Delivery]:
        if self._doubtful:
            await self._look()
        await self._ask(limit)
        try:
            async with asyncio.timeout(wait):
                first = await self._arrived.get()
        except TimeoutError:
            return []
        batch: list[Delivery] = [NatsDelivery(first)]
        while len(batch) < limit and not self._arrived.empty():
            batch.append(NatsDelivery(self._arrived.get_nowait()))
        return batch

    async def _look(self) -> None:
        """Make the consumer again if it is gone: it begins with the oldest message, and the inbox knows which
        of them took effect."""
        try:
            await self._client.jsm().consumer_info(self._stream, self._consumer)
        except NotFoundError:
            log.warning("a consumer was deleted on the broker and is made again: %s", self._consumer)
            await self._ensure()
        self._doubtful = False

    async def lag(self) -> int:
        info = await self._client.jsm().consumer_info(self._stream, self._consumer)
        return (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def close(self) -> None:
        if self._inbox is not None and self._client.is_connected:
            await self._inbox.unsubscribe()
        while not self._arrived.empty():
            # Fetched ahead but not looked at: another replica may have it at once.
            await NatsDelivery(self._arrived.get_nowait()).retry(0)


class NatsDelivery:
    """One delivery; acks are not waited for, since a lost one only means a repeat."""

    def __init__(self, msg: Msg) -> None:
        self._msg = msg
        self.body = msg.data
        self.address = msg.subject
        # $JS.ACK.<stream>.<consumer>.<delivered>.… and, with a domain, two tokens more.
        tokens = msg.reply.split(".")
        self.attempt = int(tokens[4] if len(tokens) < 11 else tokens[6])

    async def ack(self) -> None:
        await self._settle(b"+ACK")

    async def retry(self, delay: float) -> None:
        await self._settle(b"-NAK " + json.dumps({"delay": int(delay * 1e9)}).encode())

    async def _settle(self, answer: bytes) -> None:
        try:
            await self._msg._client.publish(self._msg.reply, answer)
        except NatsError as error:
            log.debug("a delivery could not be settled and will come again", extra={"reason": str(error)})


async def _note(error: Exception) -> None:
    log.warning("broker: %s", error)


async def _back() -> None:
    log.info("the broker is back")
