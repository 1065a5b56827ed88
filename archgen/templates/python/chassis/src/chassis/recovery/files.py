"""Files that are there whole or not at all, and the sums that tell whether they are still the same."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

_PIECE = 1 << 20


def checksum(path: Path) -> str:
    """SHA-256 of the file, in hex."""
    sum = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            sum.update(piece)
    return sum.hexdigest()


def flush(path: Path) -> None:
    """Return when the file or folder is on disk."""
    # Windows has no such thing for a folder, and needs none.
    with contextlib.suppress(PermissionError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def free_name(path: Path, suffix: str) -> Path:
    """`path` with `suffix` behind it, and a number behind that if there is one already."""
    candidate, number = path.with_name(path.name + suffix), 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}{suffix}-{number}")
    return candidate
