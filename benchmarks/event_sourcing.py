"""Events appended and projected per second, and what a POST of an event-sourced order costs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.generation import ARCHGEN
from benchmarks.tables import Table

HERE = Path(__file__).parent
ROUNDS = 3
REBUILT = 10_000  # orders of three events each


def event_sourcing(folder: Path) -> Table:
    """Every pair in turn, several times; the middle of each counts."""
    python, project = _project(folder)
    library = folder / "library"
    _run([sys.executable, "-m", "venv", str(library)])
    _run([str(library / "bin" / "python"), "-m", "pip", "install", "--quiet", "eventsourcing>=9.5,<10"])
    events, posts = str(HERE / "load_events.py"), [python, str(HERE / "load_posts.py"), str(project)]
    theirs = [str(library / "bin" / "python"), events, "append-library"]
    table = Table("Event sourcing", ("what", "per second", "compared with", "per second", "ratio"))
    for callers in ("1", "50"):
        pair = {
            "ours": [python, events, "append", "--threads", callers],
            "theirs": [*theirs, "--threads", callers],
        }
        _compare(table, f"events appended, {callers} at once", "`eventsourcing`", pair, "events")
    rates = _rates({"ours": [python, events, "project", "--count", str(REBUILT)]}, "rebuild", "bare")
    _add(table, "events projected by a rebuild, SQLite", rates["rebuild"], "a bare loop", rates["bare"])
    for name, more in (("SQLite", []), ("PostgreSQL", ["--postgres"])):
        pair = {"ours": [*posts, *more], "theirs": [*posts, *more, "--bare"]}
        _compare(table, f"orders posted, {name}", "a bare FastAPI handler", pair, "posts")
    table.notes.append(
        "Every commit waits for the disk, on both sides. An append is a transaction of its own that loads "
        "the aggregate first; callers that come at the same moment share one commit. The bare loop reads the "
        "same rows, parses JSON, updates a dictionary and writes. The bare handler checks its body and "
        "inserts one row; the generated one decides, appends, writes the outbox and, while the load goes on, "
        "publishes what it wrote, consumes it again and projects it, all in the process that answers."
    )
    return table


def _project(folder: Path) -> tuple[str, Path]:
    project = folder / "bench"
    spec = HERE / "systems" / "one_order.yaml"
    _run([*ARCHGEN, "architect", "run", str(spec), "--out", str(project), "--no-audit"])
    _run(["make", "-s", "-C", str(project), "setup", f"PYTHON={sys.executable}"])
    return str(project / ".venv" / "bin" / "python"), project


def _compare(table: Table, what: str, other: str, pair: Mapping[str, Sequence[str]], measure: str) -> None:
    rates = _rates(pair, measure)
    _add(table, what, rates[f"ours {measure}"], other, rates[f"theirs {measure}"])


def _rates(commands: Mapping[str, Sequence[str]], *measures: str) -> dict[str, float]:
    """The median of each measure, by the command's name and its own where there are several commands."""
    found: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            result = json.loads(_run(command).splitlines()[-1])
            for measure in measures:
                key = measure if len(commands) == 1 else f"{name} {measure}"
                found.setdefault(key, []).append(result[measure])
    return {key: median(values) for key, values in found.items()}


def _add(table: Table, what: str, ours: float, other: str, theirs: float) -> None:
    table.add(what, f"{ours:,.0f}", other, f"{theirs:,.0f}", f"{ours / theirs:.2f}")


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout
