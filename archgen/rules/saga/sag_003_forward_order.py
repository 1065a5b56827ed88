"""What was done first is undone first."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        [f for f in facts.of("saga.engine") if not f["backwards"]],
        lambda f: f"{f['function']} undoes the steps in the order in which they were done",
    )


RULE = Rule(
    id="SAG-003",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="Compensations in forward order",
    why=(
        "Later steps build on earlier ones: undoing the ground first makes the rest fail, or "
        "undoes what others still use."
    ),
    remedy="Walk the steps that ran backwards.",
    languages=("python",),
    valid=(
        Sample("python", {
            "a.py": """
                class Engine:
                    async def compensate(self, done):
                        for step in reversed(done):
                            try:
                                await self.invoke(step.undo)
                            except Exception as error:
                                self.park(step, error)
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                class Engine:
                    async def compensate(self, done):
                        for step in done:  # <-
                            try:
                                await self.invoke(step.undo)
                            except Exception as error:
                                self.park(step, error)
            """,
        }),
    ),
    check=check,
)  # fmt: skip
