"""A step before the last has nothing that takes it back."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_UNDO = re.compile(
    r"[\s({,\"'](undo|compensat\w*|rollback|revert|cancel|backward)[\"']?\s*[:=](?!\s*(None|null|nil|undefined)\b)",
    re.IGNORECASE,
)
_READS = re.compile(r"[\s(.](check|validate|verify|get|find|lookup|notify)", re.IGNORECASE)


def check(facts: Facts) -> Iterable[Hit]:
    for saga in facts.of("saga.definition"):
        for number, step in enumerate(saga["texts"][:-1], 1):
            if not _UNDO.search(step) and not _READS.search(step):
                yield Hit(
                    saga.file,
                    saga.line,
                    f"step {number} of {saga['name']} has no compensation: {' '.join(step.split())[:50]}",
                    saga.strength,
                )
    if not facts.has("saga.definition"):
        yield from _choreographed(facts)


# What is done and what takes it back, where the words leave no doubt.
_OPPOSITES = {
    "charge": "refund", "reserve": "release", "allocate": "deallocate", "debit": "credit",
    "authorize": "void", "hold": "release", "book": "unbook", "lock": "unlock",
}  # fmt: skip


def _choreographed(facts: Facts) -> Iterable[Hit]:
    """A service that does a step on an event, could take it back, and hears of nothing that makes it."""
    reactions = list(facts.of("saga.reaction"))
    for reaction in reactions:
        opposite = _OPPOSITES.get(str(reaction["command"]).lower(), "")
        own = facts.service_of(reaction.file)
        if not opposite or own is None:
            continue
        there = any(
            f.name.lower() == opposite and facts.service_of(f.file) is own
            for _, f in facts.program.functions()
        )
        done = any(
            str(other["command"]).lower() == opposite and facts.service_of(other.file) is own
            for other in reactions
        )
        if there and not done:
            message = (
                f"{reaction['command']} is done on {reaction['event']}, and no event leads to {opposite}"
            )
            yield Hit(reaction.file, reaction.line, message, reaction.strength)


RULE = Rule(
    id="SAG-002",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="Step without compensation",
    why="When a later step fails, what this one did stays.",
    remedy="Name the command that undoes it, or move the step to the end, after which nothing can fail.",
    languages=("python", "typescript",),
    valid=(
        Sample("python", {  # a method that is handed a variable, and no event of that name
            "app.py": """
                from fastapi import FastAPI
                app = FastAPI()
                async def charge_succeeded(session, charge):
                    await payment.handle_success(session, charge)
                async def refund(session, charge):
                    ...
            """,
        }),
        Sample("python", {
            "a.py": """
                s = Saga(steps=[Step(Charge, undo=Refund), Step(CheckStock), Step(Ship)])
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                const s = new Saga([{ invoke: charge, compensate: refund }, { invoke: ship }]);
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                s = Saga(steps=[Step(Charge, undo=Refund), Step(Reserve), Step(Ship)])  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                const s = new Saga([ // <-
                  { invoke: charge, compensate: refund }, { invoke: reserve }, { invoke: ship },
                ]);
            """,
        }),
    ),
    check=check,
)  # fmt: skip
