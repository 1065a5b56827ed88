"""Data is kept, and no schedule takes a copy of it."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    if any(b["scheduled"] for b in facts.of("backup")):
        return
    store = next(facts.of("datastore"), None)
    if store is not None:
        yield Hit(
            store.file,
            store.line,
            f"{store['name']} ({store['engine']}) is not backed up by any schedule",
            store.strength,
        )


RULE = Rule(
    id="DRP-001",
    item="disaster_recovery",
    kind="defect",
    severity=Severity.ERROR,
    title="Store without a scheduled backup",
    why="A disk, a wrong migration or a wrong command ends the business.",
    remedy="Schedule a backup of every store, away from where it runs.",
    languages=("config",),
    valid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "compose.yaml": """
                services:
                  db:
                    image: postgres:16
            """,
            ".github/workflows/b.yml": """
                on:
                  schedule:
                  - cron: '0 2 * * *'
                jobs:
                  b:
                    steps:
                    - run: pg_dump shop > shop.sql
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "compose.yaml": """
                services:
                  db: # <-
                    image: postgres:16
            """,
        }),
    ),
    check=check,
)  # fmt: skip
