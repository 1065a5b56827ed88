"""Brings back what was lost and makes one system of it; all

The services that lost their databases are stopped meanwhile; all of them, when the stream is restored.

1. Every copy is checked before anything is touched.
2. Databases and stream are put back; what was in their place is moved aside.
3. Restored databases are brought forward to what the stream knows of them (`redo`).
4. If the stream was restored, the services that lost nothing publish again what it lacks (`sent`).
5. Consumers listen again from where the copies stood; inboxes pass over what they know.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from nats.aio.client import Client
from sqlalchemy import Connection, inspect, make_url, select

from chassis.db import Database
from chassis.messages import Message
from chassis.migrate import migrate
from chassis.recovery import postgres, sets, sqlite, stream
from chassis.recovery.backup import file_of
from chassis.recovery.errors import RecoveryError
from chassis.recovery.layout import Layout
from chassis.recovery.redo import Redone, redo
from chassis.recovery.sets import Manifest
from chassis.recovery.stream import Place
from chassis.relay import LEASE
from chassis.sent import send_again
from chassis.service import Service
from chassis.tables import leases

MARGIN = 120.0  # seconds by which the clocks of machines may differ, at the very most
Say = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """What to bring back: these services' databases and, with `broker`, the stream."""

    services: Collection[str]
    broker: bool
    replace: bool = False


async def restore(layout: Layout, path: Path, wanted: Wanted, say: Say) -> None:
    """Bring back `wanted` from the set at `path`. Raises RecoveryError, and says what was done before."""
    manifest = sets.verify(path)
    _check(layout, manifest, wanted)
    async with stream.connected(layout.broker) as client:
        if wanted.broker:
            await _free(client, layout.system, wanted)
        for name in wanted.services:
            _database(name, layout.databases[name], path / manifest.databases[name], wanted, say)
        if wanted.broker:
            count = await stream.restore(client, layout.system, path / sets.STREAM, dict(manifest.stream))
            say(f"broker: the stream {layout.system} is back with {count} messages")
        await _reconcile(client, layout, manifest, wanted, say)


async def replay(layout: Layout, services: Iterable[str], say: Say) -> None:
    """Bring databases forward that were restored by other means, such as PITR, from the whole stream."""
    async with stream.connected(layout.broker) as client:
        messages = await stream.read(client, layout.system, 1)
        places = await stream.places(client, layout.system)
        for name in services:
            say(_told(name, _redo(layout, name, messages)))
            for consumer in places:
                if consumer.startswith(f"{name}-"):
                    await stream.forget(client, layout.system, consumer)


async def _reconcile(client: Client, layout: Layout, manifest: Manifest, wanted: Wanted, say: Say) -> None:
    for name in wanted.services:
        mine = _of(manifest.places, name)
        first = min([manifest.position, *(place.floor for place in mine.values())]) + 1
        messages = await stream.read(client, layout.system, first)
        say(_told(name, _redo(layout, name, messages)))
    for name in layout.databases if wanted.broker else ():
        if name not in wanted.services:
            since = manifest.began_at.timestamp() - MARGIN
            count = _work(layout.databases[name], partial(send_again, since=since))
            say(f"{name}: publishes {count} messages again that the restored stream may lack")
    there = await stream.places(client, layout.system)
    for name in layout.databases if wanted.broker else wanted.services:
        places = _of(manifest.places, name)
        for consumer in _of(there, name).keys() - places.keys():
            await stream.forget(client, layout.system, consumer)
        for consumer, place in places.items():
            await stream.listen_from(client, layout.system, consumer, place)


def _check(layout: Layout, manifest: Manifest, wanted: Wanted) -> None:
    if manifest.system != layout.system:
        raise RecoveryError(f"this is a backup of {manifest.system}, not of {layout.system}")
    for name in wanted.services:
        if name not in manifest.databases:
            raise RecoveryError(f"the backup holds no database of {name}")
        backend = make_url(layout.databases[name]).get_backend_name()
        if manifest.databases[name].endswith(".db") != (backend == "sqlite"):
            raise RecoveryError(
                f"{name}: the copy is {manifest.databases[name]} and the database is {backend}"
            )
    if wanted.broker and not manifest.stream:
        raise RecoveryError("the backup holds no stream")
    for name in layout.databases if wanted.broker else wanted.services:
        if not _missing(layout.databases[name]):
            _stopped(name, layout.databases[name])


def _stopped(name: str, url: str) -> None:
    """Raises RecoveryError while a replica of the service is at work on its database.

    A relay at work renews its lease every half of it; one that was killed leaves it behind.
    """
    seen = _work(url, _lease)
    while seen - time.time() > LEASE / 2 - 1:
        time.sleep(0.2)
        if _work(url, _lease) > seen:
            raise RecoveryError(f"{name} is running; stop it first")


def _lease(conn: Connection) -> float:
    if not inspect(conn).has_table("leases"):
        return 0.0
    return conn.scalar(select(leases.c.expires_at).where(leases.c.name == "outbox")) or 0.0


async def _free(client: Client, name: str, wanted: Wanted) -> None:
    if not await stream.exists(client, name):
        return
    if not wanted.replace:
        raise RecoveryError(f"the broker has a stream {name}; --replace removes it first")
    await client.jsm().delete_stream(name)


def _database(name: str, url: str, copy: Path, wanted: Wanted, say: Say) -> None:
    if not wanted.replace and not _missing(url) and _work(url, _holds_something):
        raise RecoveryError(
            f"{name} has a database with something in it; --replace puts the copy in its place"
        )
    if make_url(url).get_backend_name() == "sqlite":
        kept = sqlite.restore(copy, file_of(url))
        say(f"{name}: restored {copy.name}" + (f"; what was there is now {kept.name}" if kept else ""))
    else:
        postgres.restore(copy, url)
        say(f"{name}: restored {copy.name}")


def _missing(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite" and not file_of(url).exists()


def _holds_something(conn: Connection) -> bool:
    return inspect(conn).has_table("aggregates")


def _redo(layout: Layout, name: str, messages: Sequence[Message]) -> Redone:
    service = wiring(name)

    def work(conn: Connection) -> Redone:
        migrate(conn)  # the copy may be of an older release
        return redo(service, messages, conn)

    return _work(layout.databases[name], work)


def wiring(name: str) -> Service:
    """The wiring of the service, found by its package's name. Raises RecoveryError when that is not there."""
    for package in (name, f"{name}_service"):
        try:
            service = importlib.import_module(f"{package}.generated.wiring").SERVICE
        except ModuleNotFoundError:
            continue
        assert isinstance(service, Service)
        return service
    raise RecoveryError(f"the package of {name} is not installed here; a restore needs its code")


def _told(name: str, done: Redone) -> str:
    return (
        f"{name}: brought forward by {done.events} events, {done.steps} saga steps and {done.sagas} sagas; "
        f"{done.asked_again} commands are sent again"
    )


def _of(places: Mapping[str, Place], service: str) -> dict[str, Place]:
    return {name: place for name, place in places.items() if name.startswith(f"{service}-")}


def _work(url: str, work: Callable[[Connection], T]) -> T:
    db = Database(url, connections=1)
    try:
        return db.submit(work).result()
    finally:
        db.close()
