"""What failed for a moment is tried again, politely."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    remote = any(e.kind == "remote" for _, f in facts.program.functions() for e in f.effects)
    polite = [f for f in facts.of("retry") if f["bounded"] and f["backoff"] and (f["near"] or not remote)]
    return hits(polite, lambda f: f"tried again with a pause: {f['by']}")


RULE = Rule(
    id="ERR-E02",
    item="error_handling",
    kind="evidence",
    severity=Severity.NOTE,
    title="Retries with backoff",
    why="Most failures between machines are over in a second.",
    remedy="Try idempotent calls again a few times, waiting exponentially longer with jitter.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {"a.py": "def f():\n    for attempt in range(3):  # <-\n        try:\n            return ask()\n        except OSError:\n            sleep(2 ** attempt)\n            continue\n"}),
        Sample("typescript", {"a.ts": "import asyncRetry from 'async-retry';\nexport const f = () => asyncRetry(ask, { retries: 3 }); // <-\n"}),
        Sample("go", {"a.go": "package a\nimport \"github.com/cenkalti/backoff\"\nfunc F() { backoff.Retry(ask, b) } // <-\n"}),
        Sample("java", {"A.java": "class A {\n  @Retryable(maxAttempts = 3) void f() { } // <-\n}\n"}),
    ),
    invalid=(
        Sample("python", {"a.py": "def f():\n    while True:\n        try:\n            return ask()\n        except OSError:\n            continue\n", "requirements.txt": "tenacity\n"}),
        Sample("typescript", {"a.ts": "// asyncRetry(ask)\nfor (const x of xs) { use(x); }\n"}),
        Sample("go", {"a.go": "package a\nfunc F() { for _, x := range xs { use(x) } }\n"}),
        Sample("java", {"A.java": "class A { /* @Retryable */ void f() { } }\n"}),
    ),
    check=check,
)  # fmt: skip
