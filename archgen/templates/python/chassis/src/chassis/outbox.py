"""The transactional outbox: messages commit with the change that causes them.

Source: Chris Richardson, "Pattern: Transactional outbox", https://microservices.io/patterns/data/transactional-outbox.html
`relay` publishes what is written here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, insert

from chassis.db import parameters
from chassis.messages import Message
from chassis.tables import outbox

LARGEST = 1_000_000  # bytes; NATS takes 1 MiB with the headers


class Outbox:
    """Collects the messages of one transaction and writes them in one statement."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._messages: list[Message] = []

    def add(self, message: Message) -> None:
        self._messages.append(message)

    def deliver(self, handle: Callable[[Message], bool]) -> None:
        """Offer each message to `handle`, those too that this adds; what it takes is not sent out."""
        kept: list[Message] = []
        while self._messages:
            offered, self._messages = self._messages, []
            kept += [message for message in offered if not handle(message)]
        self._messages = kept

    def flush(self) -> int:
        """Write the rows, in the order of `add`; returns how many.

        Raises ValueError for a message that no broker would take: it could never leave the outbox,
        and would hold up all that come after it.
        """
        rows = [
            {"message_id": m.id, "subject": m.address, "body": _body(m), "created_at": time.time()}
            for m in self._messages
        ]
        if rows:
            self._conn.execute(insert(outbox).inline(), parameters(rows))
        self._messages = []
        return len(rows)


def _body(message: Message) -> str:
    body = message.to_json()
    if len(body) * 4 > LARGEST and len(body.encode()) > LARGEST:
        raise ValueError(f"a message of type {message.type!r} is larger than {LARGEST} bytes")
    return body
