"""What archgen wrote last: the common ancestor of the next merge, kept in `.archgen/base.jsonl`.

One file, one line per generated file, sorted: a review sees which files changed and is not shown
each one twice, searches find no second copy, two branches that regenerated merge line by line,
and a line stays the same as long as its file does. It is meant to be committed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archgen import __version__
from archgen.errors import Problem, ProjectError
from archgen.files import path_trouble

FOLDER = ".archgen"
BASE = "base.jsonl"
_FORMAT = 1
_NOTE = "What archgen wrote last, for merging with your edits next time. Commit this file; don't edit it."


@dataclass(frozen=True, slots=True)
class Record:
    """A file as archgen wrote it: the digest for comparing, the contents packed for merging."""

    digest: str
    executable: bool
    packed: str

    @classmethod
    def of(cls, contents: bytes, executable: bool) -> Record:
        # The fastest level and a small window: 9 % larger, and twice as fast on files of a few kB.
        packer = zlib.compressobj(1, zlib.DEFLATED, 13)
        packed = base64.b64encode(packer.compress(contents) + packer.flush()).decode("ascii")
        return cls(digest(contents), executable, packed)

    @property
    def contents(self) -> bytes:
        """Raises ProjectError when what was packed is no longer what the digest says."""
        try:
            contents = zlib.decompress(base64.b64decode(self.packed, validate=True))
        except (ValueError, zlib.error):
            contents = None
        if contents is None or digest(contents) != self.digest:
            raise ProjectError(_damaged("a record does not match its digest"))
        return contents


def digest(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()


def exists(target: Path) -> bool:
    return (target / FOLDER / BASE).exists()


def load(target: Path) -> dict[str, Record]:
    """Path → record; empty where archgen has not written yet.

    Raises ProjectError for a file that is damaged, holds a path outside the project, or was
    written by a newer archgen.
    """
    try:
        return loads((target / FOLDER / BASE).read_bytes())
    except FileNotFoundError:
        return {}


def loads(contents: bytes) -> dict[str, Record]:
    try:
        head, *lines = contents.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise ProjectError(_damaged("it is not UTF-8")) from None
    if any(line.startswith(("<<<<<<<", "=======", ">>>>>>>")) for line in (head, *lines)):
        raise ProjectError(
            Problem(
                "it holds conflict markers of git",
                file=f"{FOLDER}/{BASE}",
                remedy="keep either side (git checkout --ours or --theirs); the next run sorts out the rest",
            )
        )
    _check_format(head)
    return dict(_record(line, number) for number, line in enumerate(lines, start=2))


def _check_format(head: str) -> None:
    try:
        format_ = json.loads(head)["format"]
    except (ValueError, TypeError, KeyError):
        raise ProjectError(_damaged("its first line is not archgen's", 1)) from None
    if format_ != _FORMAT:
        raise ProjectError(
            Problem(
                f"it has format {format_!r}, and this archgen ({__version__}) reads format {_FORMAT}",
                file=f"{FOLDER}/{BASE}",
                remedy="use the version of archgen named in its first line, or a newer one",
            )
        )


def _record(line: str, number: int) -> tuple[str, Record]:
    try:
        entry = json.loads(line)
        path, record = entry["path"], Record(entry["sha256"], entry["executable"], entry["zlib"])
        trouble = path_trouble(path)
    except (ValueError, TypeError, KeyError, AttributeError):
        trouble = "it is not a record"
    if trouble:
        raise ProjectError(_damaged(trouble, number))
    return path, record


def dump(records: Mapping[str, Record]) -> bytes:
    head = {"archgen": __version__, "format": _FORMAT, "note": _NOTE}
    lines = [
        {"path": path, "sha256": record.digest, "executable": record.executable, "zlib": record.packed}
        for path, record in sorted(records.items())
    ]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (head, *lines)).encode()


def _damaged(what: str, line: int = 0) -> Problem:
    return Problem(
        f"the record of the last run is damaged: {what}",
        file=f"{FOLDER}/{BASE}",
        line=line,
        remedy="restore it from version control, or delete it: your files then stay as they are",
    )
