"""`archgen architect run`: load, plan, render, merge, write, audit."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from archgen import console
from archgen.errors import relative
from archgen.files import File
from archgen.merge import is_text
from archgen.plan import plan
from archgen.project import Entry, Report, write
from archgen.reconcile import Action
from archgen.render import render
from archgen.spec import load

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


def run(
    spec: Path,
    out: Path | None = None,
    *,
    dry_run: bool = False,
    diff: bool = False,
    take: Collection[str] = (),
    audit: bool = True,
) -> int:
    """Brings the project in `out` (default: the folder of `spec`) to what `spec` says.

    Returns 0, or 1 when files need a human or the audit fails. Raises ArchgenError.
    """
    system = load(spec)
    target = out if out is not None else spec.parent
    files = [*render(plan(system)), *_descriptions(spec, target)]
    with console.progress("writing", len(files)) as step:
        report = write(target, files, dry_run=dry_run, own={spec.name}, take=take, progress=step)
    if diff:
        for entry in report.entries:
            console.out("".join(unified(entry)))
    _tell(report, target, dry_run)
    code = 1 if report.conflicts else 0
    if not dry_run and audit:
        code = max(code, _audit(target))
    if not dry_run:
        _next(report, target)
    return code


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


def _audit(target: Path) -> int:
    return 0


def _next(report: Report, target: Path) -> None:
    place = relative(target)
    go = "" if place == "." else f"cd {place} && "
    if report.conflicts:
        console.say()
        console.say(
            "Some files need you. Edit the places between <<<<<<< and >>>>>>>, or take archgen's version:"
        )
        console.say(f"  {_take(report.conflicts)}")
    elif (target / "Makefile").exists():
        console.say()
        console.say(f"Next: {go}make setup run")


def _take(entries: Sequence[Entry]) -> str:
    return "archgen architect run SPEC " + " ".join(f"--take {entry.path}" for entry in entries[:3])
