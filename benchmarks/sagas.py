"""Three-step sagas per second: the generated system on SQLite and PostgreSQL, and DBOS, in one run."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from benchmarks import environment
from benchmarks.process import result, say
from benchmarks.tables import Table

ROUNDS = 3
COUNT = 1_500
DBOS_COUNT = 200
DBOS = "DBOS, SQLite"


def sagas(folder: Path) -> Table:
    """The three, in turn, several times; the middle of each counts."""
    project = environment.project("three_steps", folder)
    load = project.script("load_sagas.py", project.root, "--count", str(COUNT))
    contenders = {
        DBOS: project.script("load_dbos.py", "--count", str(DBOS_COUNT)),
        "archgen, SQLite": load,
        "archgen, PostgreSQL": [*load, "--postgres"],
    }
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(ROUNDS):
        for name, command in contenders.items():
            say(f"sagas, round {number + 1} of {ROUNDS}: {name}")
            rates[name].append(result(command, project.env)["sagas_per_second"])
    table = Table("Three-step sagas", ("what", "sagas per second", "lowest to highest", "against DBOS"))
    base = median(rates[DBOS])
    for name, found in rates.items():
        spread = f"{min(found):.0f} to {max(found):.0f}"
        table.add(name, f"{median(found):.0f}", spread, f"{median(found) / base:.1f}")
    table.notes.append(
        "The generated system is four services and the broker, each a process of its own, and the load "
        "comes over HTTP from a sixth one on the same two cores; every commit waits for the disk. DBOS runs "
        "the three steps in one process, each step writing one row durably, started from 50 threads."
    )
    return table
