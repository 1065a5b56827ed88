"""Tortures one generated shop; it imports the shop's chassis, so it runs with the project's Python.

Exit codes: 0 all invariants hold, 1 some do not, 2 the run could not be carried out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import SystemRandom

from chassis.testing import NotReady

from tests.torture import breakage, evidence, invariants, plan, quiet, report
from tests.torture.caller import PATIENCE, Caller
from tests.torture.customers import Customers
from tests.torture.databases import Databases
from tests.torture.echoes import Echoes
from tests.torture.evidence import View
from tests.torture.gateway import Gateway
from tests.torture.invariants import Violation
from tests.torture.machinery import STORES, Machinery
from tests.torture.operators import Operators, operate, redrive_jobs, resume
from tests.torture.plan import DATABASE, Cast, Plan
from tests.torture.shop import GIVES_UP, LEASE

PARTICIPANTS = ("payments", "inventory", "shipping")
JOB = ("payments", "reconcile")


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
    gateway = Gateway(options.seed)
    env = {
        "PYTHONPATH": sources(project),
        "LOG_LEVEL": "INFO",
        "GATEWAY_URL": gateway.url,
        "JOB_LEASE_SECONDS": str(LEASE),
    }
    machinery = Machinery(project, folder, options.store, env)
    schedule = plan.make(
        options.seed,
        cast_of(machinery),
        orders=options.orders,
        seconds=options.seconds,
        cancelled=options.cancelled,
    )
    what = f"torture: {options.style} on {options.store}, seed {options.seed}"
    say(f"{what}: {options.orders} orders, {len(schedule.faults)} faults")
    for fault in schedule.faults:
        say(f"  {fault}")
    with gateway, machinery, contextlib.closing(Databases.at(machinery.database_urls)) as databases:

        def caller() -> Caller:
            return Caller(machinery.url, machinery.headers)

        _stock(caller, schedule)
        began = time.monotonic()
        customers = Customers(caller, schedule.orders, began)
        operators = Operators(machinery, caller, schedule.errands, began)
        with Echoes(machinery.broker_url, "shop", options.seed) as echoes:
            customers.start()
            operators.start()
            done = breakage.carry_out(schedule.faults, machinery, began, say)
            machinery.wait_ready(60)
            customers.join(2 * PATIENCE)
            operators.join(2 * PATIENCE)
            placing = time.monotonic() - began
            echoes.finish()
        mended = time.monotonic()
        resumed: list[int] = []
        redriven: list[int] = []

        def help() -> None:
            gateway.mend()
            resumed.append(resume(machinery, say) if options.style == "orchestration" else 0)
            redriven.append(redrive_jobs(machinery, say))

        def look() -> quiet.Unrest:
            return quiet.look(databases, machinery.broker_url)

        problems = operators.log.problems

        def rebuild(view: View) -> None:
            ended = operate(machinery, "rebuild", view.service, view.name)
            if ended.returncode:
                problems.append(f"rebuild of {view.name}: {ended.stderr[-300:]}")

        def gather() -> evidence.Evidence:
            with caller() as reader:
                return evidence.gather(
                    options.style,
                    schedule,
                    customers.ledger,
                    operators.log,
                    gateway.records,
                    databases,
                    reader,
                    machinery.broker_url,
                    rebuild,
                )

        unrest = quiet.settle(look, options.patience, help, say)
        settling = time.monotonic() - mended
        down = [name for name in machinery.processes if not machinery.running(name)]
        # Else a job would be due while all is being looked at. What came just before is done first.
        codes = {name: machinery.end(name) for name in machinery.workers if name not in down}
        if look():
            machinery.start(*codes)
            unrest = quiet.settle(look, options.patience, help, say)
            codes = {name: machinery.end(name) for name in codes}
        found = gather()
        codes |= machinery.stop()
    violations = invariants.judge(found)
    violations += [Violation("quiescence", str(unrest))] if unrest else []
    if sum(resumed):
        # Nothing was under way any more, so every participant had answered.
        text = f"{sum(resumed)} sagas were stuck although nothing was under way"
        violations.append(Violation("no saga needs a person", text))
    violations += _of_processes(machinery, [*down, *done.ended_by_itself], codes)
    figures = report.Figures(placing, settling, sum(resumed), sum(redriven))
    rows = report.table(found, done, figures)
    say(report.render(found, violations, rows, figures))
    say(f"{what}: " + ("BROKEN" if violations else "all invariants hold"))
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


def _of_processes(
    machinery: Machinery, ended: Sequence[str], codes: Mapping[str, int]
) -> Iterator[Violation]:
    """`ended` by themselves; `codes` of those that were asked to stop."""
    for name in ended:
        yield Violation("processes", f"{name} ended by itself: {machinery.log(name, 15)}")
    for name, code in codes.items():
        if code:
            yield Violation("processes", f"{name} ended with {code} when asked to stop")


def cast_of(machinery: Machinery) -> Cast:
    """Who plays in the plan."""
    return Cast(
        machinery.processes,
        PARTICIPANTS,
        machinery.workers,
        GIVES_UP,
        LEASE,
        # Freezing its first process would not stop a database server's others.
        frozenset({DATABASE}),
        tuple((view.service, view.name) for view in evidence.VIEWS),
        JOB,
    )


def sources(project: Path) -> str:
    """The project's own code comes first, whatever is installed in the environment."""
    folders = [project / "chassis" / "python" / "src", *sorted((project / "services").glob("*/src"))]
    return os.pathsep.join(map(str, folders))


def _stock(caller: Callable[[], Caller], schedule: Plan) -> None:
    with caller() as warehouse:
        for sku, quantity in schedule.stock.items():
            body = {"sku": sku, "quantity": quantity}
            answer = warehouse.post("inventory", "/stocks", body, f"stock-{sku}")
            if answer is None or answer.status_code != 201:
                raise RuntimeError(f"{sku} could not be received: {answer and answer.text}")


def say(text: str) -> None:
    print(text, flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--project", type=Path, required=True, help="the generated shop")
    parser.add_argument("--style", choices=("orchestration", "choreography"), required=True)
    parser.add_argument("--store", choices=STORES, default="sqlite", help="what the services keep data in")
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
