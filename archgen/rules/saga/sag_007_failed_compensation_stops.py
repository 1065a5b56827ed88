"""The first compensation that fails ends the loop."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        [f for f in facts.of("saga.engine") if not f["survives"]],
        lambda f: f"in {f['function']} the first failed compensation keeps the others from being made",
    )


RULE = Rule(
    id="SAG-007",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="One failed compensation stops the rest",
    why="The steps before it are never undone.",
    remedy="Catch the failure, go on, and try the failed one again later.",
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
        Sample("python", {
            "a.py": """
                def compensate(saga, instance):
                    for step in reversed(saga.steps):
                        if step.undo and instance.outcomes.get(step.key) == "done":
                            return send(saga, instance, step.undo)
                    return ended(instance)

                def on_timeout(saga, instance, step):
                    if step.undo is None:
                        return stuck(instance, "no answer")
                    return compensate(saga, instance)
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
                        for step in reversed(done):  # <-
                            await self.invoke(step.undo)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export class Engine {
                  async compensate(done) {
                    for (const step of done.reverse()) { // <-
                      await this.invoke(step.undo);
                    }
                  }
                }
            """,
        }),
        Sample("go", {
            "engine.go": """
                package a
                func (e Engine) Compensate(done []Step) {
                    for i := len(done) - 1; i >= 0; i-- { // <-
                        if err := e.invoke(done[i].Undo); err != nil { return }
                    }
                }
            """,
        }),
        Sample("java", {
            "Engine.java": """
                class Engine {
                  void compensate(List<Step> done) {
                    for (Step step : Lists.reverse(done)) { // <-
                      invoke(step.undo());
                    }
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
