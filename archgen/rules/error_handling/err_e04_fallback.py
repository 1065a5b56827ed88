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
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("java", {
            "A.java": """
                class A { Mono<X> f() {
                  return ask().onErrorReturn(X.EMPTY); // <-
                } }
            """,
        }),
        Sample("python", {
            "a.py": """
                from tenacity import retry
                def ask(peer):
                    return peer.with_fallback(last_known)  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export const ask = (breaker, last) => breaker.fallback(() => last); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Ask(policy Policy) { policy.WithFallback(lastKnown) } // <-
            """,
        }),
    ),
    invalid=(
        Sample("java", {
            "A.java": "class A { /* .onErrorReturn(X) */ Mono<X> f() { return ask(); } }\n",
        }),
        Sample("python", {
            "a.py": """
                # peer.with_fallback(last_known)
                fallback = 'sans-serif'
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                // breaker.fallback(() => last)
                export const fallback = 'sans-serif';
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                // policy.WithFallback(lastKnown)
                const fallback = "sans-serif"
            """,
        }),
    ),
    check=check,
)  # fmt: skip
