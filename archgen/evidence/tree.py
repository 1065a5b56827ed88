"""Walking a folder: which files are read, what each one is, and which are passed over and why.

Links are never followed, so the walk stays inside the folder and always ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archgen.evidence.facts import Note
from archgen.evidence.nature import Nature, nature_of

LARGEST = 5_000_000
_DEEPEST = 60
_SKIPPED = {
    "node_modules", "bower_components", "vendor", "third_party", "site-packages", "venv", "env",
    "__pycache__", "dist", "build", "target", "out", "coverage", "htmlcov",
}  # fmt: skip
_HIDDEN_BUT_READ = {".github", ".circleci", ".gitlab", ".config", ".env"}
_BINARY = {
    ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".pdf", ".zip", ".gz", ".tgz", ".jar", ".class",
    ".so", ".exe", ".woff", ".woff2", ".ttf", ".eot", ".mp4", ".mp3", ".db", ".sqlite", ".sqlite3",
    ".pyc", ".map", ".lock", ".sum", ".svg", ".drawio", ".bin", ".wasm",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A text file of the project. `path` is relative, with forward slashes."""

    path: str
    text: str
    nature: Nature

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def suffix(self) -> str:
        name = self.name
        return "." + name.rsplit(".", 1)[-1].lower() if "." in name else ""

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


def walk(root: Path, notes: list[Note]) -> Iterator[Source]:
    """Every readable text file under `root`, in a stable order; what was passed over goes to `notes`."""
    folders = [(root, "", 0)]
    while folders:
        folder, prefix, depth = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            notes.append(Note(prefix or ".", f"folder not read: {error.strerror or error}"))
            continue
        deeper = []
        for entry in entries:
            path = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_symlink():
                notes.append(Note(path, "link not followed"))
            elif entry.is_dir(follow_symlinks=False):
                if _wanted(entry.name):
                    if depth >= _DEEPEST:
                        notes.append(Note(path, f"folder not read: nested deeper than {_DEEPEST} levels"))
                    else:
                        deeper.append((Path(entry.path), path, depth + 1))
            elif entry.is_file(follow_symlinks=False):
                source = _read(entry, path, notes)
                if source is not None:
                    yield source
        folders.extend(reversed(deeper))


def _wanted(name: str) -> bool:
    if name.startswith("."):
        return name in _HIDDEN_BUT_READ
    return name not in _SKIPPED and not name.endswith((".egg-info", ".dist-info"))


def _read(entry: os.DirEntry[str], path: str, notes: list[Note]) -> Source | None:
    if os.path.splitext(entry.name)[1].lower() in _BINARY:  # noqa: PTH122 - a string, and millions of them
        return None
    try:
        size = entry.stat(follow_symlinks=False).st_size
        if size > LARGEST:
            notes.append(Note(path, f"not read: {size / 1e6:.0f} MB, the limit is {LARGEST / 1e6:.0f} MB"))
            return None
        with open(entry.path, "rb") as stream:  # noqa: PTH123 - the same
            data = stream.read()
    except OSError as error:
        notes.append(Note(path, f"not read: {error.strerror or error}"))
        return None
    if b"\0" in data[:8192]:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append(Note(path, "not UTF-8: read with replacement characters"))
        text = data.decode("utf-8", "replace")
    return Source(path, text, nature_of(path, text))
