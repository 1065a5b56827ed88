"""Typed errors are answered by the handler that meets them."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        [f for f in facts.of("error.mapped") if not f["central"]],
        lambda f: f"an error is answered: {f['what']}",
    )


RULE = Rule(
    id="ERR-E05",
    item="error_handling",
    kind="evidence",
    severity=Severity.NOTE,
    title="Errors answered where they happen",
    why="It is a start: the caller is told, although every handler has to remember it.",
    remedy="Map errors in one place, so that none is forgotten.",
    languages=("python", "java",),
    valid=(
        Sample("python", {
            "a.py": """
                def create(request):
                    try:
                        return make(request), 201
                    except Conflict:  # <-
                        return 'taken', 409
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { ResponseEntity<?> f() { try { return ok(); }
                  catch (ConflictException e) { return new ResponseEntity<>(HttpStatus.CONFLICT); } // <-
                } }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                def create(request):
                    try:
                        return make(request), 201
                    except Conflict:
                        log.error('taken')
                        raise
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { void f() { try { g(); } catch (ConflictException e) { throw e; } } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
