"""Writes that name the version they read."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("optimistic_lock"), lambda f: f"a stale write is refused: {f['what']} in {f['function']}"
    )


RULE = Rule(
    id="DTC-E04",
    item="data_consistency",
    kind="evidence",
    severity=Severity.NOTE,
    title="Optimistic locking",
    why=(
        "Of two writers that read the same state, the second overwrites the first without a word, "
        "unless versions are compared."
    ),
    remedy="Keep a version with each aggregate, and update only where it is still the one that was read.",
    languages=("python", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                def f(conn):
                    conn.execute(update(t).where(t.c.version == read))  # <-
            """,
        }),
        Sample("java", {
            "A.java": """
                @Entity
                class A {
                  @Version // <-
                  Long version;
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                def f(app):
                    # where version == read
                    return app.version
            """,
        }),
        Sample("java", {
            "A.java": "class A { String version; /* @Version */ }\n",
        }),
    ),
    check=check,
)  # fmt: skip
