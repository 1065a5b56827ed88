"""`archgen checklist audit`: judge a project and say so."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from rich.console import Console

from archgen import checklist
from archgen.errors import ArchgenError, Problem
from archgen.reports import FORMATS, table
from archgen.rules.model import Severity, Verdict

OK, FINDINGS, INTERNAL, UNKNOWN = 0, 1, 3, 4
_LEVELS = {"never": None, "error": Severity.ERROR, "warning": Severity.WARNING, "note": Severity.NOTE}


def audit(
    path: Path,
    *,
    format: str = "table",
    fail_on: str = "error",
    strict: bool = False,
    out: TextIO | None = None,
) -> int:
    """Write the audit of `path` to `out` (standard output when None) and return the exit code.

    0: nothing at or above `fail_on` (error, warning, note, never); 1: something; 3: a rule crashed;
    4: under `strict`, an item is unknown. A failed item counts as an error. Raises ArchgenError for
    bad input.
    """
    out = out or sys.stdout
    if format not in ("table", *FORMATS):
        raise ArchgenError(
            Problem(f"unknown format {format!r}", remedy=f"use one of table, {', '.join(FORMATS)}")
        )
    if fail_on not in _LEVELS:
        raise ArchgenError(Problem(f"unknown level {fail_on!r}", remedy=f"use one of {', '.join(_LEVELS)}"))
    result = checklist.audit(path)
    if format == "table":
        table.show(
            result, Console(file=out, highlight=False, soft_wrap=False, width=None if out.isatty() else 100)
        )
    else:
        out.write(FORMATS[format](result))
    return _code(result, _LEVELS[fail_on], strict)


def _code(result: checklist.Audit, level: Severity | None, strict: bool) -> int:
    verdicts = {item.verdict for item in result.items}
    if Verdict.ERROR in verdicts:
        return INTERNAL
    worst = result.worst()
    if level is not None and worst is not None and worst >= level:
        return FINDINGS
    return UNKNOWN if strict and Verdict.UNKNOWN in verdicts else OK
