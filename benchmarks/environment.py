"""The interpreter that runs generated systems and what they are compared with, and those systems.

It is kept between runs in `.venv-bench`, under a name made of what is in it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import say

HERE = Path(__file__).parent
CHASSIS = HERE.parent / "archgen" / "templates" / "python" / "chassis"
FOLDER = HERE.parent / ".venv-bench"
ARCHGEN = [sys.executable, "-m", "archgen", "--quiet"]
COMPARED = (
    "dbos>=3.4,<4",
    "eventsourcing>=9.5,<10",
    "huey>=3.5,<4",
    "procrastinate>=3.10,<4",
    "taskiq>=0.13,<0.14",
    "taskiq-nats>=0.7,<0.8",
)


@dataclass(frozen=True)
class Project:
    """A generated system and the interpreter that has what it needs."""

    root: Path
    python: Path

    @property
    def env(self) -> dict[str, str]:
        """Its own code, on top of the environment."""
        folders = [path for path in sorted(self.root.glob("**/src")) if path.is_dir()]
        return {"PYTHONPATH": os.pathsep.join(map(str, folders))}

    def script(self, name: str, *arguments: str | Path) -> list[str | Path]:
        """A command that runs a script beside this file."""
        return [self.python, HERE / name, *arguments]


def python() -> Path:
    """The interpreter that runs generated systems and what they are compared with."""
    chassis = tomllib.loads((CHASSIS / "pyproject.toml").read_text("utf-8"))["project"]
    extras = chassis["optional-dependencies"]
    wanted = sorted({*chassis["dependencies"], *extras["fast"], *extras["test"], *COMPARED})
    return installed(wanted)


def installed(wanted: Sequence[str]) -> Path:
    """An interpreter with `wanted`, made when there is none yet."""
    key = hashlib.sha256("\n".join([sys.version, *wanted]).encode()).hexdigest()[:12]
    folder = FOLDER / key
    interpreter, done = folder / "bin" / "python", folder / "complete"
    if not done.exists():
        say("installing what is measured into .venv-bench, once")
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / ".gitignore").write_text("*\n")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", *wanted], check=True)
        done.touch()
    return interpreter


def project(system: str, folder: Path) -> Project:
    """The system described by `systems/<system>.yaml`, generated into `folder`."""
    root = folder / system
    spec = HERE / "systems" / f"{system}.yaml"
    command = [*ARCHGEN, "architect", "run", str(spec), "--out", str(root), "--no-audit"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Project(root, python())
