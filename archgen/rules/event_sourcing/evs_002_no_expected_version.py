"""Events are appended whatever was appended meanwhile."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for append in facts.of("es.append"):
        if not append["expected"] and facts.has("es.used"):
            yield Hit(
                append.file,
                append.line,
                f"{append['function']} appends without an expected version",
                append.strength,
            )


RULE = Rule(
    id="EVS-002",
    item="event_sourcing",
    kind="defect",
    severity=Severity.ERROR,
    title="Append without expected version",
    why=(
        "Two writers decide on the same state, and both decisions are recorded, although together "
        "they are not allowed."
    ),
    remedy="Append with the version that was read, under a unique key of stream and version.",
    languages=("python", "typescript"),
    valid=(
        Sample("python", {
            "a.py": """
                async def f(client, s, e):
                    await client.append_to_stream(s, current_version=3, events=e)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function apply(state, event) {
                  return { ...state, at: event.time };
                }
                export class Store {
                  async load(pool, id) {
                    let state = null;
                    const rows = await pool.query('select * from events where stream = $1', [id]);
                    for (const event of rows) {
                      state = apply(state, event);
                    }
                    return state;
                  }
                  async keep(pool, event, version) {
                    await pool.query('insert into events values ($1, $2)', [event, expectedVersion + 1]);
                  }
                }
                export async function run(store: Store, pool) {
                  return store.load(pool, 1);
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                from sqlalchemy import insert, select
                class Store:
                    def load(self, conn):
                        state = None
                        for row in conn.execute(select(events)):
                            state = evolve(state, row)
                        return state
                    def keep(self, conn, new):
                        conn.execute(insert(events), new)  # <-
                def f(store: Store, conn):
                    return store.load(conn)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function apply(state, event) {
                  return { ...state, at: event.time };
                }
                export class Store {
                  async load(pool, id) {
                    let state = null;
                    const rows = await pool.query('select * from events where stream = $1', [id]);
                    for (const event of rows) {
                      state = apply(state, event);
                    }
                    return state;
                  }
                  async keep(pool, event, version) {
                    await pool.query('insert into events values ($1)', [event]); // <-
                  }
                }
                export async function run(store: Store, pool) {
                  return store.load(pool, 1);
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
