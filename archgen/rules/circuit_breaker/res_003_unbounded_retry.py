"""A retry that never ends, or that does not wait."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for retry in facts.of("retry"):
        if not retry.get("loop") or retry.get("consumer"):
            continue
        if not retry["bounded"] and not retry["backoff"]:
            yield Hit(
                retry.file,
                retry.line,
                f"{retry['function']} tries again for ever, without waiting",
                retry.strength,
            )
        elif not retry["backoff"]:
            yield Hit(
                retry.file, retry.line, f"{retry['function']} tries again without waiting", retry.strength
            )


RULE = Rule(
    id="RES-003",
    item="circuit_breaker",
    kind="defect",
    severity=Severity.WARNING,
    title="Retry without bound or backoff",
    why="Retries without a pause turn a peer's hiccup into its outage.",
    remedy="Limit the attempts, wait exponentially longer between them, and add jitter.",
    languages=("python", "go"),
    valid=(
        Sample("python", {"a.py": "def f():\n    for attempt in range(3):\n        try:\n            return ask()\n        except OSError:\n            sleep(2 ** attempt)\n            continue\n"}),
        Sample("go", {"a.go": "package a\nfunc F() error {\n\tfor i := 0; i < 3; i++ {\n\t\tif err := ask(); err != nil {\n\t\t\ttime.Sleep(backoff(i))\n\t\t\tcontinue\n\t\t}\n\t\treturn nil\n\t}\n\treturn errX\n}\n"}),
    ),
    invalid=(
        Sample("python", {"a.py": "def f():\n    while True:  # <-\n        try:\n            return ask()\n        except OSError:\n            continue\n"}),
        Sample("go", {"a.go": "package a\nfunc F() error {\n\tfor { // <-\n\t\terr := ask()\n\t\tif errors.Is(err, deadlock) {\n\t\t\tcontinue\n\t\t}\n\t\treturn err\n\t}\n}\n"}),
    ),
    check=check,
)  # fmt: skip
