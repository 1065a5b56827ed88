"""A set of changes to a folder, all or nothing, also when the process is killed in between.

Everything is written below `.archgen/staging` first: new contents, copies of what they replace,
the new base. Renaming the journal into place is the moment of decision. Before it, the target
is as it was; from it on, the changes are finished, now or at the start of the next run. An
error on the way (a locked file, a full disk) takes back what was done.

A change states what it expects to find, and is skipped where that is no longer so: what
somebody saved in the meantime is not overwritten, and the next run merges it.

The guarantee is against processes that die. Against power that fails, files with somebody's
edits are flushed to the disk first; the rest can be generated again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archgen import base
from archgen.base import BASE, FOLDER, digest
from archgen.errors import Problem, ProjectError
from archgen.files import parents, path_trouble

STAGING = "staging"
_JOURNAL = "journal.json"


@dataclass(frozen=True, slots=True)
class Change:
    """`contents` None removes the file. `before` is what it replaces, None for nothing.

    `precious` contents hold somebody's edits, and can't be generated again.
    """

    path: str
    contents: bytes | None
    executable: bool
    before: bytes | None
    precious: bool = False


def apply(target: Path, changes: Sequence[Change], records: bytes, progress: Callable[[], None]) -> list[str]:
    """Makes the changes in `target`, where `settle` left nothing behind, and replaces the base.

    `progress` is called once per file written. Returns the paths that were left alone because
    somebody changed them meanwhile. On an OSError, or an interrupt, the target is as it was.
    """
    staging = target / FOLDER / STAGING
    try:
        _stage(target, staging, changes, records, progress)
        (staging / f"{_JOURNAL}.new").replace(staging / _JOURNAL)
    except BaseException:
        discard(target)
        raise
    try:
        return finish(target)
    except BaseException:
        # Replacing the base was the last step: once it is gone from here, all is done.
        if (staging / BASE).exists():
            _take_back(target, staging)
        raise


def interrupted(target: Path) -> bool:
    """Whether a run died after its decision and before its end."""
    return (target / FOLDER / STAGING / _JOURNAL).exists()


def settle(target: Path) -> None:
    """Finishes what an earlier run decided and could not end, and forgets what it only prepared."""
    if interrupted(target):
        finish(target)
    if os.path.lexists(target / FOLDER / STAGING):
        discard(target)


def discard(target: Path) -> None:
    """Forgets what was staged. Never leaves a journal whose files are gone."""
    staging = target / FOLDER / STAGING
    with contextlib.suppress(FileNotFoundError):
        (staging / _JOURNAL).unlink()
    shutil.rmtree(staging, ignore_errors=True)


def _stage(
    target: Path, staging: Path, changes: Sequence[Change], records: bytes, progress: Callable[[], None]
) -> None:
    for folder in ("new", "old"):
        (staging / folder).mkdir(parents=True)
    made: set[Path] = set()
    precious = any(change.precious for change in changes)
    for change in changes:
        mode = None
        if change.before is not None:
            old = staging / "old" / change.path
            _make_parent(old, made)
            shutil.copy2(target / change.path, old)
            mode = stat.S_IMODE(old.stat().st_mode)
        if change.contents is not None:
            new = staging / "new" / change.path
            _make_parent(new, made)
            _write(new, change.contents, durable=change.precious)
            _set_mode(new, mode, change.executable)
            progress()
    _write(staging / BASE, records, precious)
    folders = {folder for change in changes if change.contents is not None for folder in parents(change.path)}
    journal = {
        "changes": [
            {
                "path": change.path,
                "remove": change.contents is None,
                "before": None if change.before is None else digest(change.before),
            }
            for change in changes
        ],
        "folders": sorted(folder for folder in folders if not (target / folder).is_dir()),
    }
    _write(staging / f"{_JOURNAL}.new", json.dumps(journal).encode(), precious)


def _make_parent(path: Path, made: set[Path]) -> None:
    if path.parent not in made:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.add(path.parent)


def _write(path: Path, contents: bytes, durable: bool) -> None:
    with path.open("wb") as file:
        file.write(contents)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _set_mode(path: Path, mode: int | None, executable: bool) -> None:
    """Keeps the mode of what is replaced; whoever may read may execute, or nobody."""
    if mode is None and not executable:
        return
    mode = stat.S_IMODE(path.stat().st_mode) if mode is None else mode
    readers = (mode & 0o444) >> 2
    path.chmod(mode | readers if executable else mode & ~0o111)


def finish(target: Path) -> list[str]:
    """Carries out the journal. May be run again from any point at which it was stopped."""
    staging = target / FOLDER / STAGING
    journal = _journal(staging)
    refuse_outside(target, [change["path"] for change in journal["changes"]])
    skipped: list[str] = []
    for change in (change for change in journal["changes"] if change["remove"]):
        found = _found(target / change["path"])
        if found not in (None, change["before"]):
            skipped.append(change["path"])
            continue
        if found is not None:
            (target / change["path"]).unlink()
        _prune(target, change["path"])
    existing: set[str] = set()
    for change in (change for change in journal["changes"] if not change["remove"]):
        if not os.path.lexists(staging / "new" / change["path"]):
            continue
        if _found(target / change["path"]) != change["before"]:
            skipped.append(change["path"])
            continue
        _move(staging / "new", target, change["path"], existing)
    _replace_base(target, staging, skipped)
    # From here on nothing is left to do but tidying up, which the next run does as well.
    with contextlib.suppress(OSError):
        discard(target)
    return skipped


def _journal(staging: Path) -> Any:
    try:
        journal = json.loads((staging / _JOURNAL).read_bytes())
        trouble = next(filter(None, (path_trouble(change["path"]) for change in journal["changes"])), "")
    except (ValueError, TypeError, KeyError, AttributeError):
        trouble = "it is not a journal"
    if trouble:
        place = f"{FOLDER}/{STAGING}/{_JOURNAL}"
        raise ProjectError(Problem(trouble, file=place, remedy=f"delete the folder {FOLDER}/{STAGING}"))
    return journal


def refuse_outside(target: Path, paths: Iterable[str]) -> None:
    """Raises ProjectError for every folder of `paths` that is a link to somewhere outside."""
    root = target.resolve()
    folders = sorted({folder for path in paths for folder in parents(path)})
    problems = [
        Problem(f"{folder} is a link that leads outside {target}", remedy="remove the link")
        for folder in folders
        if _is_link(target / folder) and not (target / folder).resolve().is_relative_to(root)
    ]
    if problems:
        raise ProjectError(*problems)


def _is_link(path: Path) -> bool:
    # A junction of Windows is no symbolic link to Python before 3.12; resolving shows both.
    return path.is_symlink() or (os.name == "nt" and path.exists() and path.resolve() != path.absolute())


def _found(path: Path) -> str | None:
    """The digest of a plain file, None for nothing, and "" for anything else."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    return digest(path.read_bytes()) if stat.S_ISREG(mode) else ""


def _move(source: Path, target: Path, path: str, existing: set[str]) -> None:
    """Moves one file, or at one stroke the whole new folder that it is part of."""
    for folder in parents(path):
        if folder not in existing and not os.path.lexists(target / folder):
            (source / folder).replace(target / folder)
            return
        existing.add(folder)
    (source / path).replace(target / path)


def _prune(target: Path, path: str) -> None:
    """Removes the folders that the removal of `path` left empty."""
    for folder in reversed(parents(path)):
        try:
            (target / folder).rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return


def _replace_base(target: Path, staging: Path, skipped: Sequence[str]) -> None:
    if not (staging / BASE).exists():
        return
    if skipped:
        # What was skipped still descends from what archgen wrote before.
        before, after = base.load(target), base.loads((staging / BASE).read_bytes())
        for path in skipped:
            after.pop(path, None)
            if path in before:
                after[path] = before[path]
        _write(staging / f"{BASE}.mended", base.dump(after), durable=False)
        (staging / f"{BASE}.mended").replace(staging / BASE)
    (staging / BASE).replace(target / FOLDER / BASE)


def _take_back(target: Path, staging: Path) -> None:
    """Undoes what `finish` did so far, step by step backwards.

    Where that fails as well the journal stays, and the next run finishes instead.
    """
    journal = _journal(staging)
    removed = [change["path"] for change in journal["changes"] if change["remove"]]
    written = [change["path"] for change in journal["changes"] if not change["remove"]]
    for path in reversed(written):
        here, new, old = target / path, staging / "new" / path, staging / "old" / path
        if not os.path.lexists(new):
            new.parent.mkdir(parents=True, exist_ok=True)
            here.replace(new)
            if old.exists():
                old.replace(here)
    for folder in reversed(journal["folders"]):
        with contextlib.suppress(OSError):
            (target / folder).rmdir()
    for path in removed:
        here, old = target / path, staging / "old" / path
        if old.exists() and not os.path.lexists(here):
            here.parent.mkdir(parents=True, exist_ok=True)
            old.replace(here)
    discard(target)
