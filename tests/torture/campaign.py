"""Generates the shop in both styles, tortures one after the other, and sums up."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import IO, Any

from tests.generated.environment import dependencies, environment
from tests.torture.shop import REPOSITORY, STYLES, generate


@dataclass(frozen=True)
class Project:
    """A generated shop, and the interpreter that has what it depends on."""

    root: Path
    style: str
    python: Path

    def torture(self, result: Path, *options: str, output: IO[str] | None = None) -> subprocess.Popen[str]:
        """Start a run in a process of its own, which writes its outcome to `result`."""
        command = [
            str(self.python),
            "-m",
            "tests.torture",
            "--project",
            str(self.root),
            "--style",
            self.style,
        ]
        sources = [path for path in sorted(self.root.glob("**/src")) if path.is_dir()]
        return subprocess.Popen(
            [*command, "--json", str(result), *options],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, sources)),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            text=True,
        )


def project(folder: Path, style: str) -> Project:
    """A new shop in `folder`."""
    root = generate(folder, style)
    files = {name: (root / name).read_bytes() for name in ("pyproject.toml", "chassis/python/pyproject.toml")}
    return Project(root, style, environment(dependencies(files)))


def outcome(result: Path) -> dict[str, Any]:
    """What a run wrote. Raises FileNotFoundError when it did not come that far."""
    read: dict[str, Any] = json.loads(result.read_text("utf-8"))
    return read


def leave_in_order() -> None:
    """Make SIGTERM end this process through every `finally`, so that what it started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the worst exit code of the runs."""
    options, passed_on = _parse(arguments)
    leave_in_order()
    worst = 0
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        for style in options.styles:
            shop = project(Path(folder) / style, style)
            result = Path(folder) / f"{style}.json"
            run = shop.torture(result, "--seed", str(options.seed), *passed_on)
            try:
                worst = max(worst, run.wait())
            finally:
                run.terminate()
                run.wait()
    return worst


def _parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """What is not known here is for the runs; `python -m tests.torture --project . --help` lists it."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--styles", nargs="+", choices=STYLES, default=STYLES)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    return parser.parse_known_args(arguments)
