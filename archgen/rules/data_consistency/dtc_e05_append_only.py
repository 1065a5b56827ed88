"""A ledger that cannot be rewritten."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("append_only"), lambda f: f"{f['table']} refuses {f['blocks']}")


RULE = Rule(
    id="DTC-E05",
    item="data_consistency",
    kind="evidence",
    severity=Severity.NOTE,
    title="Append-only table",
    why="What is only ever added to cannot be half overwritten, and can be checked later.",
    remedy="Forbid update and delete on the ledger's table in the database itself.",
    languages=("config",),
    valid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "init.sql": """
                create table ledger (id int);
                CREATE RULE no_update AS -- <-
                 ON UPDATE TO ledger DO INSTEAD NOTHING;
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "init.sql": "-- CREATE RULE no_update AS ON UPDATE TO ledger DO INSTEAD NOTHING;\n",
        }),
    ),
    check=check,
)  # fmt: skip
