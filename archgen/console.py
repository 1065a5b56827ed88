"""What people see. Results go to stdout, talk goes to stderr; colour only where someone looks.

Text from files and folders is never trusted to be printable: control characters, which could
steer a terminal, are shown as escapes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from archgen.errors import Problem

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34"}
_EXCERPT_WIDTH = 100
_EXCERPT_LIMIT = 4_000_000
_MOMENT = 0.7

QUIET, NORMAL, VERBOSE = -1, 0, 1
_level = NORMAL


def set_level(level: int) -> None:
    global _level
    _level = level


def verbose() -> bool:
    return _level >= VERBOSE


def out(text: str) -> None:
    """A result: stdout, also with --quiet, as it is."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def say(text: str = "") -> None:
    """Talk about what happens: stderr, not with --quiet."""
    if _level >= NORMAL:
        print(text, file=sys.stderr)


def detail(text: str) -> None:
    """Only with --verbose."""
    if _level >= VERBOSE:
        print(text, file=sys.stderr)


def colours(stream: TextIO) -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def paint(text: str, *styles: str, stream: TextIO | None = None) -> str:
    """The text in the given styles where `stream` (default stderr) shows them."""
    if not colours(stream or sys.stderr):
        return text
    return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"


def printable(text: str) -> str:
    """The text on its lines, with every control character as an escape."""
    return "".join(char if char.isprintable() or char == "\n" else _shown(char) for char in text)


def _shown(char: str) -> str:
    return " " if char == "\t" else repr(char)[1:-1]


def problem(what: Problem) -> None:
    """One problem: what, where, the line itself, and the way out."""
    head = f"{what.key}: {what.message}" if what.key else what.message
    lines = [paint("error: ", "red", "bold") + paint(printable(head), "bold")]
    if what.file:
        place = ":".join(str(part) for part in (what.file, what.line, what.column) if part)
        lines.append(f"  {paint('-->', 'blue')} {printable(place)}")
        lines += _excerpt(what)
    lines += numbered(what.steps)
    if what.remedy:
        lines.append(f"  {paint('help:', 'green')} {printable(what.remedy)}")
    print("\n".join(lines), file=sys.stderr)


def numbered(steps: tuple[str, ...]) -> list[str]:
    """What happens one after the other, one line each."""
    return [f"{number:>7}. {printable(step)}" for number, step in enumerate(steps, 1)]


def _excerpt(what: Problem) -> Iterator[str]:
    line = _line_of(Path(what.file), what.line) if what.line else ""
    if not line.strip():
        return
    start = max(0, what.column - 1 - _EXCERPT_WIDTH // 2) if len(line) > _EXCERPT_WIDTH else 0
    shown = "".join(_shown(c)[0] if not c.isprintable() else c for c in line[start : start + _EXCERPT_WIDTH])
    margin = paint(f"{what.line:>5} |", "blue")
    yield f"{margin} {shown}"
    if what.column:
        yield f"{paint('      |', 'blue')} {' ' * (what.column - 1 - start)}{paint('^', 'red', 'bold')}"


def _line_of(path: Path, number: int) -> str:
    try:
        if path.stat().st_size > _EXCERPT_LIMIT:
            return ""
        lines = path.read_text("utf-8", errors="replace").split("\n")
    except (OSError, ValueError):
        return ""
    return lines[number - 1].rstrip() if number <= len(lines) else ""


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[], None]]:
    """A function to call once per step; a bar appears on a terminal if it takes more than a moment.

    Where `total` is None nobody knows how many steps there will be: they are counted.
    """
    if _level < NORMAL or not sys.stderr.isatty():
        yield lambda: None
        return
    bar = _Bar(label, total)
    try:
        yield bar.step
    finally:
        bar.close()


class _Bar:
    """Loads rich only once there is something to show."""

    def __init__(self, label: str, total: int | None) -> None:
        import time

        self._label, self._total, self._done = label, total, 0
        self._clock, self._started = time.monotonic, time.monotonic()
        self._advance: Callable[[int], None] | None = None
        self.close: Callable[[], None] = lambda: None

    def step(self) -> None:
        self._done += 1
        if self._advance is not None:
            self._advance(1)
        elif self._clock() - self._started > _MOMENT:
            self._show()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, ProgressColumn, TextColumn

        columns: tuple[ProgressColumn, ...] = Progress.get_default_columns()
        if self._total is None:
            columns = (columns[0], columns[1], TextColumn("{task.completed} files"))
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        task = bar.add_task(self._label, total=self._total, completed=self._done)
        bar.start()
        self._advance = lambda steps: bar.advance(task, steps)
        self.close = bar.stop
