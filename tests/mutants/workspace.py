"""A generated project while it is being edited: the files on disk, and what they are to become."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path


class NothingToChangeError(Exception):
    """What an edit is for is not there any more: the project moved on, and the table must follow."""


@dataclass
class Workspace:
    """`changed` holds the new text of each file that was touched; None stands for a file that is gone."""

    root: Path
    changed: dict[str, str | None] = field(default_factory=dict)

    def files(self) -> list[str]:
        """All files, with forward slashes, as they are after the edits so far."""
        known = {path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()}
        gone = {path for path, text in self.changed.items() if text is None}
        return sorted((known | set(self.changed)) - gone)

    def matching(self, pattern: str) -> list[str]:
        """Files whose path matches `pattern`, in which a star goes across folders. Raises when none does."""
        found = [path for path in self.files() if fnmatchcase(path, pattern)]
        if not found:
            raise NothingToChangeError(f"no file matches {pattern}")
        return found

    def read(self, path: str) -> str:
        if path in self.changed:
            text = self.changed[path]
            if text is None:
                raise NothingToChangeError(f"{path} was removed before")
            return text
        return (self.root / path).read_text("utf-8")

    def write(self, path: str, text: str) -> None:
        self.changed[path] = text

    def remove(self, path: str) -> None:
        self.changed[path] = None


def copies(root: Path, workspace: Workspace, target: Path) -> None:
    """The project in `root` with the edits, as the new folder `target`.

    Files that stay as they are become hard links where the file system has them: a copy costs
    milliseconds, and a changed file is always a new one.
    """
    for path in _walk(root):
        inside = path.relative_to(root).as_posix()
        if inside not in workspace.changed:
            place = target / inside
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, place)
            except OSError:
                place.write_bytes(path.read_bytes())
    for inside, text in workspace.changed.items():
        if text is not None:
            place = target / inside
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode())


def _walk(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file())
