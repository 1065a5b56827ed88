"""The transactional outbox: messages commit with the change that causes them.

Source: Chris Richardson, "Pattern: Transactional outbox", https://microservices.io/patterns/data/transactional-outbox.html
`relay` publishes what is written here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, insert

from chassis.messages import Message
from chassis.tables import outbox


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
        """Write the rows, in the order of `add`; returns how many."""
        rows = [
            {"message_id": m.id, "subject": m.address, "body": m.to_json(), "created_at": time.time()}
            for m in self._messages
        ]
        if rows:
            self._conn.execute(insert(outbox), rows)
        self._messages = []
        return len(rows)
