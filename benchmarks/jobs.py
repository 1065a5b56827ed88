"""Jobs per second, and what is left of them when a worker is killed: the chassis and other queues."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks import environment
from benchmarks.process import result, say
from benchmarks.tables import Table

HERE = Path(__file__).parent
COUNT = 1_000
KILLED = 40


@dataclass(frozen=True)
class Contender:
    """`server` is what it needs besides files: `postgres`, `nats` or nothing."""

    title: str
    name: str
    server: str


CONTENDERS = (
    Contender("archgen, SQLite", "own", ""),
    Contender("archgen, PostgreSQL", "own", "postgres"),
    Contender("procrastinate, PostgreSQL", "procrastinate", "postgres"),
    Contender("huey, SQLite", "huey", ""),
    Contender("taskiq-nats, JetStream", "taskiq", "nats"),
    Contender("DBOS queue, SQLite", "dbos", ""),
)


def jobs(_folder: Path) -> Table:
    """Each in turn: many jobs with nothing to wait for, then a few slow ones with a `kill -9` in between."""
    python = environment.python()
    table = Table(
        "Jobs",
        (
            "queue",
            "enqueued per second",
            "done per second",
            "after kill -9: lost",
            "repeated",
            "all done after",
        ),
    )
    for contender in CONTENDERS:
        say(f"jobs: {contender.title}")
        command = [str(python), str(HERE / "load_jobs.py"), contender.name, "--server", contender.server]
        sizes = ["--count", str(COUNT), "--killed", str(KILLED)]
        src = {"PYTHONPATH": str(environment.CHASSIS / "src")}
        found = result([*command, *sizes], src)
        ended = "never" if found["lost"] else f"{found['seconds']:.1f} s"
        rates = f"{found['enqueued']:.0f}", f"{found['done']:.0f}"
        table.add(contender.title, *rates, f"{found['lost']:.0f}", f"{found['repeated']:.0f}", ended)
    table.notes.append(
        f"{COUNT} jobs that write one row durably, enqueued one by one in transactions of their own, then "
        f"done by one worker process with 32 slots. Then {KILLED} jobs of 0.2 s on 4 slots, the row written "
        "half-way; the worker is killed just after rows were written and again before the next ones, "
        "and each time another one starts at once. A worker that is gone is missed after 5 s where that "
        "can be set. PostgreSQL waits for the disk here as SQLite does."
    )
    return table
