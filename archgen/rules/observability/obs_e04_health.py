"""The platform can ask whether a service is alive and ready."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    probes = [f for f in facts.of("probe") if not f.get("store")]
    return hits(probes, lambda f: f"{f['kind']} probe of {f['workload']}") + hits(
        facts.of("health"), lambda f: f"health at {f['path']}"
    )


RULE = Rule(
    id="OBS-E04",
    item="observability",
    kind="evidence",
    severity=Severity.NOTE,
    title="Health checks",
    why="A platform restarts what is dead and spares what is not ready, if it can tell the two apart.",
    remedy="Offer liveness and readiness apart, and point the probes at them.",
    languages=("python", "config"),
    valid=(
        Sample("python", {"a.py": "@app.get('/health/ready')\ndef ready():  # <-\n    return {}\n"}),
        Sample("config", {"a.py": "x = 1\n", "k.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      containers:\n      - image: a\n        livenessProbe: # <-\n          httpGet: {path: /live}\n"}),
    ),
    invalid=(
        Sample("python", {"a.py": "# @app.get('/health')\n@app.get('/wealth')\ndef wealth():\n    return {}\n"}),
        Sample("config", {"a.py": "x = 1\n", "k.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {}\n"}),
    ),
    check=check,
)  # fmt: skip
