"""The inbox: each message takes effect once, however often it is delivered.

What a fetch brings is handled in one transaction together with the record that it was; only then
is it acknowledged. When one message spoils that transaction, each is handled again alone, so a
poison message costs its neighbours nothing; after its last attempt it becomes a dead letter. That
holds, too, for one that ends the process each time (see `quarantine`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from chassis import messaging, metrics, quarantine
from chassis.bus import Delivery
from chassis.db import Database, unavailable
from chassis.errors import Conflict, Refused
from chassis.messages import Malformed, Message
from chassis.tables import dead_letters, inbox
from chassis.uow import Session
from chassis.views import Early

log = logging.getLogger(__name__)
Handler = Callable[[Session, Message], None]
Foresee = Callable[[Session, Sequence[Message]], None]
REMEMBER = 10_000  # troubled messages whose failures are counted


@dataclass(frozen=True)
class Attempts:
    """How often a message is tried: delays double from `first` to `longest` seconds.

    A message that came early, or at the same moment as another, is not at fault and is given
    `patience` attempts instead, at most `soon` seconds apart: many may wait for the same one, each
    for the one before it, and so they come back together. While the database is away there is no limit.

    One that was delivered `trusted` times without a failure that is known here may have ended the process
    each time: it is handled alone from then on, and given up when it ended the process `alone` times.
    """

    limit: int = 6
    trusted: int = 3
    alone: int = 3
    patience: int = 1200
    first: float = 0.2
    soon: float = 1.0
    longest: float = 30.0

    def delay(self, attempt: int, blame: str = "message") -> float:
        longest = min(self.soon, self.longest) if blame == "order" else self.longest
        return float(min(self.first * 2 ** min(attempt - 1, 30), longest))


class Inbox:
    """Handles the deliveries of one consumer."""

    def __init__(
        self,
        consumer: str,
        handler: Handler,
        db: Database,
        attempts: Attempts | None = None,
        open_session: Callable[[Connection], Session] = Session,
        alone: asyncio.Lock | None = None,
        foresee: Foresee | None = None,
    ) -> None:
        """`alone` is held while a message is under suspicion: one for all consumers of a process.

        `foresee` reads at once what the messages of one transaction will need.
        """
        self.consumer = consumer
        self._quarantine = alone or asyncio.Lock()
        self._open = open_session
        self._handler = handler
        self._foresee = foresee or _nothing
        self._db = db
        self._attempts = attempts or Attempts()
        self._troubled: dict[str, Counter[str]] = {}
        # A series that begins with its first increment hides that one from `increase()`.
        metrics.dead_letters.labels(consumer)

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Handle `deliveries` and settle each: acknowledged, to be retried, or a dead letter."""
        began = time.perf_counter()
        readable = []
        for delivery in deliveries:
            try:
                readable.append((delivery, Message.from_json(delivery.body, delivery.address)))
            except Malformed as error:
                await self._give_up(delivery, None, f"malformed: {error}")
        # What waited for one message comes back in any order; of one aggregate, the first goes first.
        readable.sort(key=lambda one: one[1].version)
        suspicious = [each for each in readable if self._is_suspicious(*each)]
        await self._together([each for each in readable if each not in suspicious], began)
        for delivery, message in suspicious:
            await self._watched(delivery, message)

    async def _together(self, readable: Sequence[tuple[Delivery, Message]], began: float) -> None:
        if not readable:
            return
        try:
            await self._handle([message for _, message in readable])
        except Exception as error:
            for delivery, message in readable:
                if len(readable) == 1 or unavailable(error):
                    await self._failed(delivery, message, error)
                else:
                    await self._alone(delivery, message)
            return
        for delivery, message in readable:
            await self._done(delivery, message)
        metrics.messages_handled.labels(self.consumer, "done").inc(len(readable))
        metrics.message_seconds.labels(self.consumer).observe((time.perf_counter() - began) / len(readable))

    def _is_suspicious(self, delivery: Delivery, message: Message) -> bool:
        return delivery.attempt - 1 - self._known(message) >= self._attempts.trusted

    def _known(self, message: Message) -> int:
        return self._troubled[message.id].total() if message.id in self._troubled else 0

    async def _watched(self, delivery: Delivery, message: Message) -> None:
        """Handle a message that may end this process; when it has done so before, give it up."""
        name = self.consumer, message.id
        unknown = delivery.attempt - 1 - self._known(message)
        async with self._quarantine:
            try:
                ended = await self._db.run(lambda conn: quarantine.note(conn, *name))
            except Exception as error:
                await self._failed(delivery, message, error)
                return
            if ended >= self._attempts.alone:
                reason = f"the process ended {ended} times while it handled this message and no other"
                log.error("a message was given up", extra={**self._named(message), "reason": reason})
                await self._give_up(delivery, message, reason)
            else:
                await self._alone(delivery, message)
                if message.id in self._troubled:  # it failed, and we live: here, it is trusted again
                    self._troubled[message.id]["before"] += unknown
            await self._db.run(lambda conn: quarantine.acquit(conn, *name))

    async def _alone(self, delivery: Delivery, message: Message) -> None:
        try:
            await self._handle([message])
        except Exception as error:
            await self._failed(delivery, message, error)
        else:
            await self._done(delivery, message)
            metrics.messages_handled.labels(self.consumer, "done").inc()

    async def _done(self, delivery: Delivery, message: Message) -> None:
        self._troubled.pop(message.id, None)
        await delivery.ack()

    async def _handle(self, messages: list[Message]) -> None:
        session = await self._db.run(lambda conn: self._transact(conn, messages))
        for hook in session.after_commit:
            hook()

    def _transact(self, conn: Connection, messages: list[Message]) -> Session:
        fresh = record(conn, self.consumer, [message.id for message in messages])
        session = self._open(conn)
        self._foresee(session, [message for message in messages if message.id in fresh])
        verbose = log.isEnabledFor(logging.DEBUG)
        for message in messages:
            if message.id in fresh:
                fresh.discard(message.id)  # the same message may be in one fetch twice
                with messaging.handling(self.consumer, message):
                    self._handler(session, message)
                    if verbose:
                        log.debug("a message was handled", extra=self._named(message))
        session.flush()
        return session

    async def _failed(self, delivery: Delivery, message: Message, error: Exception) -> None:
        with messaging.concerning(message):
            await self._again_or_never(delivery, message, error)

    async def _again_or_never(self, delivery: Delivery, message: Message, error: Exception) -> None:
        blame = _blame(error)
        count = self._count(message, blame)
        limit = {"message": self._attempts.limit, "order": self._attempts.patience}.get(blame)
        final = isinstance(error, Refused | Malformed) or (limit is not None and count >= limit)
        fields = self._named(message)
        if not final:
            log.log(
                logging.DEBUG if blame == "order" else logging.WARNING,
                "a message will be tried again",
                extra={**fields, "attempt": delivery.attempt, "reason": _reason(error)},
            )
            metrics.messages_handled.labels(self.consumer, "retried").inc()
            await delivery.retry(self._attempts.delay(count, blame))
            return
        log.error("a message was given up", extra={**fields, "reason": _reason(error)}, exc_info=error)
        await self._give_up(delivery, message, _reason(error))

    def _named(self, message: Message) -> dict[str, str]:
        return {"consumer": self.consumer, "message_id": message.id, "type": message.type}

    def _count(self, message: Message, blame: str) -> int:
        """How often `message` has failed here for this reason, this time included.

        The broker's count is no measure of that: it grows, too, while the database is away and
        whenever this process dies.
        """
        counts = self._troubled.setdefault(message.id, Counter())
        counts[blame] += 1
        if len(self._troubled) > REMEMBER:
            # Another replica may have settled it: the oldest is the likeliest to be forgotten safely.
            del self._troubled[next(iter(self._troubled))]
        return counts[blame]

    async def _give_up(self, delivery: Delivery, message: Message | None, reason: str) -> None:
        """Keep the message for a person, with the reason, then take it off the queue."""
        letter = {
            "consumer": self.consumer,
            "message_id": message.id if message else "",
            "subject": delivery.address,
            "body": _storable(delivery.body),
            "reason": _storable(reason.encode("utf-8", "backslashreplace")),
            "attempts": delivery.attempt,
            "failed_at": time.time(),
        }

        def keep(conn: Connection) -> None:
            if message is None or record(conn, self.consumer, [message.id]):
                conn.execute(insert(dead_letters), [letter])

        try:
            await self._db.run(keep)
        except Exception as error:
            log.warning("a dead letter could not be written yet", extra={"reason": _reason(error)})
            await delivery.retry(self._attempts.longest)
            return
        if message is not None:
            self._troubled.pop(message.id, None)
        metrics.messages_handled.labels(self.consumer, "dead").inc()
        metrics.dead_letters.labels(self.consumer).inc()
        await delivery.ack()


def _nothing(_session: Session, _messages: Sequence[Message]) -> None:
    """Nothing is known of what these messages will need."""


def record(conn: Connection, consumer: str, message_ids: Sequence[str]) -> set[str]:
    """Note that these messages are handled now; returns those that were not before.

    On PostgreSQL a second replica with the same message waits here until the first commits.
    """
    insert_new: Any = sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert
    now = time.time()
    # Sorted, so that two replicas that share messages wait for each other and don't deadlock.
    rows = [{"consumer": consumer, "message_id": id, "handled_at": now} for id in sorted(set(message_ids))]
    statement = insert_new(inbox).on_conflict_do_nothing().returning(inbox.c.message_id)
    return set(conn.scalars(statement, rows))


def _blame(error: Exception) -> str:
    """What a failure lies in: the `database`, the `order` in which things happened, or the `message`."""
    if unavailable(error):
        return "database"
    return "order" if isinstance(error, Early | Conflict) else "message"


def _storable(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:2000]
