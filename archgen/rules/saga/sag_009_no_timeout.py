"""A step that is never answered holds its saga for ever."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    if facts.has("saga.definition"):
        for lack in facts.of("saga.no_deadline"):
            yield Hit(lack.file, lack.line, str(lack["why"]), lack.strength)
    if facts.has("saga.timeout"):
        return
    for saga in facts.of("saga.definition"):
        yield Hit(saga.file, saga.line, f"no step of {saga['name']} has a deadline", saga.strength)


RULE = Rule(
    id="SAG-009",
    item="saga",
    kind="defect",
    severity=Severity.WARNING,
    title="Saga without a timeout",
    why="The customer has paid, nothing is shipped, and no log says so.",
    remedy="Give each step a deadline, ask again, and then take back what was done.",
    languages=("python", "typescript"),
    valid=(
        Sample("python", {
            "a.py": """
                s = Saga(steps=[Step(Charge, undo=Refund), Step(Ship)])
                class SagaRunner:
                    def due(self, now):
                        return self.deadline < now
                SagaRunner().due(0)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                const s = new Saga([{ invoke: charge, compensate: refund }, { invoke: ship }]);
                class SagaRunner {
                  due(now) { return this.deadline < now; }
                }
                new SagaRunner().due(0);
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": "s = Saga(steps=[Step(Charge, undo=Refund), Step(Ship)])  # <-\n",
        }),
        Sample("typescript", {
            "a.ts": """
                // deadline: 30
                const s = new Saga([{ invoke: charge, compensate: refund }, { invoke: ship }]); // <-
            """,
        }),
    ),
    check=check,
)  # fmt: skip
