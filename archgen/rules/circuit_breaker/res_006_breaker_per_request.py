"""A breaker is made in the function that uses it."""

import re
from collections.abc import Iterable

from archgen.evidence.code.vocabulary import HTTP
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits

_BREAKER = re.compile(r"^(New)?(Circuit)?Breaker$|CircuitBreaker$")
_MADE = re.compile(r"CircuitBreaker\.(of|ofDefaults)$")


def check(facts: Facts) -> Iterable[Hit]:
    # a method may guard what its class was handed to call
    peers = {
        (m.path, f.owner)
        for m, f in facts.program.functions()
        if f.owner and any(e.kind == "remote" for e in f.reach)
    }
    for module, function in facts.program.functions():
        made = [c for c in function.calls if _BREAKER.search(c.name) or _MADE.search(c.callee)]
        used = [
            c
            for c in function.calls
            if c.name in ("call", "fire", "Execute", "guard", "call_async") or c.name.startswith("execute")
        ]
        remote = (
            any(e.kind == "remote" for e in function.reach)
            or (module.path, function.owner) in peers
            or any(HTTP.search(arg) for c in used for arg in c.args[:1])
        )
        if made and used and remote and function.name and made[0].line < used[-1].line + 1:
            yield Hit(module.path, made[0].line, f"{function.title} makes its breaker anew for each call")
    yield from _held(facts)
    yield from hits(facts.of("breaker.deaf"), lambda f: f"{f['name']} {f['why']}")


def _held(facts: Facts) -> Iterable[Hit]:
    """A client that makes its breaker when it is made, and is made for each request."""
    holders = {
        f.owner
        for _, f in facts.program.functions()
        if f.name in ("__init__", "constructor") and any(_BREAKER.search(c.name) for c in f.calls)
    }
    for module, function in facts.program.functions():
        if not function.name or _MAKES.match(function.name):
            continue
        for call in function.calls:
            if call.name not in holders:
                continue
            kept = re.search(
                rf"(\w+)\s*=\s*(?:await\s+|new\s+)*(?:\w+\.)*{re.escape(call.name)}\(", function.body
            )
            if kept and any(c.awaited and c.receiver == kept[1] for c in function.calls):
                message = f"{function.title} makes {call.name}, and with it a breaker, anew for each call"
                yield Hit(module.path, call.line, message)


_MAKES = re.compile(
    r"^(_*(main|create|make|build|setup|start|connect|of|from|new|get_client)|test)(_|$|[A-Z])"
)


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
        Sample("typescript", {  # what it counts, and its state, are kept in Redis
            "breaker.ts": """
                class CircuitBreakerRedis {
                  constructor(private redis: Redis) {}
                  async execute(key, fn) {
                    const state = await this.read(key);
                    if (state === 'OPEN' && Date.now() < state.untilMs) throw new Error('open');
                    if (state === 'HALF_OPEN') return this.recover(key, fn);
                    try { return await fn(); } catch (e) {
                      await this.limiter.consume(key);
                      await this.redis.set(key, JSON.stringify({ state: 'OPEN', untilMs: Date.now() + 1000 }));
                      throw e;
                    }
                  }
                }
            """,
        }),
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
                class Peer:
                    def __init__(self):
                        self._http = httpx.Client()
                    def ask(self, path):
                        def send():
                            return self._http.get(path)
                        return self._attempt(Attempt(send))
                    def _attempt(self, attempt):
                        return CircuitBreaker().call(attempt.send)  # <-
            """,
        }),
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
