"""`archgen architect run`: load, plan, render, merge, write, audit."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Collection, Iterator
from pathlib import Path

from archgen import console
from archgen.base import load
from archgen.contracts import numbers_path
from archgen.contracts.proto_numbers import Numbers, loads
from archgen.errors import Problem, ProjectError, SpecError, relative
from archgen.files import File
from archgen.merge import is_text
from archgen.plan import plan
from archgen.project import Entry, Report, write
from archgen.reconcile import Action
from archgen.render import render
from archgen.spec import load_with_marks
from archgen.spec.analysis import analyse
from archgen.spec.calls import over_grpc
from archgen.spec.findings import require
from archgen.spec.model import System

SPEC_NAME = "system.yaml"

_STYLES = {
    Action.CONFLICT: ("red", "bold"),
    Action.CREATED: ("green",),
    Action.UPDATED: ("green",),
    Action.MERGED: ("green",),
    Action.REMOVED: ("yellow",),
    Action.LEFT: ("yellow",),
    Action.KEPT: ("blue",),
    Action.ABSENT: ("blue",),
}
# More files of one kind than this are counted, not listed, unless --verbose or --dry-run asks.
_FEW = 12
_CRASHED = 3


def run(
    spec: Path,
    out: Path | None = None,
    *,
    dry_run: bool = False,
    diff: bool = False,
    take: Collection[str] = (),
    fail_on: str = "error",
    audit: bool = True,
) -> int:
    """Brings the project in `out` (default: the folder of `spec`) to what `spec` says.

    Returns 0, or 1 when the description has errors that `check` finds, when files need a human,
    or when the audit finds something at or above the level `fail_on`, and 3 when a rule of it crashed.
    Raises ArchgenError.
    """
    system, document = load_with_marks(spec)
    analysis = analyse(system)
    try:
        findings = require(system, document, analysis)
    except SpecError as error:
        for problem in error.problems:
            console.problem(problem)
        return 1
    target = out if out is not None else spec.parent
    files = [*render(plan(system, _numbers(system, target))), *_descriptions(spec, target)]
    with console.progress("writing", len(files)) as step:
        report = write(target, files, dry_run=dry_run, own={spec.name}, take=take, progress=step)
    if diff:
        for entry in report.entries:
            console.out("".join(unified(entry)))
    _tell(report, target, dry_run)
    if warnings := sum(finding.severity == "warning" for finding in findings):
        some = "1 warning" if warnings == 1 else f"{warnings} warnings"
        console.say(f"{some} about the description: archgen architect check {relative(spec)}")
    code = 1 if report.conflicts else 0
    if dry_run:
        return code
    if audit:
        code = max(code, _audit(target, fail_on))
    _next(report, spec, target)
    return code


def _numbers(system: System, target: Path) -> dict[str, Numbers]:
    """The numbers that fields were given before. Raises ProjectError when they are lost or damaged."""
    found: dict[str, Numbers] = {}
    absent: list[str] = []
    for service in system.services:
        path = numbers_path(system, service)
        if (target / path).is_file():
            found[service] = loads((target / path).read_text("utf-8", "replace"), path)
        elif over_grpc(system, service):
            absent.append(path)
    if lost := absent and [path for path in absent if path in load(target)]:
        remedy = "restore it from version control; without it, fields would get other numbers"
        raise ProjectError(*(Problem("it is missing", path, remedy=remedy) for path in lost))
    return found


def _descriptions(spec: Path, target: Path) -> Iterator[File]:
    """The description belongs to the project. One that is already there stays as it is."""
    inside = _same(spec.parent, target)
    if not inside:
        yield File(SPEC_NAME, spec.read_bytes())
        return
    yield File(spec.name, spec.read_bytes())
    other = target / SPEC_NAME
    if other.is_file() and not _same(other, spec):
        yield File(SPEC_NAME, other.read_bytes())


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def unified(entry: Entry) -> Iterator[str]:
    """The change of one file as a unified diff, nothing where nothing changes."""
    before, after = entry.before, entry.after
    if before == after:
        return
    old = "/dev/null" if before is None else f"a/{entry.path}"
    new = "/dev/null" if after is None else f"b/{entry.path}"
    if not is_text(before or b"") or not is_text(after or b""):
        yield f"Binary files {old} and {new} differ\n"
        return
    for line in difflib.unified_diff(_lines(before), _lines(after), old, new):
        yield line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def _lines(contents: bytes | None) -> list[str]:
    return (contents or b"").decode(errors="backslashreplace").splitlines(keepends=True)


def _tell(report: Report, target: Path, dry_run: bool) -> None:
    everything = dry_run or console.verbose()
    for action in Action:
        entries = report.of(action)
        if not entries or action is Action.UNCHANGED:
            continue
        if len(entries) > _FEW and not everything and action is not Action.CONFLICT:
            console.say(f"{_label(action)} {len(entries)} files")
            continue
        for entry in entries:
            note = console.paint(f"  ({entry.note})", "dim") if entry.note else ""
            console.say(f"{_label(action)} {entry.path}{note}")
    counts = [f"{len(report.of(action))} {action}" for action in Action if report.of(action)]
    verb = "would be in" if dry_run else "in"
    console.say(f"{len(report.entries)} files {verb} {relative(target)}: {', '.join(counts)}")


def _label(action: Action) -> str:
    return console.paint(f"{action:>9}", *_STYLES[action])


def _audit(target: Path, fail_on: str) -> int:
    """A line per verdict and the score; the whole audit is a command of its own."""
    from archgen import checklist
    from archgen.reports.wording import summary
    from archgen.rules.model import Severity, Verdict

    result = checklist.audit(target)
    console.say()
    for verdict in dict.fromkeys(item.verdict for item in result.items):
        titles = [item.title.lower() for item in result.items if item.verdict is verdict]
        console.say(f"{verdict.value.replace('_', ' '):>14}  {', '.join(titles)}")
    console.say(f"{summary(result)}  archgen checklist audit {relative(target)}")
    # a failed item does not count: a description may leave a pattern out, and that is its right
    level = Severity[fail_on.upper()] if fail_on != "never" else None
    counted = [f for f in result.findings if level is not None and f.decides and f.severity >= level]
    for finding in counted[:_FEW]:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        console.say(console.printable(f"{finding.severity!s:>14}  {finding.rule} {place}: {finding.message}"))
    crashed = any(item.verdict is Verdict.ERROR for item in result.items)
    return _CRASHED if crashed else int(bool(counted))


def _next(report: Report, spec: Path, target: Path) -> None:
    console.say()
    if report.conflicts:
        some = " ".join(f"--take {shlex.quote(entry.path)}" for entry in report.conflicts[:3])
        console.say("Some files need you: edit the places between <<<<<<< and >>>>>>>,")
        console.say(f"or take archgen's version: archgen architect run {relative(spec)} {some}")
        return
    place = relative(target)
    if (target / "Makefile").exists():
        console.say("Next: " + ("" if place == "." else f"cd {place} && ") + "make setup run")
