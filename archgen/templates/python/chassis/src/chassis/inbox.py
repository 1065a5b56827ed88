"""The inbox: each message takes effect once, however often it is delivered.

What a fetch brings is handled in one transaction together with the record that it was; only then
is it acknowledged. When one message spoils that transaction, each is handled again alone, so a
poison message costs its neighbours nothing; after its last attempt it becomes a dead letter.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from chassis import metrics
from chassis.bus import Delivery
from chassis.db import Database, unavailable
from chassis.errors import Refused
from chassis.messages import Malformed, Message
from chassis.tables import dead_letters, inbox
from chassis.uow import Session
from chassis.views import Early

log = logging.getLogger(__name__)
Handler = Callable[[Session, Message], None]


@dataclass(frozen=True)
class Attempts:
    """How often a message is tried: delays double from `first` to `longest` seconds.

    A message that came early is not at fault, and is given `patience` attempts instead.
    """

    limit: int = 6
    patience: int = 40
    first: float = 0.2
    longest: float = 30.0

    def delay(self, attempt: int) -> float:
        return float(min(self.first * 2 ** (attempt - 1), self.longest))


class Inbox:
    """Handles the deliveries of one consumer."""

    def __init__(
        self,
        consumer: str,
        handler: Handler,
        db: Database,
        attempts: Attempts | None = None,
        open_session: Callable[[Connection], Session] = Session,
    ) -> None:
        self.consumer = consumer
        self._open = open_session
        self._handler = handler
        self._db = db
        self._attempts = attempts or Attempts()

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Handle `deliveries` and settle each: acknowledged, to be retried, or a dead letter."""
        began = time.perf_counter()
        readable = []
        for delivery in deliveries:
            try:
                readable.append((delivery, Message.from_json(delivery.body, delivery.address)))
            except Malformed as error:
                await self._give_up(delivery, None, f"malformed: {error}")
        if not readable:
            return
        try:
            await self._handle([message for _, message in readable])
        except Exception as error:
            if len(readable) == 1:
                await self._failed(*readable[0], error)
            else:
                for delivery, message in readable:
                    await self._alone(delivery, message)
            return
        for delivery, _ in readable:
            await delivery.ack()
        metrics.messages_handled.labels(self.consumer, "done").inc(len(readable))
        metrics.message_seconds.labels(self.consumer).observe((time.perf_counter() - began) / len(readable))

    async def _alone(self, delivery: Delivery, message: Message) -> None:
        try:
            await self._handle([message])
        except Exception as error:
            await self._failed(delivery, message, error)
        else:
            await delivery.ack()
            metrics.messages_handled.labels(self.consumer, "done").inc()

    async def _handle(self, messages: list[Message]) -> None:
        session = await self._db.run(lambda conn: self._transact(conn, messages))
        for hook in session.after_commit:
            hook()

    def _transact(self, conn: Connection, messages: list[Message]) -> Session:
        fresh = record(conn, self.consumer, [message.id for message in messages])
        session = self._open(conn)
        session.sagas.prefetch([m.saga_id for m in messages if m.saga_id and m.id in fresh])
        for message in messages:
            if message.id in fresh:
                fresh.discard(message.id)  # the same message may be in one fetch twice
                self._handler(session, message)
        session.flush()
        return session

    async def _failed(self, delivery: Delivery, message: Message, error: Exception) -> None:
        early = isinstance(error, Early)
        limit = self._attempts.patience if early else self._attempts.limit
        final = isinstance(error, Refused | Malformed) or delivery.attempt >= limit
        fields = {"consumer": self.consumer, "message_id": message.id, "type": message.type}
        if unavailable(error) or not final:
            log.log(
                logging.DEBUG if early else logging.WARNING,
                "a message will be tried again",
                extra={**fields, "attempt": delivery.attempt, "reason": _reason(error)},
            )
            metrics.messages_handled.labels(self.consumer, "retried").inc()
            await delivery.retry(self._attempts.delay(delivery.attempt))
            return
        log.error("a message was given up", extra={**fields, "reason": _reason(error)}, exc_info=error)
        await self._give_up(delivery, message, _reason(error))

    async def _give_up(self, delivery: Delivery, message: Message | None, reason: str) -> None:
        """Keep the message for a person, with the reason, then take it off the queue."""
        letter = {
            "consumer": self.consumer,
            "message_id": message.id if message else "",
            "subject": delivery.address,
            "body": delivery.body.decode("utf-8", "backslashreplace").replace("\x00", "\\x00"),
            "reason": reason.replace("\x00", "\\x00"),
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
        metrics.messages_handled.labels(self.consumer, "dead").inc()
        metrics.dead_letters.labels(self.consumer).inc()
        await delivery.ack()


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


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:2000]
