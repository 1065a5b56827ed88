"""Somebody is called when it stops."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("alert"), lambda f: f"alert {f['name']}")


RULE = Rule(
    id="OBS-E03",
    item="observability",
    kind="evidence",
    severity=Severity.NOTE,
    title="Alerts",
    why="Nobody watches a dashboard at night.",
    remedy="Write alert rules on symptoms that users feel, each with a link to its runbook.",
    languages=("config",),
    valid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "mixin/alerts.libsonnet": """
                { groups: [{ name: 'a', rules: [
                  { alert: 'Down', expr: 'up{%(selector)s} == 0' % $._config }, // <-
                ] }] }
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "rules.yaml": """
                groups:
                - name: a
                  rules:
                  - alert: Down # <-
                    expr: up == 0
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "rules.yaml": """
                groups:
                - name: a
                  rules: []
                #  - alert: Down
                #    expr: up == 0
            """,
        }),
    ),
    check=check,
)  # fmt: skip
