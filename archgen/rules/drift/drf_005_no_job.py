"""A job is declared, and its service has no function that does it."""

import re
from collections.abc import Iterable

from archgen.evidence.code.names import plain
from archgen.evidence.facts import Facts
from archgen.rules.drift.code import bearing, declared, home, modules, word
from archgen.rules.drift.samples import LANGUAGES, SYSTEM, sample
from archgen.rules.model import Hit, Rule, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for one in declared(facts, "job"):
        service, job = str(one["service"]), str(one["job"])
        if home(facts, service) is None:
            continue
        named = re.compile(rf"(handle|do|run|on)?_?{word(job)}(_?(?i:job|handler|task|worker))?")
        code = list(modules(facts, service))
        functions = [function for module in code for function in module.functions]
        there = (*(f.name for f in functions), *(c.name for module in code for c in module.classes))
        # or a function is given what bears the name of the job
        told = bearing(facts, service, job)
        taken = (plain(type_) for function in functions for type_ in function.params.values())
        if not any(named.fullmatch(name) for name in there) and told.isdisjoint(taken):
            yield Hit(one.file, one.line, f"job {job} is declared, and no code of {service} does it")


_JOB = SYSTEM + "    jobs:\n      reconcile: {schedule: '0 3 * * *'}"
_DONE = {
    "python": {"orders/jobs/reconcile.py": "async def reconcile(due, work):\n    await work.do()\n"},
    "typescript": {"orders/reconcile.ts": "export async function reconcile(due) {\n  await work(due);\n}\n"},
    "go": {"orders/reconcile.go": "package main\nfunc Reconcile(due int) { work(due) }\n"},
    "java": {"orders/src/main/java/ReconcileJob.java": "class ReconcileJob { void run() { work(); } }\n"},
}
_RENAMED = {
    "orders/jobs.py": "class Nightly:\n    NAME = 'reconcile'\n",
    "orders/compare.py": "from jobs import Nightly\nasync def compare(due: Nightly):\n    await work()\n",
}

RULE = Rule(
    id="DRF-005",
    item="job_queues",
    kind="defect",
    severity=Severity.ERROR,
    title="Declared job without code",
    why="Work that everybody believes to be done every night is never done.",
    remedy="Run `archgen architect run`, or take the job out of the description.",
    languages=LANGUAGES,
    valid=(
        *(sample(language, _JOB + "\n", _DONE[language]) for language in LANGUAGES),
        sample("python", _JOB + "\n", _RENAMED),
    ),
    invalid=tuple(sample(language, _JOB + "  # <-\n", {}) for language in LANGUAGES),
    check=check,
)
