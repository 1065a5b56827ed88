"""A breaker is made in the function that uses it."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_BREAKER = re.compile(r"^(New)?(Circuit)?Breaker$|CircuitBreaker$")


def check(facts: Facts) -> Iterable[Hit]:
    for module, function in facts.program.functions():
        made = [c for c in function.calls if _BREAKER.search(c.name)]
        used = [
            c
            for c in function.calls
            if c.name in ("call", "fire", "Execute", "execute", "guard", "call_async")
        ]
        if (
            made
            and used
            and any(e.kind == "remote" for e in function.reach)
            and function.name
            and made[0].line < used[-1].line + 1
        ):
            yield Hit(module.path, made[0].line, f"{function.title} makes its breaker anew for each call")


RULE = Rule(
    id="RES-006",
    item="circuit_breaker",
    kind="defect",
    severity=Severity.ERROR,
    title="Breaker made per request",
    why="It has never seen a failure when it is asked, so it never opens.",
    remedy="Make one breaker per peer when the process starts, and share it.",
    languages=("python", "typescript",),
    valid=(
        Sample("python", {
            "a.py": """
                import httpx
                from pybreaker import CircuitBreaker
                breaker = CircuitBreaker()
                def f():
                    return breaker.call(httpx.get, u)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import CircuitBreaker from 'opossum';
                import axios from 'axios';
                const b = new CircuitBreaker(() => axios.get('/x'));
                export function f() { return b.fire(); }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                import httpx
                from pybreaker import CircuitBreaker
                def f():
                    breaker = CircuitBreaker()  # <-
                    return breaker.call(lambda: httpx.get(u))
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import CircuitBreaker from 'opossum';
                import axios from 'axios';
                export function f() {
                  const b = new CircuitBreaker(() => axios.get('/x')); // <-
                  return b.fire();
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
