"""One writer at a time. The lock ends with its process, however that process ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from archgen.errors import Problem, ProjectError

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path, patience: float = 10.0) -> Iterator[None]:
    """Holds the lock file `path`, whose folder must exist; closing it gives the lock back.

    Raises ProjectError when somebody else still holds it after `patience` seconds.
    """
    with path.open("ab") as file:
        deadline = time.monotonic() + patience
        while True:
            try:
                _take(file)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise ProjectError(
                        Problem(
                            f"another archgen is writing to {path.parent.parent}",
                            remedy="wait for it to finish and run again",
                        )
                    ) from None
                time.sleep(0.05)
        yield
