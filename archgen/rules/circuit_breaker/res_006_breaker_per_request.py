"""A breaker is made in the function that uses it."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_BREAKER = re.compile(r"^(New)?(Circuit)?Breaker$|CircuitBreaker$")
_MADE = re.compile(r"CircuitBreaker\.(of|ofDefaults)$")


def check(facts: Facts) -> Iterable[Hit]:
    for module, function in facts.program.functions():
        made = [c for c in function.calls if _BREAKER.search(c.name) or _MADE.search(c.callee)]
        used = [
            c
            for c in function.calls
            if c.name in ("call", "fire", "Execute", "guard", "call_async") or c.name.startswith("execute")
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
    languages=("python", "typescript", "go", "java"),
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
        Sample("go", {
            "a.go": """
                package a
                import (
                    "net/http"
                    "github.com/sony/gobreaker"
                )
                var cb = gobreaker.NewCircuitBreaker(gobreaker.Settings{})
                func Ask() (any, error) {
                    return cb.Execute(func() (any, error) { return http.Get("http://peer") })
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import io.github.resilience4j.circuitbreaker.CircuitBreaker;
                class A {
                  private RestTemplate restTemplate;
                  private final CircuitBreaker breaker = CircuitBreaker.ofDefaults("peer");
                  String ask() {
                    return breaker.executeSupplier(() -> restTemplate.getForObject("http://peer", String.class));
                  }
                }
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
        Sample("go", {
            "a.go": """
                package a
                import (
                    "net/http"
                    "github.com/sony/gobreaker"
                )
                func Ask() (any, error) {
                    cb := gobreaker.NewCircuitBreaker(gobreaker.Settings{}) // <-
                    return cb.Execute(func() (any, error) { return http.Get("http://peer") })
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import io.github.resilience4j.circuitbreaker.CircuitBreaker;
                class A {
                  private RestTemplate restTemplate;
                  String ask() {
                    CircuitBreaker breaker = CircuitBreaker.ofDefaults("peer"); // <-
                    return breaker.executeSupplier(() -> restTemplate.getForObject("http://peer", String.class));
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
