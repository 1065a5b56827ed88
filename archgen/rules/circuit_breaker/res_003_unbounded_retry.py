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
        elif not retry["backoff"] and (retry["near"] or not retry["bounded"]):
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
        Sample("python", {
            "a.py": """
                def f():
                    for attempt in range(3):
                        try:
                            return ask()
                        except OSError:
                            sleep(2 ** attempt)
                            continue
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F() error {
                    for i := 0; i < 3; i++ {
                        if err := ask(); err != nil {
                            time.Sleep(backoff(i))
                            continue
                        }
                        return nil
                    }
                    return errX
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                def f():
                    while True:  # <-
                        try:
                            return ask()
                        except OSError:
                            continue
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F() error {
                    for { // <-
                        err := ask()
                        if errors.Is(err, deadlock) {
                            continue
                        }
                        return err
                    }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
