"""`archgen checklist audit`: judge a project and say so."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from archgen import checklist, console
from archgen.commands.catalogue import rules_with
from archgen.errors import ArchgenError, Problem, relative
from archgen.reports import FORMATS
from archgen.reports.wording import compared, summary
from archgen.rules.model import Severity, Verdict
from archgen.triage.baseline import dump

OK, FINDINGS, INTERNAL, UNKNOWN = 0, 1, 3, 4
LEVELS = {"never": None, "error": Severity.ERROR, "warning": Severity.WARNING, "note": Severity.NOTE}
_SUFFIXES = {
    ".json": "json",
    ".sarif": "sarif",
    ".xml": "junit",
    ".md": "markdown",
    ".html": "html",
    ".txt": "table",
}


@dataclass(frozen=True)
class Wanted:
    """A report and where it goes: None is standard output."""

    format: str
    file: Path | None = None


def audit(
    path: Path,
    *,
    formats: Sequence[str] = (),
    output: Path | None = None,
    fail_on: str = "error",
    strict: bool = False,
    baseline: Path | None = None,
    write_baseline: Path | None = None,
    since: str = "",
    rules: Sequence[Path] = (),
    suppress: bool = True,
    out: TextIO | None = None,
) -> int:
    """Judge `path`, write the reports, and return the exit code.

    `formats` are names, or `name=file`; `output` is the file of the only one. What has no file goes to
    `out` (standard output when None). 0: nothing that decides is at or above `fail_on` (error, warning,
    note, never); 1: something is; 3: a rule crashed; 4: under `strict`, an item is unknown. With
    `write_baseline` findings do not decide: the file takes them. Raises ArchgenError for bad input.
    """
    wanted = _wanted(formats, output)
    if fail_on not in LEVELS:
        raise ArchgenError(Problem(f"unknown level {fail_on!r}", remedy=f"use one of {', '.join(LEVELS)}"))
    with console.progress("reading", None) as step:
        result = checklist.audit(
            path,
            rules=rules_with(rules),
            baseline=baseline,
            since=since,
            suppress=suppress,
            excerpts=any(w.format == "html" for w in wanted),
            step=step,
            workers=os.cpu_count() or 1,
        )
    for one in wanted:
        _report(one, result, out or sys.stdout)
    if write_baseline is not None:
        _write(write_baseline, dump(result.marks()))
        count = len(result.findings)
        console.say(
            f"{relative(write_baseline)}: {count} finding{'' if count == 1 else 's'} known from now on"
        )
    return code_of(result, None if write_baseline else LEVELS[fail_on], strict=strict)


def code_of(result: checklist.Audit, level: Severity | None, *, strict: bool = False) -> int:
    """The exit code of an audit; `level` is from where on findings decide, None for never."""
    verdicts = {item.verdict for item in result.items}
    if Verdict.ERROR in verdicts:
        return INTERNAL
    worst = result.worst()
    if level is not None and worst is not None and worst >= level:
        return FINDINGS
    return UNKNOWN if strict and Verdict.UNKNOWN in verdicts else OK


def _wanted(formats: Sequence[str], output: Path | None) -> list[Wanted]:
    """What to write where. Raises ArchgenError for an unknown format, and where two would share a place."""
    known = ("table", *FORMATS)
    wanted = []
    for text in formats:
        name, _, file = text.partition("=")
        if name not in known:
            raise ArchgenError(Problem(f"unknown format {name!r}", remedy=f"use one of {', '.join(known)}"))
        wanted.append(Wanted(name, Path(file) if file else None))
    if output is not None:
        if not wanted:
            name = _SUFFIXES.get(output.suffix.lower(), "")
            if not name:
                remedy = f"say which with --format: {', '.join(known)}"
                raise ArchgenError(Problem(f"{output.name} tells no format", remedy=remedy))
            wanted = [Wanted(name)]
        if len(wanted) > 1 or wanted[0].file is not None:
            raise ArchgenError(
                Problem("--output is for one format", remedy="write each as --format NAME=FILE")
            )
        wanted = [Wanted(wanted[0].format, output)]
    wanted = wanted or [Wanted("table")]
    places = [str(one.file) for one in wanted]
    if len(set(places)) < len(places):
        raise ArchgenError(
            Problem("two reports would go to the same place", remedy="give each a file: --format NAME=FILE")
        )
    return wanted


def _report(one: Wanted, result: checklist.Audit, out: TextIO) -> None:
    if one.file is not None:
        _write(one.file, _text(one.format, result))
        console.say(" ".join(filter(None, (f"{relative(one.file)}:", compared(result), summary(result)))))
    elif one.format == "table":
        _table(result, out)
    else:
        out.write(_text(one.format, result))


def _text(format: str, result: checklist.Audit) -> str:
    if format != "table":
        return FORMATS[format](result)
    from io import StringIO

    out = StringIO()
    _table(result, out)
    return out.getvalue()


def _table(result: checklist.Audit, out: TextIO) -> None:
    from rich.console import Console

    from archgen.reports import table

    width = None if out.isatty() else 100
    table.show(result, Console(file=out, highlight=False, soft_wrap=False, width=width))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise ArchgenError(Problem(f"cannot be written: {error.strerror}", file=str(path))) from error
