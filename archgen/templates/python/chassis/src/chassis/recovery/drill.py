"""The fire drill: destroys the data of a running system, restores it, and measures what that cost.

The system runs in a temporary folder with customers at work. A backup is taken, work goes on, then data
is deleted under `kill -9`. What is restored must contradict nothing, and no promise may be broken.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from chassis.db import Database
from chassis.messages import Message
from chassis.recovery import stream
from chassis.recovery.errors import RecoveryError
from chassis.recovery.invariants import CHECKS, Evidence, judge, keep
from chassis.recovery.layout import FILE, Layout, load
from chassis.recovery.restore import wiring
from chassis.testing.demo import Request
from chassis.testing.system import BROKER, System

EVERYTHING = "everything"
REST = 0.3  # seconds between looks whether all work is done
PATIENCE = 120.0
Check = Callable[[Evidence], Sequence[str]]


@dataclass(frozen=True)
class Work:
    """A request made again and again, each under a new id, and the events of which one ends it."""

    service: str
    path: str
    id_field: str
    body: dict[str, Any]
    ends_on: Sequence[str]


@dataclass(frozen=True)
class Plan:
    """What is drilled. `seconds` of work before the backup, and again before the disaster."""

    project: Path
    work: Work
    prepare: Sequence[Request] = ()
    checks: Sequence[Check] = ()
    seconds: float = 4.0


@dataclass
class Outcome:
    """What it cost. Times are Unix times; `acknowledged` are ids and when they were."""

    lost_part: str
    acknowledged: dict[str, float]
    copied_at: float
    destroyed_at: float
    ready_at: float = 0.0
    rested_at: float = 0.0
    lost: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @property
    def rpo(self) -> float:
        """Seconds of acknowledged work that is gone, counted back from the disaster."""
        return self.destroyed_at - min((self.acknowledged[id] for id in self.lost), default=self.destroyed_at)

    @property
    def rto(self) -> float:
        return self.rested_at - self.destroyed_at


class Customers:
    """Threads that make the request until they are told to stop."""

    def __init__(self, system: System, work: Work, count: int = 3) -> None:
        self.acknowledged: dict[str, float] = {}
        self._url, self._work = system.url(work.service), work
        self._headers = system.headers(work.service, work.body)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(15)

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, headers=self._headers, timeout=5, trust_env=False) as client:
            while not self._stop.is_set():
                id = str(uuid4())
                body = {**self._work.body, self._work.id_field: id}
                try:
                    answer = client.post(self._work.path, json=body, headers={"X-Correlation-Id": id})
                    if answer.status_code == 201:
                        self.acknowledged[id] = time.time()
                except httpx.HTTPError:
                    self._stop.wait(0.1)
                self._stop.wait(0.02)


def drill(plan: Plan, lost_part: str) -> Outcome:
    """Lose `lost_part` (a service, `broker` or `everything`), bring it back, and look.

    Raises RecoveryError when a command failed, and NotReady when a process did not start.
    """
    with tempfile.TemporaryDirectory(prefix="drill-") as folder, System(plan.project, Path(folder)) as system:
        for request in plan.prepare:
            url, headers = system.url(request.service), system.headers(request.service, request.body)
            answer = httpx.post(
                url + request.path, json=request.body, headers=headers, timeout=10, trust_env=False
            )
            answer.raise_for_status()
        outcome = _destroy(plan, system, lost_part)
        _bring_back(plan, system, lost_part)
        outcome.ready_at = time.time()
        # It must also be fit for work again.
        customers = Customers(system, plan.work, 1)
        time.sleep(0.5)
        customers.stop()
        if not customers.acknowledged:
            outcome.violations.append("nothing was accepted after the recovery")
        layout = load(plan.project / FILE, system.env)
        asyncio.run(_rest(layout, system))
        outcome.rested_at = time.time()
        _judge(plan, system, layout, outcome, customers.acknowledged)
        return outcome


def _destroy(plan: Plan, system: System, lost_part: str) -> Outcome:
    customers = Customers(system, plan.work)
    try:
        time.sleep(plan.seconds)
        copied_at = time.time()
        _command(plan, system, "backup")
        time.sleep(plan.seconds)
    finally:
        for name in _processes(system, lost_part):
            system.kill(name)
        destroyed_at = time.time()
        time.sleep(0.5)  # who is left goes on meanwhile
        customers.stop()
    data = system.folder / "data"
    if lost_part in (BROKER, EVERYTHING):
        shutil.rmtree(data / "nats")
    for name in system.services if lost_part == EVERYTHING else [lost_part]:
        for file in data.glob(f"{name}.db*"):
            file.unlink()
    return Outcome(lost_part, dict(customers.acknowledged), copied_at, destroyed_at)


def _bring_back(plan: Plan, system: System, lost_part: str) -> None:
    lost = _processes(system, lost_part)
    if BROKER in lost:
        system.start(BROKER)
    only = [] if lost_part == EVERYTHING else ["--only", lost_part]
    _command(plan, system, "restore", *only)
    system.start(*(name for name in lost if name != BROKER))


def _processes(system: System, lost_part: str) -> list[str]:
    """What is killed: without the broker's data all of them, else the service and its workers."""
    whole = lost_part in (BROKER, EVERYTHING)
    return [
        name for name in system.commands if whole or name == lost_part or name.startswith(f"{lost_part}-")
    ]


def _command(plan: Plan, system: System, *arguments: str) -> None:
    """Run the very command that an operator would."""
    layout = str(plan.project.resolve() / FILE)
    command = [sys.executable, "-m", "chassis.recovery", *arguments, "--layout", layout]
    done = subprocess.run(
        command, cwd=system.folder, env=system.env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RecoveryError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")


async def _rest(layout: Layout, system: System) -> None:
    """Return when nothing is on its way any more. Raises RecoveryError when that takes too long."""
    deadline, quiet = time.monotonic() + PATIENCE, 0
    async with stream.connected(layout.broker) as client:
        while quiet < 3:
            if time.monotonic() > deadline:
                raise RecoveryError(f"work is still not done {PATIENCE:.0f} s after the recovery")
            infos = await client.jsm().consumers_info(layout.system)
            pending = sum((info.num_pending or 0) + (info.num_ack_pending or 0) for info in infos)
            kept = _kept(system, layout)
            still = pending + sum(
                one.waiting
                + sum(status not in ("done", "compensated", "stuck") for _, _, status in one.sagas)
                for one in kept.values()
            )
            quiet = 0 if still else quiet + 1
            await asyncio.sleep(REST)


def _kept(system: System, layout: Layout) -> dict[str, Any]:
    found = {}
    for name, url in layout.databases.items():
        db = Database(_absolute(url, system.folder), connections=1)
        try:
            found[name] = db.submit(lambda conn, name=name: keep(wiring(name), conn)).result()  # type: ignore[misc]
        finally:
            db.close()
    return found


def _absolute(url: str, folder: Path) -> str:
    return url.replace("sqlite:///data/", f"sqlite:///{folder.as_posix()}/data/")


async def _read(layout: Layout) -> list[Message]:
    async with stream.connected(layout.broker) as client:
        return await stream.read(client, layout.system, 1)


def _judge(plan: Plan, system: System, layout: Layout, outcome: Outcome, later: dict[str, float]) -> None:
    evidence = Evidence(_kept(system, layout), asyncio.run(_read(layout)))
    outcome.violations += judge(evidence)
    for check in plan.checks:
        outcome.violations += check(evidence)
    states = evidence.kept[plan.work.service].states.values()
    known = {id for of_type in states for id in of_type}
    ended = {
        message.correlation_id
        for message in evidence.messages
        if message.address.partition(".event.")[2] in plan.work.ends_on
    }
    outcome.lost = sorted(outcome.acknowledged.keys() - known)
    early = [id for id in outcome.lost if outcome.acknowledged[id] < outcome.copied_at]
    outcome.violations += [f"{id} was acknowledged before the backup and is gone" for id in early]
    missing = ((outcome.acknowledged.keys() | later.keys()) & known) - ended
    outcome.violations += [f"{id} exists and never came to its end" for id in sorted(missing)]


def run(plan: Plan, lost_parts: Sequence[str]) -> int:
    """Drill them one after the other and print what came out; 1 when a promise was broken."""
    broken = 0
    promised = load(plan.project / FILE)
    for lost_part in lost_parts:
        print(f"\nLosing {lost_part}", flush=True)
        try:
            outcome = drill(plan, lost_part)
        except RecoveryError as error:
            print(f"  FAILED: {error}", flush=True)
            broken += 1
            continue
        broken += _report(outcome, promised)
    return 1 if broken else 0


def _report(outcome: Outcome, promised: Layout) -> int:
    before = sum(at < outcome.copied_at for at in outcome.acknowledged.values())
    after = len(outcome.acknowledged) - before
    print(f"  acknowledged   {before} before the backup, {after} after it; lost {len(outcome.lost)}")
    rows = (
        ("RPO", outcome.rpo, promised.rpo, "since the oldest acknowledged work that is gone"),
        ("RTO", outcome.rto, promised.rto, f"ready after {outcome.ready_at - outcome.destroyed_at:.1f} s"),
    )
    broken = bool(outcome.violations)
    for name, measured, limit, note in rows:
        kept = limit is None or measured <= limit
        broken |= not kept
        promise = "nothing promised" if limit is None else f"promised {limit:.0f} s"
        print(f"  {name}  measured {measured:6.1f} s   {promise}   {'kept' if kept else 'BROKEN'}   ({note})")
    if not outcome.violations:
        print(f"  all {len(CHECKS)} invariants hold")
    for text in outcome.violations[:20]:
        print(f"  VIOLATED  {text}")
    sys.stdout.flush()
    return int(broken)
