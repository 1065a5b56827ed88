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
    languages=("python",),
    valid=(
        Sample("python", {
            "a.py": """
                async def f(client, s, e):
                    await client.append_to_stream(s, current_version=3, events=e)
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
    ),
    check=check,
)  # fmt: skip
