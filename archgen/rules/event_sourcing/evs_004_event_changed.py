"""A recorded event is updated or deleted."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_EVENTS = re.compile(r"^(\w*_)?(events?|event_store|event_log|journal)$")


def check(facts: Facts) -> Iterable[Hit]:
    if not facts.has("es.used"):
        return
    for module, function in facts.program.functions():
        for effect in function.effects:
            if (
                effect.kind == "db.write"
                and effect.target in ("update", "delete")
                and _EVENTS.match(effect.table)
            ):
                yield Hit(
                    module.path, effect.call.line, f"{function.title} {effect.target}s in {effect.table}"
                )


RULE = Rule(
    id="EVS-004",
    item="event_sourcing",
    kind="defect",
    severity=Severity.ERROR,
    title="Event changed or deleted",
    why="The past that others acted on is gone, and no replay gives the state that was.",
    remedy="Append a correcting event.",
    languages=("python",),
    valid=(
        Sample("python", {
            "a.py": """
                from sqlalchemy import delete
                def prune(conn):
                    conn.execute(delete(events))
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                from sqlalchemy import insert, select, delete
                class Store:
                    def load(self, conn):
                        state = None
                        for row in conn.execute(select(events)):
                            state = evolve(state, row)
                        return state
                    def keep(self, conn, new, expected_version):
                        conn.execute(insert(events), new)
                    def prune(self, conn):
                        conn.execute(delete(events))  # <-
                def f(store: Store, conn):
                    return store.load(conn)
            """,
        }),
    ),
    check=check,
)  # fmt: skip
