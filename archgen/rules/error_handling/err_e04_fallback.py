"""Where a peer fails, something less is answered instead of nothing."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("error.fallback"), lambda f: f"a fallback: {f['what']}")


RULE = Rule(
    id="ERR-E04",
    item="error_handling",
    kind="evidence",
    severity=Severity.NOTE,
    title="Fallbacks",
    why="A page without recommendations is better than no page.",
    remedy="Answer with what is known when a peer that is not essential fails.",
    languages=("java",),
    valid=(
        Sample("java", {
            "A.java": """
                class A { Mono<X> f() {
                  return ask().onErrorReturn(X.EMPTY); // <-
                } }
            """,
        }),
    ),
    invalid=(
        Sample("java", {
            "A.java": "class A { /* .onErrorReturn(X) */ Mono<X> f() { return ask(); } }\n",
        }),
    ),
    check=check,
)  # fmt: skip
