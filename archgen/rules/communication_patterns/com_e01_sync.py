"""Calls to another process that are awaited."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for module, function in facts.program.functions():
        for effect in function.effects:
            if effect.kind == "remote":
                yield Hit(
                    module.path,
                    effect.call.line,
                    f"{effect.target} call {effect.call.shown(40)} in {function.title or 'the module'}",
                )


RULE = Rule(
    id="COM-E01",
    item="communication_patterns",
    kind="evidence",
    severity=Severity.NOTE,
    title="Synchronous calls",
    why=(
        "A call that is awaited ties the caller's availability to the callee's; that is right "
        "where an answer is needed at once."
    ),
    remedy="Call synchronously what is a question, and send a message for what is news.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                import httpx
                async def ask(c: httpx.AsyncClient):
                    return await c.get('/x')  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                export const f = async () => axios.get('/x'); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                func F() { http.Get(url) } // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { RestTemplate rest; void f() { rest.getForObject(u, T.class); } } // <-
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                import httpx
                # httpx.get('/x')
                x = {}.get('httpx')
            """,
            "tests/test_a.py": """
                import httpx
                httpx.get('/')
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                const m = new Map(); m.get('x');
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F() { cache.Get(key) }
            """,
        }),
        Sample("java", {
            "A.java": "class A { Map<String, String> m; void f() { m.get(k); } }\n",
        }),
    ),
    check=check,
)  # fmt: skip
