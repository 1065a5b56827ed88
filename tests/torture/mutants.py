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
KEEP = "            self._conn.execute(insert(outbox).inline(), parameters(rows))\n"
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
    Mutant(
        "a job counts as done as soon as it is taken",
        STYLES,
        (
            (
                "jobs/queue.py",
                '            .values(status="running", token=token,',
                '            .values(status="done", token=token,',
            ),
        ),
    ),
    Mutant(
        "jobs are enqueued after the transaction that wants them",
        STYLES,
        (
            (
                "jobs/queue.py",
                "            write(self._conn, self._added)\n",
                "            import threading\n\n"
                "            engine, added = self._conn.engine, self._added\n\n"
                "            def later() -> None:\n"
                "                with engine.begin() as conn:\n"
                "                    write(conn, added)\n\n"
                "            threading.Timer(2.0, later).start()\n",
            ),
        ),
    ),
    Mutant(
        "every attempt at a job has a key of its own",
        STYLES,
        (
            (
                "jobs/definition.py",
                "    def key(self) -> str:\n        return self.id\n",
                "    def key(self) -> str:\n"
                "        from uuid import UUID, uuid5\n\n"
                "        later = self.attempt > 1\n"
                "        return str(uuid5(UUID(self.id), str(self.attempt))) if later else self.id\n",
            ),
        ),
    ),
    Mutant(
        "the jobs of a worker that is gone stay with it",
        STYLES,
        (
            (
                "jobs/queue.py",
                '("running", {"token": "", "error": WORKER_LOST})',
                '("nobody", {"token": "", "error": WORKER_LOST})',
            ),
        ),
    ),
    Mutant(
        "a job that failed for good is not kept",
        STYLES,
        (
            (
                "jobs/queue.py",
                '        {"status": "failed", "due_at": now, "finished_at": now}\n',
                '        {"status": "done", "due_at": now, "finished_at": now}\n',
            ),
        ),
    ),
    Mutant(
        "a rebuild does not keep up with what happens meanwhile",
        STYLES,
        (
            (
                "views.py",
                "            if building := self._of(view).building:\n",
                "            if (building := self._of(view).building) and not keys:\n",
            ),
            (
                "rebuild.py",
                '        """Show the new rows, all at once, and remove the old ones piece by piece."""\n',
                '        """Show the new rows, as late as with a long history."""\n'
                "        await asyncio.sleep(1.5)\n",
            ),
        ),
    ),
    Mutant(
        "which version the caller saw is not looked at",
        STYLES,
        (
            (
                "preconditions.py",
                "    if wanted is not None and ((found := version()) or creates):\n",
                "    if wanted is not None and ((found := version()) or creates) and not wanted:\n",
            ),
        ),
    ),
    Mutant(
        "a snapshot says that it is newer than it is",
        STYLES,
        (
            (
                "store.py",
                '                    "version": held.version,\n                    "fingerprint"',
                '                    "version": held.version + 1,\n                    "fingerprint"',
            ),
        ),
    ),
    Mutant(
        "a reader does not wait for what it has written",
        STYLES,
        (("freshness.py", "        if found.version >= version:\n", "        if found.version >= 0:\n"),),
    ),
)
