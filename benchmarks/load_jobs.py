"""Measures one job queue: throughput, and what a `kill -9` of its worker does. Prints one line of JSON.

Run in an environment with the chassis, its test servers and the libraries; `benchmarks.jobs` makes one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from chassis.testing.servers import Nats, Postgres

HERE = Path(__file__).parent
PATIENCE = 60.0


class Measurement:
    """`server` is what the contender needs besides files: `postgres`, `nats` or nothing."""

    def __init__(self, contender: str, server: str, folder: Path) -> None:
        self.contender, self.server, self.folder = contender, server, folder

    def throughput(self, count: int) -> tuple[float, float]:
        """Jobs enqueued and jobs done per second."""
        with self._place("throughput") as place:
            seconds = self._enqueue(place, count)
            worker = self._work(place, 32)
            try:
                effects = self._until(place, count)
            finally:
                _kill(worker)
        times = sorted(at for _, at in effects)
        return count / seconds, (len(times) - 1) / (times[-1] - times[0])

    def killed(self, count: int) -> tuple[int, int, float]:
        """Jobs lost, jobs whose row was written more than once, and seconds from the kill to the last one."""
        with self._place("killed") as place:
            self._enqueue(place, count, before=0.1, after=0.1)
            worker = self._work(place, 4)
            # Once just after rows were written, and once before the next ones are.
            for done, later in ((6, 0.0), (20, 0.13)):
                self._until(place, done)
                time.sleep(later)
                _kill(worker)
                at = time.time()
                worker = self._work(place, 4)
            try:
                self._until(place, count)
                time.sleep(2)  # for repetitions that are still to come
                effects = self._effects(place)
            finally:
                _kill(worker)
        done = {job for job, _ in effects}
        return count - len(done), len(effects) - len(done), max(when for _, when in effects) - at

    @contextlib.contextmanager
    def _place(self, name: str) -> Iterator[list[str]]:
        folder = self.folder / name
        folder.mkdir(parents=True)
        with _server(self.server) as url:
            yield ["--folder", str(folder), "--url", url]

    def _enqueue(self, place: list[str], count: int, before: float = 0.0, after: float = 0.0) -> float:
        """Returns the seconds that enqueuing took, without the start of the process."""
        waits = ["--before", str(before), "--after", str(after)]
        self._waits = waits
        command = [*self._command("enqueue", place), "--count", str(count), *waits]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{self.contender}: {done.stderr[-3000:]}")
        return float(done.stdout.splitlines()[-1])

    def _work(self, place: list[str], slots: int) -> subprocess.Popen[bytes]:
        command = [*self._command("work", place), "--slots", str(slots), *self._waits]
        with (self.folder / "worker.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def _command(self, role: str, place: list[str]) -> list[str]:
        return [sys.executable, str(HERE / "queue_contenders.py"), self.contender, role, *place]

    def _until(self, place: list[str], count: int) -> list[tuple[int, float]]:
        """The effects, once there are those of `count` jobs, or when patience has ended."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            effects = self._effects(place)
            if len({job for job, _ in effects}) >= count:
                break
            time.sleep(0.05)
        return self._effects(place)

    def _effects(self, place: list[str]) -> list[tuple[int, float]]:
        if self.server == "postgres":
            return _query_postgres(place[3])
        with contextlib.closing(sqlite3.connect(f"{place[1]}/effects.db", timeout=30)) as connection:
            return connection.execute("SELECT job, at FROM effects").fetchall()


def _query_postgres(url: str) -> list[tuple[int, float]]:
    with psycopg.connect(url) as connection:
        found: list[tuple[int, float]] = connection.execute("SELECT job, at FROM effects").fetchall()
        return found


@contextlib.contextmanager
def _server(kind: str) -> Iterator[str]:
    """A server of its own for one measurement, from the wheels that the chassis's tests use."""
    if not kind:
        yield ""
        return
    with Postgres(durable=True) if kind == "postgres" else Nats() as server:
        yield server.url


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender")
    parser.add_argument("--server", choices=("", "postgres", "nats"), default="")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--killed", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jobs-") as folder:
        measurement = Measurement(options.contender, options.server, Path(folder))
        enqueued, done = measurement.throughput(options.count)
        lost, repeated, seconds = measurement.killed(options.killed)
    found = {"enqueued": enqueued, "done": done, "lost": lost, "repeated": repeated, "seconds": seconds}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
