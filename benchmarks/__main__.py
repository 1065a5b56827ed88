"""Runs every benchmark and rewrites docs/benchmarks.md between its marks: `make bench`."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import event_sourcing, generation, jobs, sagas
from benchmarks.tables import Table

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
ALL: dict[str, Callable[[Path], Table]] = {
    "startup": lambda _folder: generation.startup(),
    "shop": generation.shop,
    "scale": generation.scale,
    "sagas": sagas.sagas,
    "event_sourcing": event_sourcing.event_sourcing,
    "jobs": jobs.jobs,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "only", nargs="*", choices=[*ALL, []], help="which to run; all, and keep the results, without"
    )
    chosen = parser.parse_args().only
    tables = []
    for name in chosen or ALL:
        with tempfile.TemporaryDirectory(prefix="archgen-bench-") as folder:
            table = ALL[name](Path(folder)).markdown()
        print(table, flush=True)
        tables.append(table)
    if not chosen:
        keep("\n".join(tables))


def keep(results: str) -> None:
    """Put `results` into the document, with the machine they were measured on."""
    system = f"{platform.system()} {platform.machine()}"
    machine = f"{os.cpu_count()} cores, {system}, Python {platform.python_version()}"
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\nMeasured on {machine}.\n\n{results}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
