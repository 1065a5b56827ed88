"""Events appended per second, against the `eventsourcing` library; and projected again by a rebuild."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks import environment
from benchmarks.process import result, say
from benchmarks.tables import Table

ROUNDS = 3
REBUILT = 10_000  # orders of three events each

Command = Sequence[str | Path]


def events(folder: Path) -> Table:
    """Append: the two in turn, several times; the middle of each counts."""
    project = environment.project("one_order", folder)
    table = Table("Events appended", ("callers at once", "archgen", "`eventsourcing`", "ratio"))
    for callers in ("1", "50"):
        say(f"appending events, {callers} at once")
        pair = {
            name: project.script("load_events.py", what, "--threads", callers)
            for name, what in (("ours", "append"), ("theirs", "append-library"))
        }
        rates = _rates(pair, project.env, "events")
        ours, theirs = rates["ours events"], rates["theirs events"]
        table.add(callers, f"{ours:,.0f}", f"{theirs:,.0f}", f"{ours / theirs:.2f}")
    table.notes.append(
        "Per second, on SQLite; every commit waits for the disk, on both sides. An append is a "
        "transaction of its own that loads the aggregate first; callers that come at the same moment "
        "share one commit."
    )
    return table


def rebuilds(folder: Path) -> Table:
    """A view made again from nothing, against a loop that does no more than it must."""
    project = environment.project("one_order", folder)
    table = Table(
        "A view rebuilt", ("database", "events per second", "rows per second", "against a bare loop")
    )
    count = ["--count", str(REBUILT)]
    for name, more in (("SQLite", []), ("PostgreSQL", ["--postgres"])):
        say(f"rebuilding a view, {name}")
        command = {"ours": project.script("load_events.py", "project", *count, *more)}
        rates = _rates(command, project.env, "rebuild", "rows", "bare")
        table.add(
            name,
            f"{rates['ours rebuild']:,.0f}",
            f"{rates['ours rows']:,.0f}",
            f"{rates['ours rebuild'] / rates['ours bare']:.2f}",
        )
    table.notes.append(
        f"{REBUILT:,} orders of three events each. The bare loop reads the same events of the SQLite file "
        "in one query, parses their JSON, updates a dictionary and writes its rows in one transaction: no "
        "types, no pieces, nobody else who reads or writes meanwhile."
    )
    return table


def _rates(commands: Mapping[str, Command], env: Mapping[str, str], *measures: str) -> dict[str, float]:
    """The median of each measure, under the command's name and its own."""
    found: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            measured = result(command, env)
            for measure in measures:
                found.setdefault(f"{name} {measure}", []).append(measured[measure])
    return {key: median(values) for key, values in found.items()}
