"""What a POST of an event-sourced order costs, against a bare FastAPI handler on the same database."""

from __future__ import annotations

from pathlib import Path

from benchmarks import environment
from benchmarks.process import result, say
from benchmarks.tables import Table

CONNECTIONS = 50
COUNT = 2_000
ROUNDS = 5


def posts(folder: Path) -> Table:
    """Both take turns, several times; the middle of each counts."""
    project = environment.project("one_order", folder)
    table = Table(
        "Orders posted",
        (
            "database",
            "generated, per second",
            "bare handler, per second",
            "ratio",
            "until projected, per second",
        ),
    )
    options = ["--count", str(COUNT), "--rounds", str(ROUNDS), "--connections", str(CONNECTIONS)]
    for name, more in (("SQLite", []), ("PostgreSQL", ["--postgres"])):
        say(f"posting orders, {name}")
        rates = result(project.script("load_posts.py", project.root, *options, *more), project.env)
        ours, bare, whole = rates["ours"], rates["bare"], rates["whole"]
        table.add(name, f"{ours:,.0f}", f"{bare:,.0f}", f"{ours / bare:.2f}", f"{whole:,.0f}")
    table.notes.append(
        f"{COUNT:,} posts over {CONNECTIONS} connections, then the same to the other one, {ROUNDS} times. "
        "Every commit waits for the disk, on both sides. The bare handler checks its body and inserts one "
        "row. The generated one decides, appends an event, writes the outbox and, while the load goes on, "
        "publishes what it wrote, consumes it again and projects it, all in the process that answers; the "
        "last column counts until that is done for the last order."
    )
    return table
