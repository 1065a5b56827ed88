"""Tortures one generated shop; it imports the shop's chassis, so it runs with the project's Python.

Exit codes: 0 all invariants hold, 1 some do not, 2 the run could not be carried out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom

import httpx
from chassis.testing import NotReady, System

from tests.torture import breakage, evidence, invariants, plan, quiet, report
from tests.torture.customers import PATIENCE, Customers
from tests.torture.databases import Databases
from tests.torture.echoes import Echoes
from tests.torture.plan import Plan
from tests.torture.shop import GIVES_UP

PARTICIPANTS = ("payments", "inventory", "shipping")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # leave through every `with`
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="torture-")))
        try:
            return torture(options.project.resolve(), folder, options)
        except NotReady as error:
            print(f"the system did not start: {error}", file=sys.stderr)
            return 2


def torture(project: Path, folder: Path, options: argparse.Namespace) -> int:
    """One run: break, mend, wait, judge, report."""
    system = System(project, folder, {"PYTHONPATH": sources(project), "LOG_LEVEL": "INFO"})
    schedule = plan.make(
        options.seed,
        list(system.commands),
        PARTICIPANTS,
        orders=options.orders,
        seconds=options.seconds,
        cancelled=options.cancelled,
        gives_up=GIVES_UP,
    )
    say(
        f"torture: {options.style}, seed {options.seed}: {options.orders} orders, "
        f"{len(schedule.faults)} faults"
    )
    for fault in schedule.faults:
        say(f"  {fault}")
    databases = Databases(folder.resolve() / "data", system.services)
    broker_url: str = system.env["BROKER_URL"]
    with system:
        _stock(system.url("inventory"), schedule)
        began = time.monotonic()
        customers = Customers(system.url("orders"), schedule.orders, began)
        with Echoes(broker_url, "shop", options.seed) as echoes:
            customers.start()
            done = breakage.carry_out(schedule.faults, system, began, say)
            for name in system.commands:
                system.wait_ready(name, 60)
            customers.join(PATIENCE + 10)
            placing = time.monotonic() - began
            echoes.finish()
        mended = time.monotonic()
        resumed: list[int] = []
        unrest = quiet.settle(
            lambda: quiet.look(databases, broker_url),
            options.patience,
            lambda: resumed.append(_resume(system)),
            say,
        )
        settling = time.monotonic() - mended
        found = evidence.gather(options.style, schedule, customers.ledger, databases, system.url, broker_url)
        down = [name for name in system.commands if not system.running(name)]
        codes = system.stop()
    violations = invariants.judge(found)
    violations += [invariants.Violation("quiescence", str(unrest))] if unrest else []
    if sum(resumed):
        # Nothing was under way any more, so every participant had answered.
        text = f"{sum(resumed)} sagas were stuck although nothing was under way"
        violations.append(invariants.Violation("no saga needs a person", text))
    for name in [*down, *done.ended_by_itself]:
        violations.append(
            invariants.Violation("processes", f"{name} ended by itself: {system.log(name, 15)}")
        )
    violations += [
        invariants.Violation("processes", f"{name} ended with {code} when asked to stop")
        for name, code in codes.items()
        if code
    ]
    figures = report.Figures(placing, settling, sum(resumed))
    rows = report.table(found, done, figures)
    say(report.render(found, violations, rows, figures))
    say(
        f"torture: {options.style}, seed {options.seed}: "
        + ("BROKEN" if violations else "all invariants hold")
    )
    if options.json:
        rules = sorted({violation.rule for violation in violations})
        result = {
            "counts": dict(rows),
            "missing": report.missing(rows),
            "broken": rules,
            "settling": settling,
        }
        options.json.write_text(json.dumps(result), "utf-8")
    return 1 if violations else 0


def sources(project: Path) -> str:
    """The project's own code comes first, whatever is installed in the environment."""
    folders = [project / "chassis" / "python" / "src", *sorted((project / "services").glob("*/src"))]
    return os.pathsep.join(map(str, folders))


def _stock(url: str, schedule: Plan) -> None:
    for sku, quantity in schedule.stock.items():
        body = {"sku": sku, "quantity": quantity}
        answer = httpx.post(f"{url}/stocks", json=body, timeout=10, trust_env=False)
        answer.raise_for_status()


def _resume(system: System) -> int:
    """What an operator types when sagas are stuck; returns how many were."""
    environment = {**system.env, "DATABASE_URL": f"sqlite:///{system.folder}/data/orders.db"}
    command = [sys.executable, "-m", "chassis", "resume", "orders"]
    answer = subprocess.run(
        command, env=environment, cwd=system.folder, capture_output=True, text=True, timeout=60, check=False
    )
    say(f"  resuming stuck sagas: {answer.stdout.strip() or answer.stderr.strip()[-300:]}")
    return int(answer.stdout.split()[0]) if answer.returncode == 0 else 0


def say(text: str) -> None:
    print(text, flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--project", type=Path, required=True, help="the generated shop")
    parser.add_argument("--style", choices=("orchestration", "choreography"), required=True)
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long things are broken")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--cancelled", type=float, default=0.08, help="share of orders cancelled in flight")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to become quiet in")
    parser.add_argument("--keep", type=Path, help="an empty folder for data and logs, kept afterwards")
    parser.add_argument("--json", type=Path, help="write the result here as well")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
