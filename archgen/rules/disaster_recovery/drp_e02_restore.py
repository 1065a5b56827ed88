"""The commands that bring the data back."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    told = [f for f in facts.of("procedure", at_least=Strength.CLAIMED) if f["topic"] == "restore"]
    return hits(
        facts.of("restore", at_least=Strength.CLAIMED), lambda f: f"how to restore: {f['command']}"
    ) + hits(told, lambda f: f"how to restore is told: {f['text']}")


RULE = Rule(
    id="DRP-E02",
    item="disaster_recovery",
    kind="evidence",
    severity=Severity.NOTE,
    title="Restore procedure",
    why="Nobody finds out how to restore while everything is down.",
    remedy="Write the commands down, in order, and try them.",
    languages=("config", "docs"),
    valid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "restore.sh": "pg_restore -d shop latest.dump # <-\n",
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "recovery.mk": """
                restore:
                \tpython -m shop.recovery restore # <-
            """,
        }),
        Sample("docs", {
            "a.py": "x = 1\n",
            "docs/recovery.md": """
                # Restore

                ```
                pg_restore -d shop latest.dump # <-
                ```
            """,
        }),
        Sample("config", {
            "shop/backups/manager.py": """
                import tarfile
                class Backups:
                    async def create_full_backup(self, name):
                        with tarfile.open(name, "w") as tar:
                            tar.add(self.data)
                    async def do_restore(self, backup):  # <-
                        with tarfile.open(backup.path) as tar:
                            tar.extractall(self.data)
            """,
        }),
    ),
    invalid=(
        Sample("docs", {
            "a.py": "x = 1\n",
            "docs/chat.md": """
                # Restoring on page load

                When the page is loaded, fetch the messages and the session of the user from the server and
                pass them to the component, so that the conversation goes on where it was left.
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "restore.sh": """
                # pg_restore -d shop latest.dump
                echo todo
            """,
        }),
        Sample("docs", {
            "a.py": "x = 1\n",
            "docs/recovery.md": "We restore quickly.\n",
        }),
    ),
    check=check,
)  # fmt: skip
