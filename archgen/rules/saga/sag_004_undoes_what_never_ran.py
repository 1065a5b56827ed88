"""Every step is undone, whether it ran or not."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    yield from hits(
        [f for f in facts.of("saga.engine") if not f["only_done"]],
        lambda f: f"{f['function']} undoes every step, also those that never ran",
    )
    yield from hits(
        facts.of("saga.blind"),
        lambda f: f"{f['function']} is told the {f['param']} of the step, and undoes it whatever it is",
    )


RULE = Rule(
    id="SAG-004",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="Compensates steps that never ran",
    why="A refund without a charge gives money away.",
    remedy="Undo the steps that ran, and those whose outcome is not known.",
    languages=("python", "typescript", "java"),
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
        Sample("typescript", {
            "a.ts": """
                export class Engine {
                  async compensate(done) {
                    for (const step of done.reverse()) {
                      try { await this.invoke(step.undo); } catch (error) { this.park(step, error); }
                    }
                  }
                }
            """,
        }),
        Sample("java", {
            "Engine.java": """
                class Engine {
                  void compensate(List<Step> done) {
                    for (Step step : Lists.reverse(done)) {
                      try { invoke(step.undo()); } catch (Exception error) { park(step, error); }
                    }
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                class Engine:
                    async def compensate(self):
                        for step in reversed(self.steps):  # <-
                            await self.invoke(step.undo)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export class Engine {
                  async compensate(done) {
                    for (const step of this.steps.reverse()) { // <-
                      try { await this.invoke(step.undo); } catch (error) { this.park(step, error); }
                    }
                  }
                }
            """,
        }),
        Sample("java", {
            "Engine.java": """
                class Engine {
                  void compensate(List<Step> done) {
                    for (Step step : Lists.reverse(this.steps)) { // <-
                      try { invoke(step.undo()); } catch (Exception error) { park(step, error); }
                    }
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
