"""Faults at any step of whatever writes files: found through Python's audit events, so that the
code under test is run as it is.

`steps(root)` counts the operations that change something below `root`; `failing` makes the
n-th one, or all from the n-th one on, fail as a full disk does.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITING = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"}
_watch: Callable[[str], None] | None = None


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _watch is None:
        return
    opened = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (opened or event in _WRITING) and isinstance(args[0], str | os.PathLike):
        _watch(os.fspath(args[0]))


sys.addaudithook(_hook)


@contextmanager
def watching(root: Path, step: Callable[[int], None]) -> Iterator[list[str]]:
    """Calls `step` with 0, 1, 2, ... before each operation below `root`; gives the list of their paths."""
    global _watch
    seen: list[str] = []

    def watch(path: str) -> None:
        if path.startswith(str(root)):
            seen.append(path)
            step(len(seen) - 1)

    _watch = watch
    try:
        yield seen
    finally:
        _watch = None


@contextmanager
def failing(root: Path, at: int, lasting: bool) -> Iterator[list[str]]:
    """The operation with number `at` fails, and with `lasting` every later one as well."""

    def step(number: int) -> None:
        if number == at or (lasting and number > at):
            raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    with watching(root, step) as seen:
        yield seen


def snapshot(root: Path) -> dict[str, tuple[bytes, bool]]:
    """Path → contents and executable bit of every file, archgen's lock left out; empty folders with a `/`."""
    found: dict[str, tuple[bytes, bool]] = {}
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        if not folders and not names and here != root:
            found[here.relative_to(root).as_posix() + "/"] = (b"", False)
        for name in names:
            path = here / name
            found[path.relative_to(root).as_posix()] = (path.read_bytes(), bool(path.stat().st_mode & 0o100))
    found.pop(".archgen/lock", None)
    return found
