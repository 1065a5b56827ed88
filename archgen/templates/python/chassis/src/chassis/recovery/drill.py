"""The fire drill: destroys the data of a running system, restores it, and measures what that cost.

The system runs in a temporary folder with customers at work. A backup is taken, work goes on, then data
is deleted under `kill -9`. What is restored must contradict nothing, and no promise may be broken.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chassis.db import Database
from chassis.messages import Message
from chassis.recovery import stream
from chassis.recovery.customers import Customers, Work
from chassis.recovery.errors import RecoveryError
from chassis.recovery.invariants import CHECKS, Evidence, judge, keep
from chassis.recovery.layout import FILE, Layout, load
from chassis.recovery.restore import wiring
from chassis.recovery.stores import SQLITE, STORES, WAL, Store, opened
from chassis.testing.demo import Request
from chassis.testing.system import BROKER, System

EVERYTHING, DATABASES = "everything", "databases"
REST = 0.3  # seconds between looks whether all work is done
PATIENCE = 120.0
Check = Callable[[Evidence], Sequence[str]]


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


def drill(plan: Plan, lost_part: str, kind: str = SQLITE) -> Outcome:
    """Lose `lost_part` (a service, `databases`, `broker` or `everything`), bring it back, and look.

    The services keep their data in a store of that kind. Raises RecoveryError when a command failed, and
    NotReady when a process did not start.
    """
    services = list(load(plan.project / FILE).databases)
    with (
        tempfile.TemporaryDirectory(prefix="drill-") as folder,
        opened(kind, services, Path(folder)) as store,
        System(plan.project, Path(folder), store.env) as system,
    ):
        for request in plan.prepare:
            url, headers = system.url(request.service), system.headers(request.service, request.body)
            answer = httpx.post(
                url + request.path, json=request.body, headers=headers, timeout=10, trust_env=False
            )
            answer.raise_for_status()
        all_of_them = lost_part in (DATABASES, EVERYTHING)
        lost = [name for name in services if all_of_them or name == lost_part]
        outcome = _destroy(plan, system, store, lost_part, lost)
        _bring_back(plan, system, store, lost_part, lost)
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


def _destroy(plan: Plan, system: System, store: Store, lost_part: str, lost: Sequence[str]) -> Outcome:
    customers = Customers(system, plan.work)
    try:
        time.sleep(plan.seconds)
        copied_at = time.time()
        _command(plan, system, "backup")
        store.back_up()
        time.sleep(plan.seconds)
    finally:
        for name in _processes(system, lost_part):
            system.kill(name)
        destroyed_at = time.time()
        time.sleep(0.5)  # who is left goes on meanwhile
        customers.stop()
    if lost_part in (BROKER, EVERYTHING):
        shutil.rmtree(system.folder / "data" / "nats")
    store.lose(lost)
    return Outcome(lost_part, dict(customers.acknowledged), copied_at, destroyed_at)


def _bring_back(plan: Plan, system: System, store: Store, lost_part: str, lost: Sequence[str]) -> None:
    killed = _processes(system, lost_part)
    if BROKER in killed:
        system.start(BROKER)
    store.prepare(lost)
    if not store.whole:
        parts = [*lost, *([BROKER] if lost_part in (BROKER, EVERYTHING) else [])]
        _command(plan, system, "restore", *_only(parts))
    elif BROKER in killed:
        _command(plan, system, "restore", *_only([BROKER]))
    else:
        _command(plan, system, "replay", *_only(lost))
    system.start(*(name for name in killed if name != BROKER))


def _only(parts: Sequence[str]) -> list[str]:
    return [word for part in parts for word in ("--only", part)]


def _processes(system: System, lost_part: str) -> list[str]:
    """What is killed: without the broker's data all of them, else the services and their workers."""
    if lost_part == DATABASES:
        return [name for name in system.commands if name != BROKER]
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


def main(plan: Plan, lost_parts: Sequence[str], arguments: Sequence[str] | None = None) -> int:
    """The command line: drill what is named, or `lost_parts`; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description="Lose data, bring it back, and say what that cost.")
    parser.add_argument("lose", nargs="*", help=f"what is lost in turn; default: {' '.join(lost_parts)}")
    parser.add_argument("--store", choices=STORES, default=SQLITE, help="where the services keep their data")
    options = parser.parse_args(arguments)
    known = {BROKER, DATABASES, EVERYTHING, *load(plan.project / FILE).databases}
    if unknown := sorted(set(options.lose) - known):
        parser.error(f"there is no {unknown[0]!r} to lose; there are {', '.join(sorted(known))}")
    together = [part for part in lost_parts if part in (EVERYTHING, DATABASES, BROKER)]
    return run(plan, options.lose or (together if options.store == WAL else lost_parts), options.store)


def run(plan: Plan, lost_parts: Sequence[str], kind: str = SQLITE) -> int:
    """Drill them one after the other and print what came out; 1 when a promise was broken."""
    broken = 0
    promised = load(plan.project / FILE)
    for lost_part in lost_parts:
        print(f"\nLosing {lost_part}, on {kind}", flush=True)
        try:
            outcome = drill(plan, lost_part, kind)
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
