"""A compensation that does nothing and reports success."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("saga.noop"), lambda f: f"{f['function']} undoes nothing ({f['what']})")


RULE = Rule(
    id="SAG-005",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="Compensation that does nothing",
    why="The saga believes that the step was taken back, and the money stays where it went.",
    remedy="Undo the step, or say in the saga that it needs no undoing.",
    languages=("python", "typescript", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                def refund(c):
                    gateway.refund(c.id)
                Saga(steps=[Step(charge, undo=refund), Step(ship)])
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { List<Event> process(ReverseCommand c) { return reversed(c); } }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function refund(c) {
                  gateway.refund(c.id);
                }
                const s = new Saga([{ invoke: charge, compensate: refund }, { invoke: ship }]);
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                def refund(c):  # <-
                    pass
                charging = Step(charge, undo=refund)
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  List<Event> process(ReverseCommand c) { return Collections.emptyList(); } // <-
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function refund(c) { // <-
                }
                const s = new Saga([{ invoke: charge, compensate: refund }, { invoke: ship }]);
            """,
        }),
    ),
    check=check,
)  # fmt: skip
