"""The broker's stream: copied and brought back whole, read as a log, and listened to again from a place.

A snapshot keeps sequence numbers, times and headers, which publishing the messages again would not.
Source: https://docs.nats.io/reference/reference-protocols/nats_api_reference (STREAM.SNAPSHOT, RESTORE)
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from chassis.messages import Malformed, Message
from chassis.recovery.errors import RecoveryError
from chassis.recovery.files import flush

CHUNK = 128 * 1024
PATIENCE = 30.0


@dataclass(frozen=True)
class Place:
    """How far a durable consumer had got: every message up to `floor` is handled and committed."""

    floor: int
    subjects: tuple[str, ...]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    """A connection; whatever goes wrong with it is a RecoveryError."""
    try:
        client = await nats.connect(url, connect_timeout=2, max_reconnect_attempts=3, reconnect_time_wait=0.5)
    except (NatsError, OSError) as error:
        raise RecoveryError(f"the broker can't be reached: {error}") from error
    try:
        yield client
    except (NatsError, JetStreamError, TimeoutError) as error:
        raise RecoveryError(f"the broker did not do its part: {error!r}") from error
    finally:
        await client.close()


async def places(client: Client, stream: str) -> dict[str, Place]:
    """Every durable consumer and how far it has got."""
    found: dict[str, Place] = {}
    while True:
        page = await client.jsm().consumers_info(stream, offset=len(found))
        for info in page:
            subjects = info.config.filter_subjects or [info.config.filter_subject or f"{stream}.>"]
            floor = info.ack_floor.stream_seq if info.ack_floor else 0
            found[info.name] = Place(floor, tuple(subjects))
        if not page:
            return found


async def last(client: Client, stream: str) -> int:
    """The number of the newest message."""
    return (await client.jsm().stream_info(stream)).state.last_seq


async def snapshot(client: Client, stream: str, copy: Path) -> dict[str, Any]:
    """Write the stream, without its consumers, to `copy`; returns what `restore` needs besides."""
    inbox = client.new_inbox()
    chunks = await client.subscribe(inbox, pending_bytes_limit=-1, pending_msgs_limit=-1)
    request = {"deliver_subject": inbox, "no_consumers": True, "chunk_size": CHUNK, "jsck": True}
    answer = await _ask(client, f"$JS.API.STREAM.SNAPSHOT.{stream}", json.dumps(request).encode())
    with copy.open("wb") as file:
        while True:
            chunk = await chunks.next_msg(PATIENCE)
            if not chunk.data:
                break
            file.write(chunk.data)
            if chunk.reply:
                await client.publish(chunk.reply)
    status = (chunk.headers or {}).get("Status", "")
    if status and not status.startswith("2"):
        raise RecoveryError(f"the snapshot of the stream broke off: {dict(chunk.headers or {})}")
    flush(copy)
    return {"config": answer["config"], "state": answer["state"]}


async def exists(client: Client, stream: str) -> bool:
    try:
        await client.jsm().stream_info(stream)
    except NotFoundError:
        return False
    return True


async def restore(client: Client, stream: str, copy: Path, about: dict[str, Any]) -> int:
    """Bring the stream back, which must not exist; returns how many messages it has."""
    answer = await _ask(client, f"$JS.API.STREAM.RESTORE.{stream}", json.dumps(about).encode())
    with copy.open("rb") as file:
        while chunk := file.read(CHUNK):
            reply = await client.request(answer["deliver_subject"], chunk, timeout=PATIENCE)
            if reply.data:
                raise RecoveryError(f"the broker refused the snapshot: {reply.data.decode()[:300]}")
    done = await _ask(client, answer["deliver_subject"], b"")
    return int(done["state"]["messages"])


async def listen_from(client: Client, stream: str, consumer: str, place: Place) -> None:
    """Make the durable `consumer` hear again whatever came after `place`.

    A server before 2.14 can only start it from the beginning of the stream, which takes longer and
    leads to the same: the inboxes pass over what they know.
    """
    manager = client.jsm()
    await forget(client, stream, consumer)
    config = ConsumerConfig(
        durable_name=consumer,
        filter_subjects=list(place.subjects),
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
    )
    await manager.add_consumer(stream, config=config)
    if place.floor:
        request = json.dumps({"seq": place.floor + 1}).encode()
        try:
            await _ask(client, f"$JS.API.CONSUMER.RESET.{stream}.{consumer}", request, timeout=5)
        except (NoRespondersError, TimeoutError):
            return


async def forget(client: Client, stream: str, consumer: str) -> None:
    """Remove a durable consumer, if it is there; its service makes it anew, from the beginning."""
    try:
        await client.jsm().delete_consumer(stream, consumer)
    except NotFoundError:
        return


async def read(client: Client, stream: str, first: int) -> list[Message]:
    """The messages from number `first` on, in order. What is not a message of ours is passed over."""
    end = await last(client, stream)
    if end < first:
        return []
    config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=max(1, first))
    subscription = await client.jetstream().subscribe(
        f"{stream}.>",
        stream=stream,
        ordered_consumer=True,
        config=config,
        pending_msgs_limit=-1,
        pending_bytes_limit=-1,
    )
    found = []
    while True:
        msg = await subscription.next_msg(PATIENCE)
        with suppress(Malformed):
            found.append(Message.from_json(msg.data, msg.subject))
        if msg.metadata.sequence.stream >= end or not msg.metadata.num_pending:
            break
    await subscription.unsubscribe()
    return found


async def _ask(client: Client, subject: str, request: bytes, timeout: float = PATIENCE) -> dict[str, Any]:
    reply = await client.request(subject, request, timeout=timeout)
    answer: dict[str, Any] = json.loads(reply.data)
    if "error" in answer:
        raise RecoveryError(f"the broker says: {answer['error'].get('description')}")
    return answer
