"""One file at a time: what archgen wrote last, what is there, what archgen wants → what to do.

Pure. The rule behind every branch: what you changed is never lost, and what you did not touch
follows the description.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from archgen import merge
from archgen.base import Record, digest
from archgen.files import File


class Action(StrEnum):
    """What happened to a file, in the order in which a summary tells it."""

    CONFLICT = "conflict"
    CREATED = "created"
    UPDATED = "updated"
    MERGED = "merged"
    REMOVED = "removed"
    KEPT = "kept"
    LEFT = "left"
    ABSENT = "absent"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file as found. `link` is true for a symbolic link, which is never followed or replaced."""

    contents: bytes
    executable: bool | None = False  # None where the system has no such bit
    link: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """`contents` is what the file should hold afterwards, None for no file.

    `record` tells whether the new version becomes the base of the next merge.
    """

    action: Action
    contents: bytes | None = None
    executable: bool = False
    note: str = ""
    record: bool = True


def reconcile(base: Record | None, disk: OnDisk | None, new: File | None) -> Decision:
    """What becomes of a file of which at least one version exists."""
    if new is None:
        return _dropped(base, disk)
    if disk is None:
        if base is None:
            return Decision(Action.CREATED, new.contents, new.executable)
        return Decision(Action.ABSENT, note="you deleted it")
    if disk.link:
        return Decision(Action.KEPT, note="it is a symbolic link")
    if base is None:
        return _adopted(disk, new)
    executable = _three_way_bit(base, disk, new)
    decision = _three_way(base, disk, new, executable)
    as_it_is = decision.action in (Action.KEPT, Action.UNCHANGED)
    if as_it_is and disk.executable is not None and executable != disk.executable:
        return Decision(Action.UPDATED, disk.contents, executable, decision.note)
    return decision


def _dropped(base: Record | None, disk: OnDisk | None) -> Decision:
    if disk is None:
        return Decision(Action.UNCHANGED, record=False)
    if base is not None and not disk.link and digest(_without_crlf(disk.contents, base)) == base.digest:
        return Decision(Action.REMOVED, record=False)
    return Decision(Action.LEFT, note="archgen no longer writes it, and you changed it", record=False)


def _adopted(disk: OnDisk, new: File) -> Decision:
    """A file that was there before archgen ever wrote it, for example from a blueprint."""
    if disk.contents == new.contents:
        return Decision(Action.UNCHANGED, disk.contents, bool(disk.executable))
    if merge.unresolved(disk.contents):
        return replace(_unresolved(disk), record=True)
    return Decision(Action.KEPT, disk.contents, bool(disk.executable), "it was there before archgen")


def _three_way(base: Record, disk: OnDisk, new: File, executable: bool) -> Decision:
    yours, crlf = _normalized(disk.contents, base, new)
    if digest(yours) == base.digest:
        if new.contents == yours:
            return Decision(Action.UNCHANGED, disk.contents, executable)
        return Decision(Action.UPDATED, _as_found(new.contents, crlf), executable)
    if yours == new.contents:
        return Decision(Action.UNCHANGED, disk.contents, executable)
    if merge.unresolved(yours) and not merge.unresolved(new.contents):
        return _unresolved(disk)
    if digest(new.contents) == base.digest:
        return Decision(Action.KEPT, disk.contents, executable)
    before = base.contents
    if not all(map(merge.is_text, (before, yours, new.contents))):
        return Decision(Action.CONFLICT, disk.contents, executable, "not text, and both changed it")
    merged = merge.merge(before, yours, new.contents)
    contents = _as_found(merged.contents, crlf)
    if merged.conflicts:
        places = "1 place" if merged.conflicts == 1 else f"{merged.conflicts} places"
        return Decision(Action.CONFLICT, contents, executable, f"both changed the same lines in {places}")
    return Decision(Action.MERGED, contents, executable)


def _unresolved(disk: OnDisk) -> Decision:
    note = "it still holds the conflict markers of an earlier run"
    return Decision(Action.CONFLICT, disk.contents, bool(disk.executable), note, record=False)


def _three_way_bit(base: Record, disk: OnDisk, new: File) -> bool:
    """A bit that both changed has the same value on both sides, so this never conflicts."""
    if disk.executable is None or new.executable != base.executable:
        return new.executable
    return disk.executable


def _normalized(contents: bytes, base: Record, new: File) -> tuple[bytes, bool]:
    """Contents with the line ends of the other versions, and whether they had CRLF throughout.

    Git and editors on Windows turn every line end; that is not an edit.
    """
    if not _all_crlf(contents) or b"\r" in new.contents or b"\r" in base.contents:
        return contents, False
    return contents.replace(b"\r\n", b"\n"), True


def _without_crlf(contents: bytes, base: Record) -> bytes:
    if not _all_crlf(contents) or b"\r" in base.contents:
        return contents
    return contents.replace(b"\r\n", b"\n")


def _all_crlf(contents: bytes) -> bool:
    ends = contents.count(b"\r\n")
    return ends > 0 and merge.is_text(contents) and ends == contents.count(b"\n") == contents.count(b"\r")


def _as_found(contents: bytes, crlf: bool) -> bytes:
    return contents.replace(b"\n", b"\r\n") if crlf else contents
