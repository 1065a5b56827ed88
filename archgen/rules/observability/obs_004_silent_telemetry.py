"""Telemetry that is wired to nothing."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("telemetry.noop"),
        lambda f: (
            f"{f['name']} does nothing ({f['at']}) and is what {f['function'] or 'the module'} is given"
        ),
    )


RULE = Rule(
    id="OBS-004",
    item="observability",
    kind="defect",
    severity=Severity.WARNING,
    title="Telemetry that does nothing",
    why="Code full of metrics that nobody records looks observed and is not.",
    remedy="Wire a client that records, at least outside of tests.",
    languages=("python", "go"),
    valid=(
        Sample("python", {"metrics.py": "class Metrics:\n    def inc(self, key):\n        counter.labels(key).inc()\n", "a.py": "from metrics import Metrics\nm = Metrics()\n"}),
        Sample("go", {"m/m.go": "package m\ntype Client struct{}\nfunc (c Client) Inc(k string, v int) { counter.Add(v) }\n", "a/a.go": "package a\nvar c = m.Client{}\n"}),
    ),
    invalid=(
        Sample("python", {"metrics.py": "class NoMetrics:\n    def inc(self, key):\n        pass\n", "a.py": "from metrics import NoMetrics\nm = NoMetrics()  # <-\n"}),
        Sample("go", {"m/m.go": "package m\ntype NoOp struct{}\nfunc (d NoOp) Inc(_ string, _ int) {\n\t// todo\n}\n", "a/a.go": "package a\nfunc F() App { return New(m.NoOp{}) } // <-\n"}),
    ),
    check=check,
)  # fmt: skip
