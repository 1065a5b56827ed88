"""The backup command hides its own failure."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        [b for b in facts.of("backup") if not b.get("can_fail", True)],
        lambda b: f"a failure of the backup is ignored: {str(b['command'])[:60]}",
    )


RULE = Rule(
    id="DRP-004",
    item="disaster_recovery",
    kind="defect",
    severity=Severity.ERROR,
    title="Backup that cannot fail",
    why="It is green every night, and on the day it is needed the file is empty.",
    remedy="Remove || true, set -o pipefail, and check the size of what was written.",
    languages=("config",),
    valid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "backup.sh": "pg_dump shop > shop.sql\n",
        }),
    ),
    invalid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "backup.sh": "pg_dump shop > shop.sql || true # <-\n",
        }),
    ),
    check=check,
)  # fmt: skip
