"""Generates the shop that is tortured: the blueprint as it is, but a saga soon gives up a step."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
STYLES = ("orchestration", "choreography")
TIMEOUT = 1.0
ATTEMPTS = 3
GIVES_UP = TIMEOUT * (2**ATTEMPTS - 1)  # each attempt waits twice as long as the one before


def generate(folder: Path, style: str) -> Path:
    """The project in `folder`, which must be new. Raises RuntimeError when archgen refuses."""
    _archgen("new", "shop", str(folder), "--defaults", "--data", f"style={style}")
    description = folder / "system.yaml"
    if style == "orchestration":
        text = description.read_text("utf-8")
        head, line, rest = text.partition("    style: orchestration\n")
        assert line, "the blueprint's saga looks different now"
        impatient = f"    timeout: {TIMEOUT:.0f}s\n    attempts: {ATTEMPTS}\n"
        description.write_text(head + line + impatient + rest, "utf-8")
    _archgen("architect", "run", str(description))
    return folder


def _archgen(*arguments: str) -> None:
    command = [sys.executable, "-m", "archgen", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    # 1 says that the audit found something, which is no matter here.
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
