"""Runs the mutants: python -m tests.mutants [--only WORD ...] [--systems NAME ...] [--write]."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutants import report
from tests.mutants.model import BOTH, Mutation, Same
from tests.mutants.run import outcomes, projects
from tests.mutants.same import ALL as SAME
from tests.mutants.table import ALL


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 when something is missed, or an edit changes what it must not."""
    options = _parse(arguments)
    every: tuple[Mutation | Same, ...] = (*ALL, *SAME)
    chosen = [one for one in every if _wanted(one, options.only)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        roots = projects(Path(folder), options.systems)
        began = time.perf_counter()
        found = outcomes(chosen, roots, options.processes)
    took = time.perf_counter() - began
    for outcome in found:
        if outcome.problem:
            print(f"{outcome.system[:6]}  {outcome.item or 'same':<22}  {outcome.name}: {outcome.problem}"
                  f"  [{outcome.before} -> {outcome.after}; {' '.join(outcome.new)}]")  # fmt: skip
    print(report.summary(found), f"{took:.0f} s, {took / max(1, len(found)):.2f} s each.")
    if options.write:
        report.write(found)
    return 1 if any(outcome.problem for outcome in found) else 0


def _wanted(one: Mutation | Same, words: Sequence[str]) -> bool:
    about = f"{one.name} {one.item if isinstance(one, Mutation) else 'same'} {one.language}"
    return not words or any(word in about for word in words)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], help="parts of names, items or languages")
    parser.add_argument("--systems", nargs="+", choices=BOTH, default=BOTH)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="rewrite the table in docs/mutants.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
