"""Breaks a generated shop on purpose, one pattern at a time, and sees whether torture notices.

    python -m tests.torture.mutation [--only NAME …]     (archgen's Python)

Crash windows are narrow, so a mutant that one seed misses is tried with more seeds before it counts
as missed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.torture.campaign import Project, leave_in_order, outcome, project
from tests.torture.mutants import MUTANTS, Mutant
from tests.torture.shop import STYLES


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 when a mutant went unnoticed."""
    options = _parse(arguments)
    leave_in_order()
    missed = 0
    with tempfile.TemporaryDirectory(prefix="torture-mutants-") as folder:
        for style in options.styles:
            shop = project(Path(folder) / style, style)
            for mutant in MUTANTS:
                if style in mutant.styles and any(name in mutant.name for name in options.only or [""]):
                    missed += not _noticed(shop, mutant, Path(folder) / "mutant", options)
    return 1 if missed else 0


def _noticed(shop: Project, mutant: Mutant, root: Path, options: argparse.Namespace) -> bool:
    for seed in options.seeds:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(shop.root, root)
        mutant.apply(root)
        result = root / "result.json"
        with (root / "output.txt").open("w", encoding="utf-8") as output:
            run = Project(root, shop.style, shop.python).torture(
                result,
                *("--seed", str(seed), "--orders", str(options.orders), "--seconds", str(options.seconds)),
                *("--patience", "45"),
                output=output,
            )
            try:
                code = run.wait(timeout=600)
            finally:
                run.terminate()
                run.wait()
        told = (root / "output.txt").read_text("utf-8")
        if code == 1 and result.exists():
            # That a process ended badly says nothing about the pattern.
            broken = [rule for rule in outcome(result)["broken"] if rule != "processes"]
            if broken:
                print(
                    f"noticed  {shop.style:<14} {mutant.name} (seed {seed}): {', '.join(broken)}", flush=True
                )
                return True
            print(told[-3000:], file=sys.stderr)
        elif code:
            print(told[-3000:], file=sys.stderr)
            raise SystemExit(f"{mutant.name}: the run could not be carried out")
    print(f"MISSED   {shop.style:<14} {mutant.name} (seeds {options.seeds})", flush=True)
    return False


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.mutation", description=__doc__)
    parser.add_argument("--styles", nargs="+", choices=STYLES, default=STYLES)
    parser.add_argument("--only", nargs="+", help="parts of the names of mutants")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=40.0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
