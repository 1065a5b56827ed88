"""Three-step sagas per second: the generated system on SQLite and PostgreSQL, and DBOS, in one run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.generation import ARCHGEN
from benchmarks.tables import Table

HERE = Path(__file__).parent
ROUNDS = 3
DBOS_COUNT = 300


def sagas(folder: Path) -> Table:
    """The three, in turn, several times; the middle of each counts."""
    project = folder / "bench"
    spec = HERE / "systems" / "three_steps.yaml"
    _run([*ARCHGEN, "architect", "run", str(spec), "--out", str(project), "--no-audit"])
    _run(["make", "-s", "-C", str(project), "setup", f"PYTHON={sys.executable}"])
    python = str(project / ".venv" / "bin" / "python")
    dbos = folder / "dbos"
    _run([sys.executable, "-m", "venv", str(dbos)])
    _run([str(dbos / "bin" / "python"), "-m", "pip", "install", "--quiet", "dbos>=3.4,<4"])
    load = [python, str(HERE / "load_sagas.py"), str(project)]
    contenders: dict[str, Sequence[str]] = {
        "DBOS, SQLite": [
            str(dbos / "bin" / "python"),
            str(HERE / "load_dbos.py"),
            "--count",
            str(DBOS_COUNT),
        ],
        "archgen, SQLite": load,
        "archgen, PostgreSQL": [*load, "--postgres"],
    }
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, command in contenders.items():
            rates[name].append(json.loads(_run(command).splitlines()[-1])["sagas_per_second"])
    table = Table("Three-step sagas", ("what", "sagas per second", "lowest to highest", "against DBOS"))
    base = median(rates["DBOS, SQLite"])
    for name, found in rates.items():
        spread = f"{min(found):.0f} to {max(found):.0f}"
        table.add(name, f"{median(found):.0f}", spread, f"{median(found) / base:.1f}")
    table.notes.append(
        "The generated system is four services and the broker, each a process of its own, and the load "
        "comes over HTTP from a sixth one on the same two cores; every commit waits for the disk. DBOS runs "
        "the three steps in one process, each step writing one row durably, started from 50 threads."
    )
    return table


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout
