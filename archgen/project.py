"""The only module that writes a target folder: compares, merges, and changes it as a whole.

`survey` looks and decides, `write` also acts. What is decided per file is in
`archgen.reconcile`; how the changes become one indivisible step is in `archgen.staging`.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from archgen import base, staging
from archgen.base import FOLDER, Record
from archgen.errors import Problem, ProjectError
from archgen.files import File, parents, same_on_disk, tree
from archgen.lock import locked
from archgen.reconcile import Action, Decision, OnDisk, reconcile

# What may lie in a folder before archgen has ever written to it: what hosts, editors and git put there.
_HARMLESS = {".git", ".gitattributes", ".gitignore", ".editorconfig", ".idea", ".vscode", ".DS_Store",
             "LICENSE", "LICENSE.md", "LICENSE.txt", "README.md"}  # fmt: skip
_MERGED = (Action.MERGED, Action.CONFLICT)
_BOOKKEEPING = {
    ".gitignore": f"/{staging.STAGING}/\n/lock\n",
    # Never turned to CRLF; folded away in reviews, where the files themselves are shown anyway.
    ".gitattributes": f"{base.BASE} -text -diff linguist-generated\n",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened, or would happen, to one file. `before` and `after` are None for no file."""

    path: str
    action: Action
    note: str = ""
    before: bytes | None = None
    after: bytes | None = None
    executable: bool = False

    @property
    def changes(self) -> bool:
        return self.before != self.after or self.action is Action.UPDATED


@dataclass(frozen=True, slots=True)
class Report:
    """Every file that archgen knows of, sorted by path."""

    entries: tuple[Entry, ...]

    def of(self, *actions: Action) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.action in actions)

    @property
    def conflicts(self) -> tuple[Entry, ...]:
        """Files that a human has to look at; while there are any, the exit code is 1."""
        return self.of(Action.CONFLICT)

    @property
    def changes(self) -> tuple[Entry, ...]:
        """Files whose contents or mode on disk change."""
        return tuple(entry for entry in self.entries if entry.changes)


@dataclass(frozen=True, slots=True)
class _Survey:
    report: Report
    changes: tuple[staging.Change, ...]
    records: dict[str, Record]
    records_before: dict[str, Record]


def write(
    target: Path,
    files: Iterable[File],
    *,
    dry_run: bool = False,
    own: Collection[str] = (),
    take: Collection[str] = (),
    remember: bool = True,
    progress: Callable[[], None] = lambda: None,
) -> Report:
    """Brings `target` to `files` without losing what was edited there since the last time.

    `own` names entries that may lie in a folder new to archgen, such as the description itself.
    `take` lists paths where archgen's version replaces whatever is there. With `remember` false
    the files count as the user's own from the start. `progress` is called once per file written.

    Raises ProjectError when the target can't be written as asked; it is then as it was.
    """
    wanted = tree(files)
    _refuse_foreign(target, own)
    if dry_run:
        if staging.interrupted(target):
            raise ProjectError(
                Problem(
                    f"an earlier run in {target} was interrupted", remedy="run without --dry-run to finish it"
                )
            )
        return _survey(target, wanted, take, remember).report
    with _failing_gracefully(target), _opened(target):
        staging.settle(target)
        survey = _survey(target, wanted, take, remember)
        if not survey.changes and survey.records == survey.records_before and base.exists(target):
            return survey.report
        skipped = staging.apply(target, survey.changes, base.dump(survey.records), progress)
        return _with_skipped(survey.report, skipped)


def _refuse_foreign(target: Path, own: Collection[str]) -> None:
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise ProjectError(Problem(f"{target} is a file, not a folder", remedy="choose another folder"))
    try:
        names = {path.name for path in target.iterdir()}
    except OSError as error:
        raise ProjectError(Problem(f"{target} can't be read: {error.strerror}")) from error
    foreign = sorted(names - _HARMLESS - set(own))
    if foreign and FOLDER not in names:
        some = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
        raise ProjectError(
            Problem(
                f"{target} is not empty ({some}) and archgen did not make it",
                remedy="choose an empty folder or one that archgen made before",
            )
        )


@contextmanager
def _failing_gracefully(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = error.filename or target
        remedy = "make room or give permission, then run again; nothing was changed"
        if staging.interrupted(target):
            remedy = "part of the files could not be put back; mend the cause and run again to finish"
        reason = error.strerror or str(error)
        raise ProjectError(Problem(f"can't write {place}: {reason}", remedy=remedy)) from error


@contextmanager
def _opened(target: Path) -> Iterator[None]:
    """The target with archgen's folder in it, locked; on failure both are gone again if they were new."""
    fresh = not (target / FOLDER).exists()
    missing = [folder for folder in (target, *target.parents) if not folder.exists()]
    try:
        (target / FOLDER).mkdir(parents=True, exist_ok=True)
        with locked(target / FOLDER / "lock"):
            for name, text in _BOOKKEEPING.items():
                if not (target / FOLDER / name).exists():
                    (target / FOLDER / name).write_bytes(text.encode())
            yield
    except BaseException:
        if fresh and not staging.interrupted(target) and not base.exists(target):
            shutil.rmtree(target / FOLDER, ignore_errors=True)
            for folder in missing:
                with contextlib.suppress(OSError):
                    folder.rmdir()
        raise


def _survey(target: Path, wanted: Sequence[File], take: Collection[str], remember: bool) -> _Survey:
    new = {file.path: file for file in wanted}
    if unknown := sorted(set(take) - set(new)):
        close = difflib.get_close_matches(unknown[0], new, 1)
        remedy = f"did you mean {close[0]}?" if close else "take a path from the list that --dry-run prints"
        raise ProjectError(Problem(f"archgen does not write {unknown[0]}", remedy=remedy))
    before = _respelled(target, base.load(target), new)
    paths = sorted({*before, *new})
    staging.refuse_outside(target, paths)
    records: dict[str, Record] = {}
    entries: list[Entry] = []
    for path in paths:
        disk, file = _read(target / path), new.get(path)
        decision = _taken(file) if file and path in take else reconcile(before.get(path), disk, file)
        entries.append(_entry(path, _with_hint(decision, file, before.get(path)), disk))
        if file and decision.record and remember:
            records[path] = _record(before.get(path), file)
        elif path in before and (file or not remember):
            records[path] = before[path]
    changes = tuple(
        staging.Change(entry.path, entry.after, entry.executable, entry.before, entry.action in _MERGED)
        for entry in entries
        if entry.changes
    )
    _refuse_obstacles(target, changes)
    return _Survey(Report(tuple(entries)), changes, records, base.load(target))


def _respelled(target: Path, before: dict[str, Record], new: dict[str, File]) -> dict[str, Record]:
    """The base with paths as the new files spell them, where the disk can't tell two spellings apart."""
    spelling = {same_on_disk(path): path for path in new}
    found: dict[str, Record] = {}
    for path, record in before.items():
        now = spelling.get(same_on_disk(path), path)
        if now != path and now not in before:
            with contextlib.suppress(OSError):
                if (target / path).samefile(target / now):
                    path = now
        found[path] = record
    return found


def _read(path: Path) -> OnDisk | None:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(status.st_mode):
        return OnDisk(b"", link=True)
    if not stat.S_ISREG(status.st_mode):
        return None
    executable = None if os.name == "nt" else bool(status.st_mode & stat.S_IXUSR)
    return OnDisk(path.read_bytes(), executable)


def _taken(file: File) -> Decision:
    return Decision(Action.UPDATED, file.contents, file.executable, "archgen's version, as asked")


def _with_hint(decision: Decision, file: File | None, before: Record | None) -> Decision:
    """Says of an edit in a generated file that there is a better place for it."""
    edited = decision.action in (Action.KEPT, Action.MERGED, Action.CONFLICT)
    if not (edited and before and file and file.kind == "generated"):
        return decision
    hint = "generated: better change the description"
    return replace(decision, note=f"{decision.note}; {hint}" if decision.note else hint)


def _entry(path: str, decision: Decision, disk: OnDisk | None) -> Entry:
    before = None if disk is None or disk.link else disk.contents
    keeps = decision.action in (Action.KEPT, Action.LEFT, Action.UNCHANGED)
    after = before if keeps else decision.contents
    return Entry(path, decision.action, decision.note, before, after, decision.executable)


def _record(before: Record | None, file: File) -> Record:
    """The old record where nothing changed, because packing may differ between machines."""
    if before and before.digest == base.digest(file.contents):
        return replace(before, executable=file.executable)
    return Record.of(file.contents, file.executable)


def _refuse_obstacles(target: Path, changes: Sequence[staging.Change]) -> None:
    """Raises ProjectError where a file stands in the place of a folder, or a folder in that of a file."""
    gone = {change.path for change in changes if change.contents is None}
    problems: dict[str, Problem] = {}
    solid: set[str] = set()
    for change in changes:
        if change.contents is None:
            continue
        for folder in parents(change.path):
            if folder in solid or folder in gone:
                continue
            if os.path.lexists(target / folder) and not (target / folder).is_dir():
                problems[folder] = Problem(
                    f"{target / folder} is a file, and archgen needs a folder there", remedy="move it away"
                )
            solid.add(folder)
        if change.before is None and os.path.lexists(target / change.path):
            inside = [path for path in gone if path.startswith(f"{change.path}/")]
            if not _only(target / change.path, {target / path for path in inside}):
                problems[change.path] = Problem(
                    f"{target / change.path} is not a file, and archgen writes one there",
                    remedy="move it away",
                )
    if problems:
        raise ProjectError(*problems.values())


def _only(folder: Path, files: set[Path]) -> bool:
    """Whether `folder` holds nothing but `files`, so that it goes when they go."""
    if not files or not folder.is_dir() or folder.is_symlink():
        return False
    return all(Path(root) / name in files for root, _, names in os.walk(folder) for name in names)


def _with_skipped(report: Report, skipped: Collection[str]) -> Report:
    if not skipped:
        return report
    note = "you changed it while archgen was running: run again to merge"

    def told(entry: Entry) -> Entry:
        late = entry.path in skipped
        return replace(entry, action=Action.CONFLICT, note=note, after=entry.before) if late else entry

    return Report(tuple(map(told, report.entries)))
