"""Errors that a user can mend. Everything else is a bug and may show a traceback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input, and what to do about it.

    `line` and `column` count from 1 and are 0 when the place is the file as a whole.
    `key` is the dotted path of the offending key, for example `services.orders.calls`. `steps` tells what
    has to happen for it to show, where that is not at once.
    """

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    key: str = ""
    remedy: str = ""
    code: str = ""
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        head = f"{place}: " if place else ""
        where = f"{self.key}: " if self.key else ""
        tail = f" ({self.remedy})" if self.remedy else ""
        return f"{head}{where}{self.message}{tail}"


class ArchgenError(Exception):
    """Base of all errors that a user can mend; carries every problem found at once.

    `exit_code` is what the process ends with: 2 stands for bad input.
    """

    exit_code = 2

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = tuple(p if isinstance(p, Problem) else Problem(p) for p in problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class SpecError(ArchgenError):
    """The YAML description is not valid."""


class ProjectError(ArchgenError):
    """The target folder can't be written as asked; it was left as it was."""


def relative(path: Path) -> str:
    """`path` as a user would type it: relative to the working directory where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
