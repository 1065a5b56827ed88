"""Generated projects as their developers have them: on disk, with what they depend on installed.

One environment serves all of them. It holds what the chassis and the development group ask for, and
no project: that one's own code is found by PYTHONPATH. The environment is kept between runs, under a
name made of what is in it, so a change of dependencies makes a new one.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from filelock import FileLock

from archgen.files import File

FOLDER = Path(__file__).parents[2] / ".venv-generated"
_KEPT = ("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LANG", "LC_ALL", "USER", "LOGNAME")


def dependencies(files: Mapping[str, bytes]) -> list[str]:
    """What a project made of `files` installs from the registry."""
    chassis = tomllib.loads(files["chassis/python/pyproject.toml"].decode())["project"]
    tools = tomllib.loads(files["pyproject.toml"].decode())["dependency-groups"]["dev"]
    return sorted({*chassis["dependencies"], *chassis["optional-dependencies"]["fast"], *tools})


def environment(wanted: list[str]) -> Path:
    """The interpreter of an environment with `wanted`, made when there is none yet."""
    key = hashlib.sha256("\n".join([sys.version, *wanted]).encode()).hexdigest()[:12]
    folder = FOLDER / key
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "complete"
    FOLDER.mkdir(exist_ok=True)
    # tests of several files run at once, and all of them want it
    with FileLock(FOLDER / f"{key}.lock"):
        if not done.exists():
            (FOLDER / ".gitignore").write_text("*\n")
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
            done.touch()
    return python


@dataclass(frozen=True)
class Project:
    """A folder of files and the interpreter that runs them."""

    root: Path
    python: Path

    @cached_property
    def env(self) -> dict[str, str]:
        """What a developer's shell would give, without the settings of the tests that run this."""
        sources = [path for path in sorted(self.root.glob("**/src")) if path.is_dir()]
        paths = {"PYTHONPATH": os.pathsep.join(map(str, sources)), "PYTHONDONTWRITEBYTECODE": "1"}
        worker = os.environ.get("PYTEST_XDIST_WORKER", "")
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        tools = {"PATH": f"{self.python.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        return {**kept, **tools, **paths, "MYPY_CACHE_DIR": str(FOLDER / f"mypy{worker}"), "NO_COLOR": "1"}

    def attempt(self, *command: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run `python command...` in the project, whatever comes of it."""
        return subprocess.run(
            [self.python, *command],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
        )

    def run(self, *command: str, timeout: float = 300) -> str:
        """Run `python command...` in the project; returns what it prints. Fails when it fails."""
        done = self.attempt(*command, timeout=timeout)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-12000:]}\n{done.stderr[-4000:]}"
        return done.stdout


def put(files: Iterable[File], root: Path) -> None:
    """Write files as they are, without the project writer's memory of them."""
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.contents)
