"""Services run, and none of them keeps a number."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    if facts.services and not facts.has("metric", "metrics.exposed"):
        service = facts.services[0]
        yield Hit(service.file, service.line, f"none of {len(facts.services)} services keeps a metric")


RULE = Rule(
    id="OBS-001",
    item="observability",
    kind="defect",
    severity=Severity.ERROR,
    title="No metrics",
    why="Without numbers over time an outage is found by its users.",
    remedy="Count requests, errors and durations in every service, and expose them.",
    languages=("python",),
    valid=(
        Sample("python", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": """
                import uvicorn
                uvicorn.run('a')
            """,
            "orders/m.py": """
                from prometheus_client import Counter
                c = Counter('a_total', 'A.')
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": """
                import uvicorn
                uvicorn.run('a')  # <-
            """,
        }),
    ),
    check=check,
)  # fmt: skip
