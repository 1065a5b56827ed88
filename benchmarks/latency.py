"""How long a message takes from the outbox to its consumer, p50 and p99, under a moderate load."""

from __future__ import annotations

from pathlib import Path

from benchmarks import environment
from benchmarks.process import result, say
from benchmarks.tables import Table

RATE = 20  # orders per second
SECONDS = 20


def latency(folder: Path) -> Table:
    project = environment.project("three_steps", folder)
    table = Table(
        "From the outbox to the consumer",
        ("database", "messages", "p50, ms", "p99, ms", "longest, ms", "whole saga p50, ms", "p99, ms"),
    )
    for name, more in (("SQLite", []), ("PostgreSQL", ["--postgres"])):
        say(f"latency, {name}")
        options = ["--rate", str(RATE), "--seconds", str(SECONDS), *more]
        found = result(project.script("load_latency.py", project.root, *options), project.env)
        columns = ("p50", "p99", "longest", "saga_p50", "saga_p99")
        table.add(name, f"{found['messages']:,}", *(f"{1000 * found[column]:.0f}" for column in columns))
    table.notes.append(
        f"{RATE} orders a second, evenly spread over {SECONDS} s, each of which starts a saga of three steps "
        "over four services: six messages between services for each, through one broker, on the machine that "
        "also makes the load. A message's time runs from its creation, in the transaction that writes it to "
        "the outbox, to the transaction that handles it in the other service. A saga's time runs from the "
        "creation of its order to its last event."
    )
    return table
