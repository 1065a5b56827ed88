"""What belongs to one request is kept in a field that all requests share."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("static_state"),
        lambda f: f"{f['field']} is shared by all requests, and {f['function']} sets it on each",
    )


RULE = Rule(
    id="ERR-005",
    item="error_handling",
    kind="defect",
    severity=Severity.ERROR,
    title="Request state in statics",
    why=(
        "Between the write and the read another request comes in, and one user acts with the "
        "credentials of the other."
    ),
    remedy="Pass it as an argument, or keep it in the request, a context variable or AsyncLocalStorage.",
    languages=("typescript", "java",),
    valid=(
        Sample("typescript", {
            "a.ts": """
                class Ctx { static store = new AsyncLocalStorage(); }
                class M { use(req, res, next) { Ctx.store.run(req, next); } }
            """,
        }),
        Sample("java", {
            "A.java": """
                class Ctx { static ThreadLocal<R> request = new ThreadLocal<>(); void f(R req) {
                  Ctx.request.set(req); } }
            """,
        }),
    ),
    invalid=(
        Sample("typescript", {
            "a.ts": """
                class Ctx {
                  static request: Request; // <-
                }
                class M { use(req, res, next) { Ctx.request = req; next(); } }
            """,
        }),
        Sample("java", {
            "A.java": """
                class Ctx {
                  static R request; // <-
                  void f(R req) { Ctx.request = req; } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
