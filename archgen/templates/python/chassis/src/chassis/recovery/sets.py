"""A backup set: one folder with a copy of everything, and a manifest that says what must be in it.

    backups/20261123T020000Z/   manifest.json  orders.db  payments.dump  …  stream.snapshot

It gets its name only when it is whole and checked, so a folder of that form is always a good one.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chassis.recovery import postgres, sqlite
from chassis.recovery.errors import RecoveryError
from chassis.recovery.files import checksum, flush, free_name
from chassis.recovery.stream import Place

MANIFEST = "manifest.json"
STREAM = "stream.snapshot"
FORM = 1
AT_LEAST = 3  # so many sets stay, however old they are
_NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")


@dataclass(frozen=True)
class Manifest:
    """What a set holds. Times are RFC 3339 in UTC.

    `position` is the newest message of the stream before the first database was copied: whatever a
    copy lacks came after it. `places` are where the consumers were at that moment.
    """

    system: str
    began: str
    files: Mapping[str, Mapping[str, Any]]  # name → {bytes, sha256}
    databases: Mapping[str, str]  # service → name of the file
    position: int = 0
    places: Mapping[str, Place] = field(default_factory=dict)
    stream: Mapping[str, Any] = field(default_factory=dict)
    form: int = FORM

    @property
    def began_at(self) -> datetime:
        return datetime.fromisoformat(self.began)


def complete(folder: Path, partial: Path, began: datetime, **told: Any) -> Path:
    """Write the manifest of `partial`, check the set, and give it its place in `folder`."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": checksum(path)}
        for path in sorted(partial.iterdir())
    }
    manifest = Manifest(began=began.isoformat(), files=files, **told)
    target = partial / MANIFEST
    target.write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
    flush(target)
    flush(partial)
    verify(partial)
    final = free_name(folder / began.strftime("%Y%m%dT%H%M%SZ"), "")
    partial.rename(final)
    flush(folder)
    return final


def read(path: Path) -> Manifest:
    """The manifest of the set at `path`. Raises RecoveryError when it is none."""
    try:
        told = json.loads((path / MANIFEST).read_text("utf-8"))
        if told["form"] != FORM:
            raise RecoveryError(f"{path} was written in form {told['form']}; this release reads {FORM}")
        places = {name: Place(at["floor"], tuple(at["subjects"])) for name, at in told["places"].items()}
        return Manifest(**{**told, "places": places})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecoveryError(f"{path} is not a backup: {error!r}") from error


def verify(path: Path) -> Manifest:
    """Check every sum, and that every copy can be read. Raises RecoveryError with all that is wrong."""
    manifest = read(path)
    wrong = []
    for name, told in manifest.files.items():
        file = path / name
        if not file.is_file():
            wrong.append(f"{name} is missing")
        elif file.stat().st_size != told["bytes"] or checksum(file) != told["sha256"]:
            wrong.append(f"{name} is not what was written: its checksum differs")
    for name in manifest.databases.values():
        try:
            if not wrong:
                (sqlite if name.endswith(".db") else postgres).verify(path / name)
        except RecoveryError as error:
            wrong.append(str(error))
    if wrong:
        raise RecoveryError(f"{path} can't be used: {'; '.join(wrong)}")
    return manifest


def all_in(folder: Path) -> list[Path]:
    """The sets in `folder`, the oldest first."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.is_dir() and _NAME.fullmatch(path.name))


def chosen(folder: Path, name: str) -> Path:
    """The set of that name, or the newest when `name` is empty. Raises RecoveryError if there is none."""
    if name:
        return folder / name
    sets = all_in(folder)
    if not sets:
        raise RecoveryError(f"there is no backup in {folder}")
    return sets[-1]


def retain(folder: Path, days: float, now: datetime | None = None) -> list[Path]:
    """Remove sets older than `days`, but never the newest few; returns the removed ones."""
    oldest = (now or datetime.now(UTC)) - timedelta(days=days)
    removed = []
    for path in all_in(folder)[:-AT_LEAST]:
        if read(path).began_at < oldest:
            shutil.rmtree(path)
            removed.append(path)
    return removed
