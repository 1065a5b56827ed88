"""Data is kept, and how to bring it back is not written down."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    store = next((s for s in facts.of("datastore") if not s.get("trial")), None)
    if store is not None and not (
        facts.has("restore", at_least=Strength.CLAIMED)
        or any(f["topic"] == "restore" for f in facts.of("procedure", at_least=Strength.CLAIMED))
    ):
        yield Hit(
            store.file, store.line, f"how to restore {store['name']} is not written down", store.strength
        )
        return
    topics = {t["topic"] for t in facts.of("doc.topic", at_least=Strength.CLAIMED) if not t["planned"]}
    backup = next(facts.of("backup"), None)
    if backup is not None and not topics & {"rpo", "rto"}:
        message = "backups are made, and how much may be lost and how long it may take is not written down"
        yield Hit(backup.file, backup.line, message, backup.strength, Severity.NOTE)


RULE = Rule(
    id="DRP-002",
    item="disaster_recovery",
    kind="defect",
    severity=Severity.WARNING,
    title="No restore procedure",
    why="A backup that was never restored is a hope.",
    remedy="Write the restore down with its commands, with RPO and RTO, and drill it.",
    languages=("config",),
    valid=(
        Sample("config", {  # for whoever develops
            "a.py": "x = 1\n",
            "compose.yaml": """
                # For development purposes only.
                services:
                  db:
                    image: postgres:16
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "compose.yaml": """
                services:
                  db:
                    image: postgres:16
            """,
            "docs/r.md": """
                # Restore

                ```
                pg_restore -d shop x.dump
                ```
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
            "docs/r.md": "We restore.\n",
        }),
    ),
    check=check,
)  # fmt: skip
