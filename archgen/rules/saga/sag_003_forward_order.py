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
    languages=("python", "typescript", "go", "java"),
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
        Sample("go", {
            "engine.go": """
                package a
                func (e Engine) Compensate(done []Step) {
                    for i := len(done) - 1; i >= 0; i-- {
                        if err := e.invoke(done[i].Undo); err != nil { e.park(done[i], err) }
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
                    async def compensate(self, done):
                        for step in done:  # <-
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
                    for (const step of done) { // <-
                      try { await this.invoke(step.undo); } catch (error) { this.park(step, error); }
                    }
                  }
                }
            """,
        }),
        Sample("go", {
            "engine.go": """
                package a
                func (e Engine) Compensate(done []Step) {
                    for i := 0; i < len(done); i++ { // <-
                        if err := e.invoke(done[i].Undo); err != nil { e.park(done[i], err) }
                    }
                }
            """,
        }),
        Sample("java", {
            "Engine.java": """
                class Engine {
                  void compensate(List<Step> done) {
                    for (Step step : done) { // <-
                      try { invoke(step.undo()); } catch (Exception error) { park(step, error); }
                    }
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
