"""Ways to get a pattern of the chassis wrong, each an edit that the torture run must notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.torture.shop import STYLES

CHASSIS = Path("chassis/python/src/chassis")


@dataclass(frozen=True)
class Mutant:
    """`edits` are (file of the chassis, what is there exactly once, what it becomes)."""

    name: str
    styles: tuple[str, ...]
    edits: tuple[tuple[str, str, str], ...]

    def apply(self, root: Path) -> None:
        """Edit the project in `root`. Raises ValueError when the chassis no longer reads like this."""
        for file, old, new in self.edits:
            path = root / CHASSIS / file
            text = path.read_text("utf-8")
            if text.count(old) != 1:
                raise ValueError(f"{self.name}: {file} has changed; mend the mutant")
            path.write_text(text.replace(old, new), "utf-8")


ORCHESTRATED = STYLES[:1]
KEEP = "            self._conn.execute(insert(outbox), rows)\n"
READ = "        rows = await self._db.read(_oldest)\n"
PUBLISH = (
    "            await self._bus.publish("
    "[Outgoing(r.message_id, r.subject, r.body.encode()) for r in rows])\n"
)
REMOVE = "            await self._db.run(lambda conn: _remove(conn, rows))\n"
MUTANTS = (
    Mutant(
        "the inbox keeps no record",
        STYLES,
        (
            (
                "inbox.py",
                "        fresh = record(conn, self.consumer, [message.id for message in messages])\n",
                "        fresh = {message.id for message in messages}\n",
            ),
        ),
    ),
    Mutant(
        "the inbox records in a transaction of its own, before the effect",
        STYLES,
        (
            (
                "inbox.py",
                "        session = await self._db.run(lambda conn: self._transact(conn, messages))\n",
                "        ids = [message.id for message in messages]\n"
                "        fresh = await self._db.run(lambda conn: record(conn, self.consumer, ids))\n"
                "        new = [message for message in messages if message.id in fresh]\n"
                "        session = await self._db.run(lambda conn: self._transact(conn, new))\n",
            ),
            (
                "inbox.py",
                "        fresh = record(conn, self.consumer, [message.id for message in messages])\n",
                "        fresh = {message.id for message in messages}\n",
            ),
        ),
    ),
    Mutant(
        "messages are acknowledged before they are handled",
        STYLES,
        (
            (
                "inbox.py",
                "        try:\n            await self._handle([message for _, message in readable])\n",
                "        for delivery, _ in readable:\n            await delivery.ack()\n"
                "        try:\n            await self._handle([message for _, message in readable])\n",
            ),
        ),
    ),
    Mutant(
        "no outbox: messages wait in memory, and may leave before the commit",
        STYLES,
        (
            ("outbox.py", KEEP, "            WAITING.extend(rows)\n"),
            ("outbox.py", "class Outbox:\n", "WAITING: list[dict[str, object]] = []\n\n\nclass Outbox:\n"),
            (
                "relay.py",
                READ,
                "        from types import SimpleNamespace\n        from chassis.outbox import WAITING\n"
                "        taken = [WAITING.pop(0) for _ in range(len(WAITING))]\n"
                "        rows = [SimpleNamespace(position=0, **row) for row in taken]\n",
            ),
        ),
    ),
    Mutant(
        "the outbox forgets a message before it is published",
        STYLES,
        (
            ("relay.py", REMOVE, ""),
            ("relay.py", PUBLISH, REMOVE + PUBLISH),
        ),
    ),
    Mutant(
        "half a transaction: the state commits, its messages are written after that",
        STYLES,
        (
            ("outbox.py", KEEP, "            WAITING.extend(rows)\n"),
            ("outbox.py", "class Outbox:\n", "WAITING: list[dict[str, object]] = []\n\n\nclass Outbox:\n"),
            (
                "relay.py",
                READ,
                "        from sqlalchemy import insert\n        from chassis.outbox import WAITING\n"
                "        taken = [WAITING.pop(0) for _ in range(len(WAITING))]\n        if taken:\n"
                "            await self._db.run(lambda conn: conn.execute(insert(outbox), taken))\n" + READ,
            ),
        ),
    ),
    Mutant(
        "a request made again is carried out again",
        STYLES,
        (
            (
                "idempotency.py",
                "    if key is None:\n        return act()\n    if stored",
                "    if key is not None or key is None:\n        return act()\n    if stored",
            ),
        ),
    ),
    Mutant(
        "a view takes an event although an earlier one is missing",
        STYLES,
        (
            (
                "views.py",
                "        if message.version > version + 1:\n",
                "        if message.version > version + 1000:\n",
            ),
        ),
    ),
    Mutant(
        "compensation in forward order",
        ORCHESTRATED,
        (
            (
                "saga/state.py",
                "    for index in reversed(range(len(saga.steps))):\n",
                "    for index in range(len(saga.steps)):\n",
            ),
        ),
    ),
    Mutant(
        "a step whose outcome is unknown is not undone",
        ORCHESTRATED,
        (
            (
                "saga/state.py",
                'instance.outcomes.get(key) in ("done", "unknown")',
                'instance.outcomes.get(key) in ("done",)',
            ),
        ),
    ),
    Mutant(
        "every step is undone, also those that were refused",
        ORCHESTRATED,
        (
            (
                "saga/state.py",
                'instance.outcomes.get(key) in ("done", "unknown")',
                'instance.outcomes.get(key) in ("done", "unknown", "refused")',
            ),
        ),
    ),
    Mutant(
        "a participant does not remember its steps",
        ORCHESTRATED,
        (
            (
                "saga/participant.py",
                "        session.steps.save(message.saga_id, message.saga_step, state, reply)\n",
                "        session.steps.save(message.saga_id, message.saga_step + message.id, state, reply)\n",
            ),
        ),
    ),
    Mutant(
        "a late command is carried out although it was undone",
        ORCHESTRATED,
        (
            (
                "saga/participant.py",
                '    elif known and known.state == "undone":\n',
                '    elif known and known.state == "undone" and not ('
                "_run(use_case, session, origin, message)):\n",
            ),
        ),
    ),
    Mutant(
        "an undo of what was never seen leaves no mark",
        ORCHESTRATED,
        (
            (
                "saga/participant.py",
                "    if known is None or known.state != state:\n",
                '    if known.state != state if known else message.saga_phase == "do":\n',
            ),
        ),
    ),
    Mutant(
        "an undo answered late is not heard",
        ORCHESTRATED,
        (
            (
                "saga/state.py",
                '    if phase == "undo" and done and instance.outcomes.get(step) == "undo_failed":\n',
                '    if phase == "never" and done and instance.outcomes.get(step) == "undo_failed":\n',
            ),
        ),
    ),
)
