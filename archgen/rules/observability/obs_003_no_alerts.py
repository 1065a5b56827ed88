"""No rule calls anybody, or one waits for a metric that nothing emits."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    own = {str(m["name"]) for m in facts.of("metric", "metric.named") if m.get("name")}
    if facts.services and facts.has("metric", "metrics.exposed") and not facts.has("alert"):
        service = facts.services[0]
        yield Hit(service.file, service.line, "metrics are kept, and no alert is raised on any of them")
    prefixes = {name.split("_")[0] for name in own}
    for alert in facts.of("alert"):
        for name in re.findall(
            r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+){1,}\b(?=\s*[{\[)>=<! ]|$)", str(alert["expr"])
        ):
            base = re.sub(r"_(bucket|sum|count|total)$", "", name)
            known = any(re.sub(r"_(bucket|sum|count|total)$", "", one) == base for one in own)
            if name.split("_")[0] in prefixes and not known and "_" in base and own:
                yield Hit(
                    alert.file,
                    alert.line,
                    f"alert {alert['name']} waits for {name}, which nothing emits",
                    alert.strength,
                )


RULE = Rule(
    id="OBS-003",
    item="observability",
    kind="defect",
    severity=Severity.WARNING,
    title="No alerts, or alerts on nothing",
    why="An alert on a metric that does not exist never fires, and looks like coverage.",
    remedy="Alert on symptoms, and test that each metric named in a rule is emitted.",
    languages=("config",),
    valid=(
        Sample("config", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": """
                import uvicorn
                uvicorn.run('a')
            """,
            "orders/m.py": """
                from prometheus_client import Counter
                c = Counter('orders_placed_total', 'A.')
            """,
            "rules.yaml": """
                groups:
                - name: a
                  rules:
                  - alert: Slow
                    expr: rate(orders_placed_total[5m]) == 0
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": """
                import uvicorn
                uvicorn.run('a')
            """,
            "orders/m.py": """
                from prometheus_client import Counter
                c = Counter('orders_placed_total', 'A.')
            """,
            "rules.yaml": """
                groups:
                - name: a
                  rules:
                  - alert: Slow # <-
                    expr: rate(orders_lost_total[5m]) > 0
            """,
        }),
    ),
    check=check,
)  # fmt: skip
