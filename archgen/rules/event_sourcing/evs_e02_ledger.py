"""A table that is only appended to, from which state is derived."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("append_only"), lambda f: f"{f['table']} is only appended to")


RULE = Rule(
    id="EVS-E02",
    item="event_sourcing",
    kind="evidence",
    severity=Severity.NOTE,
    title="Append-only ledger",
    why=(
        "A ledger that cannot be rewritten is half of event sourcing: its history can be trusted "
        "and replayed."
    ),
    remedy="Name the entries events, and rebuild every view from them.",
    languages=("config",),
    valid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "init.sql": """
                CREATE RULE keep AS -- <-
                 ON UPDATE TO ledger DO INSTEAD NOTHING;
                CREATE RULE stay AS -- <-
                 ON DELETE TO ledger DO INSTEAD NOTHING;
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "init.sql": "create table ledger (id int);\n",
        }),
        Sample("config", {  # a row that must stay may still change
            "a.py": "x = 1\n",
            "init.sql": """
                CREATE TRIGGER stays BEFORE DELETE ON settings FOR EACH ROW EXECUTE FUNCTION refuse();
            """,
        }),
    ),
    check=check,
)  # fmt: skip
