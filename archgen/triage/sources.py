"""The lines of a project's files, read once and only where a report or a comparison needs them."""

from __future__ import annotations

from pathlib import Path

from archgen.evidence.tree import LARGEST


class Sources:
    """`root` is the audited folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, list[str]] = {}

    def lines(self, file: str) -> list[str]:
        """The lines of a file, none when it cannot be read."""
        if file not in self._known:
            self._known[file] = self._read(file)
        return self._known[file]

    def _read(self, file: str) -> list[str]:
        path = self._root / file
        try:
            if not file or path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
                return []
            return path.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
        except (OSError, ValueError):
            return []
