"""Runs benchmarks and rewrites their tables in docs/benchmarks.md: `make bench`, `make bench ONLY=posts`.

Each table is measured by a process of its own, within a time of its own. One that fails or takes too long
keeps its old table, and those after it are measured all the same.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import audit_speed, document, events, generation, jobs, latency, posts, sagas
from benchmarks.process import say
from benchmarks.tables import Table


@dataclass(frozen=True)
class Benchmark:
    """`run` measures, in a folder of its own; `limit` is how many seconds it may take on a slow machine."""

    run: Callable[[Path], Table]
    limit: float


ALL = {
    "startup": Benchmark(lambda _folder: generation.startup(), 120),
    "shop": Benchmark(generation.shop, 240),
    "scale": Benchmark(generation.scale, 600),
    "posts": Benchmark(posts.posts, 300),
    "events": Benchmark(events.events, 300),
    "rebuilds": Benchmark(events.rebuilds, 300),
    "latency": Benchmark(latency.latency, 300),
    "sagas": Benchmark(sagas.sagas, 600),
    "jobs": Benchmark(jobs.jobs, 600),
    "audit": Benchmark(audit_speed.speed, 900),
    "audit_growth": Benchmark(audit_speed.growth, 300),
}
TIDYING = 20.0  # seconds for what is stopped to stop what it started


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 when a table could not be measured."""
    options = _parse(arguments)
    if options.here:
        print(ALL[options.only[0]].run(Path.cwd()).markdown())
        return 0
    failed = []
    for name in options.only or ALL:
        say(f"{name} (at most {ALL[name].limit / 60:.0f} minutes)")
        began = time.monotonic()
        table = measured(name, ALL[name].limit)
        if table is None:
            failed.append(name)
            continue
        print(f"{table}\nmeasured in {time.monotonic() - began:.0f} s\n", flush=True)
        if not options.dry_run:
            document.keep(name, table)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def measured(name: str, limit: float) -> str | None:
    """The table, as Markdown; None when it failed, which is then told."""
    with tempfile.TemporaryDirectory(prefix="archgen-bench-") as folder:
        here = Path(__file__).parent.parent
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks", name, "--here"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(here)},
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            say(f"{name} takes longer than {limit:.0f} s and is stopped")
            return None
        finally:
            end(process)
    return output if process.returncode == 0 else None


def end(process: subprocess.Popen[str]) -> None:
    """Stop it and everything that it started and that is still there."""
    for how, patience in ((signal.SIGTERM, TIDYING), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
            while time.monotonic() < deadline:
                process.poll()
                os.killpg(process.pid, 0)
                time.sleep(0.05)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "only", nargs="*", metavar="TABLE", help=f"which to measure, of {', '.join(ALL)}; all"
    )
    parser.add_argument("--dry-run", action="store_true", help="leave docs/benchmarks.md as it is")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if unknown := set(options.only) - ALL.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(ALL)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
