"""Whole processes, measured from outside: wall time as the median of several runs, and peak memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cost:
    """Seconds of the middle run and the peak memory of the largest, in MiB."""

    seconds: float
    mebibytes: float


def cost(command: Sequence[str], *, runs: int = 5, before: Callable[[], None] = lambda: None) -> Cost:
    """Run `command` `runs` times after one that is not counted; `before` tidies up each time."""
    walls, peaks = [], []
    for number in range(runs + 1):
        before()
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=as_users_have_it()
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        if process.returncode != 0:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {' '.join(command)}")
        if number:
            walls.append(wall)
            peaks.append(usage.ru_maxrss / 1024)
    return Cost(statistics.median(walls), max(peaks))


def as_users_have_it() -> dict[str, str]:
    """The environment without what keeps Python from compiling modules once and for all."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def result(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON in the last line that `command` prints. Raises RuntimeError, with its output, if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def size(folder: Path) -> tuple[int, int]:
    """Files and bytes below `folder`."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
