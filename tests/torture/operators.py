"""Those who run the shop: they rebuild views while it serves, enqueue jobs, and mend what got stuck."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.torture.caller import Caller
from tests.torture.machinery import Machinery, program
from tests.torture.plan import Errand

TRIES = 8


@dataclass
class Log:
    """What they did; only after `join`."""

    rebuilds: int = 0
    rebuilds_killed: int = 0
    jobs: list[str] = field(default_factory=list)  # ids of those that were accepted
    problems: list[str] = field(default_factory=list)


class Operators:
    """A thread that runs the errands, each at its time after `began` (time.monotonic)."""

    def __init__(
        self, machinery: Machinery, caller: Callable[[], Caller], errands: Sequence[Errand], began: float
    ) -> None:
        self.log = Log()
        self._machinery = machinery
        self._caller = caller
        self._errands = errands
        self._began = began
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout: float) -> bool:
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        with self._caller() as caller:
            for number, errand in enumerate(self._errands):
                time.sleep(max(0.0, self._began + errand.at - time.monotonic()))
                if errand.kind == "rebuild":
                    self._rebuild(errand)
                else:
                    self._enqueue(caller, errand, f"errand-{number}")

    def _enqueue(self, caller: Caller, errand: Errand, key: str) -> None:
        answer = caller.post(errand.service, f"/jobs/{errand.what}", {}, key)
        if answer is None or answer.status_code != 202:
            self.log.problems.append(f"{errand.what} was not enqueued: {answer and answer.text[:200]}")
            return
        self.log.jobs.append(answer.json()["id"])

    def _rebuild(self, errand: Errand) -> None:
        command = program("rebuild", errand.service, errand.what)
        if errand.killed_after is not None:
            process = subprocess.Popen(
                command,
                env=self._machinery.environment(errand.service),
                cwd=self._machinery.folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                process.wait(errand.killed_after)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self.log.rebuilds_killed += 1
            return
        for _ in range(TRIES):
            done = operate(self._machinery, *command[3:])
            if done.returncode == 0:
                self.log.rebuilds += 1
                return
            time.sleep(0.5)  # its database may be away
        self.log.problems.append(f"rebuild of {errand.what}: {done.stderr[-300:]}")


def operate(machinery: Machinery, command: str, service: str, *more: str) -> subprocess.CompletedProcess[str]:
    """What an operator types: `python -m chassis <command> <service> …`."""
    return subprocess.run(
        program(command, service, *more),
        env=machinery.environment(service),
        cwd=machinery.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def resume(machinery: Machinery, say: Callable[[str], None]) -> int:
    """Resume stuck sagas; returns how many there were."""
    return _counted(operate(machinery, "resume", "orders"), "resuming stuck sagas", say)


def redrive_jobs(machinery: Machinery, say: Callable[[str], None]) -> int:
    """Try all failed jobs again; returns how many there were."""
    count = 0
    for worker in sorted({name.partition("-worker")[0] for name in machinery.workers}):
        count += _counted(operate(machinery, "redrive-jobs", worker), f"failed jobs of {worker}", say)
    return count


def _counted(done: subprocess.CompletedProcess[str], what: str, say: Callable[[str], None]) -> int:
    say(f"  {what}: {done.stdout.strip() or done.stderr.strip()[-300:]}")
    first = done.stdout.split()[:1]
    return int(first[0]) if first and first[0].isdigit() else 0
