"""Which steps ran is known to one process only."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for log in facts.of("saga.forgets"):
        yield Hit(
            log.file, log.line, f"{log['name']} reads {log['table']}, and nobody writes it", log.strength
        )
    if facts.has("saga.log"):
        return
    for engine in facts.of("saga.engine"):
        yield Hit(
            engine.file,
            engine.line,
            f"what {engine['function']} has to undo is kept nowhere but in memory",
            engine.strength,
        )


RULE = Rule(
    id="SAG-008",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="Saga state in memory",
    why="When it dies half-way, nobody finishes and nobody undoes.",
    remedy="Keep the instance in the database, and change it in the transaction that sends the next command.",
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
                    def save(self, conn):
                        conn.execute('insert into sagas values (1)')
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
                  async save(pool) { await pool.query('insert into sagas values (1)'); }
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
                func (e Engine) Save() { e.db.Exec("insert into sagas values (1)") }
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
                  void save() { jdbcTemplate.update("insert into sagas values (1)"); }
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
                    for (const step of done.reverse()) { // <-
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
                    for i := len(done) - 1; i >= 0; i-- { // <-
                        if err := e.invoke(done[i].Undo); err != nil { e.park(done[i], err) }
                    }
                }
            """,
        }),
        Sample("java", {
            "Engine.java": """
                class Engine {
                  void compensate(List<Step> done) {
                    for (Step step : Lists.reverse(done)) { // <-
                      try { invoke(step.undo()); } catch (Exception error) { park(step, error); }
                    }
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
