"""Whether to keep events was never written down."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    topics = [
        t
        for t in facts.of("doc.topic", at_least=Strength.CLAIMED)
        if t["topic"] == "event_sourcing" and not t["planned"]
    ]
    if facts.services and not topics:
        service = facts.services[0]
        yield Hit(service.file, service.line, "no document says for what events are kept, or why not")


RULE = Rule(
    id="EVS-001",
    item="event_sourcing",
    kind="defect",
    severity=Severity.NOTE,
    title="No decision on record",
    why="The question comes back with every new colleague, and every aggregate answers it differently.",
    remedy="Record for which aggregates events are kept, and why not for the others.",
    languages=("docs",),
    valid=(
        Sample("docs", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": """
                import uvicorn
                uvicorn.run('a')
            """,
            "docs/adr/0001-events.md": """
                # Events

                Event sourcing is used for orders.
            """,
        }),
    ),
    invalid=(
        Sample("docs", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": """
                import uvicorn
                uvicorn.run('a')  # <-
            """,
            "README.md": """
                # Shop

                TODO: decide on event sourcing
            """,
        }),
    ),
    check=check,
)  # fmt: skip
