"""Backups that are described or scripted, without a schedule."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    told = [f for f in facts.of("procedure", at_least=Strength.CLAIMED) if f["topic"] == "backup"]
    return hits(
        [f for f in facts.of("backup", at_least=Strength.CLAIMED) if not f["scheduled"]],
        lambda f: f"how to back up: {f['command']}",
    ) + hits(told, lambda f: f"how to back up is told: {f['text']}")


RULE = Rule(
    id="DRP-E04",
    item="disaster_recovery",
    kind="evidence",
    severity=Severity.NOTE,
    title="Backup by hand",
    why="It is the start: what can be done by hand can be scheduled.",
    remedy="Put the command on a schedule.",
    languages=("config", "docs"),
    valid=(
        Sample("docs", {  # a heading of reStructuredText
            "doc/maintenance.rst": """
                Maintenance
                ===========

                Backups  <-
                -----------

                There are two things of which you should make a backup: the database, for which there is
                pg_dump, and the data directory with what users have uploaded. Let cron do that each night,
                and keep some of them elsewhere.
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "backup.sh": "pg_dump shop > shop.sql # <-\n",
        }),
        Sample("docs", {
            "a.py": "x = 1\n",
            "docs/backup.md": """
                # Backup

                ```sh
                pg_dump shop > shop.sql # <-
                ```
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "backup.sh": "# pg_dump shop\n",
        }),
        Sample("docs", {
            "a.py": "x = 1\n",
            "docs/backup.md": "Backups are important.\n",
        }),
        # a page that the system shows to its users
        Sample("docs", {
            "a.py": "x = 1\n",
            "templates/docs/bash.md": "# Bash\n\n```\npg_dump somedb | curl -T - $URL\n```\n",
        }),
    ),
    check=check,
)  # fmt: skip
