"""docs/benchmarks.md: each table between marks of its own, so that one can be measured again alone."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def keep(name: str, table: str, document: Path = DOCUMENT) -> None:
    """Put `table` in the place of what stands between the marks. Raises ValueError where there are none."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    text = document.read_text("utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{document.name} has no place for the table of {name!r}")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    kept = f"{before}{begin}\n\n{table.strip()}\n\n{_measured()}\n\n{end}{after}"
    document.write_text(kept, "utf-8")


def _measured() -> str:
    system = f"{platform.system()} {platform.machine()}"
    return (
        f"Measured on {time.strftime('%Y-%m-%d')}: {os.cpu_count()} cores, {system}, "
        f"Python {platform.python_version()}."
    )
