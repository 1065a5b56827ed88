"""Services run, and none of them keeps a number."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    if facts.services and not facts.has("metrics.exposed", "metrics.scraped"):
        service = facts.services[0]
        yield Hit(
            service.file,
            service.line,
            f"no metric can be fetched from {', '.join(s.name for s in facts.services[:6])}",
        )


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
                from prometheus_client import Counter, start_http_server
                c = Counter('a_total', 'A.')
                start_http_server(9000)
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
