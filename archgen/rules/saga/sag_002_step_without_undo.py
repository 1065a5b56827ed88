"""A step before the last has nothing that takes it back."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_UNDO = re.compile(
    r"[\s({,\"'](undo|compensat\w*|rollback|revert|cancel|backward)[\"']?\s*[:=]", re.IGNORECASE
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
