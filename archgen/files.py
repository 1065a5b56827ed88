"""Files as values: what a run wants to exist, before anything touches the disk.

The only place that decides whether a path may be written. A `File` with a bad path can't be
made, and `tree` refuses files that could not live beside each other on every system.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from archgen.errors import Problem, ProjectError

Kind = Literal["yours", "generated"]

# Names that Windows gives to devices, with any extension; and what no Windows path may hold.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
# Folders with a meaning of their own: archgen's bookkeeping and git's.
_RESERVED = {".archgen", ".git"}
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class File:
    """One file of a project.

    `path` is relative to the project, with `/` on every system. `kind` says who is expected to
    edit it: "yours" files are starting points, "generated" ones carry a header saying that
    they follow the YAML. Both are merged alike, so an edit to either survives.

    Raises ProjectError for a path that is not safe on every system.
    """

    path: str
    contents: bytes
    executable: bool = False
    kind: Kind = "yours"

    def __post_init__(self) -> None:
        trouble = path_trouble(self.path)
        if trouble:
            raise ProjectError(Problem(f"{self.path!r} can't be the path of a file: {trouble}"))


def path_trouble(path: str) -> str:
    """Why `path` can't be written inside a project, or "" where it can."""
    names = path.split("/")
    if names[0].casefold() in _RESERVED:
        return f"{names[0]} is reserved"
    return next((trouble for trouble in map(_name_trouble, names) if trouble), "")


def _name_trouble(name: str) -> str:
    if not name:
        return "it is empty, absolute, or has an empty part"
    if name in {".", ".."}:
        return "it leaves its folder"
    if match := _FORBIDDEN.search(name):
        return f"it holds {match.group()!r}, which not every system allows"
    if name[-1] in ". ":
        return "a name can't end with a dot or a space on Windows"
    if _DEVICE.fullmatch(name):
        return f"{name} is a device on Windows"
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    return f"a name is longer than {_LONGEST_NAME} bytes" if size > _LONGEST_NAME else ""


def same_on_disk(path: str) -> str:
    """A key that is equal for paths that some file systems can't tell apart (`A.py`, `a.py`)."""
    return unicodedata.normalize("NFC", path).casefold()


def tree(files: Iterable[File]) -> tuple[File, ...]:
    """The files sorted by path, which is the order everything else relies on.

    Raises ProjectError with every pair that can't exist together: the same path twice, paths
    that differ only in case, or a file where another one needs a folder.
    """
    ordered = sorted(files, key=lambda file: file.path)
    problems: list[Problem] = []
    spelling: dict[str, str] = {}
    for file in ordered:
        key = same_on_disk(file.path)
        if other := spelling.get(key):
            how = "twice" if other == file.path else f"also as {other!r}, the same file on some systems"
            problems.append(Problem(f"{file.path!r} would be written {how}"))
        spelling[key] = file.path
    for folder in sorted({folder for file in ordered for folder in parents(file.path)}):
        if other := spelling.get(same_on_disk(folder)):
            problems.append(Problem(f"{folder!r} and {other!r} can't be told apart on every system"))
        spelling[same_on_disk(folder)] = folder
    if problems:
        raise ProjectError(*problems)
    return tuple(ordered)


def parents(path: str) -> list[str]:
    """The folders of `path` inside the project, outermost first: `a/b/c.py` → `a`, `a/b`."""
    names = path.split("/")[:-1]
    return ["/".join(names[: count + 1]) for count in range(len(names))]
