"""A breaker around calls to peers."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("breaker", at_least=Strength.USED), lambda f: f"a breaker guards the call: {f['by']}"
    )


_HAND = """import time, httpx

class Breaker:
    def __init__(self):
        self.failures, self.state, self.opened_at = 0, 'closed', 0.0

    def call(self, f):
        if self.state == 'open' and time.monotonic() - self.opened_at > 60:
            self.state = 'half_open'
        if self.state == 'open':
            raise RuntimeError('open')
        try:
            result = f()
        except Exception:
            self.failures += 1
            if self.failures >= 5:
                self.state = 'open'
            raise
        self.failures, self.state = 0, 'closed'
        return result
"""
_USE = """
class Client:
    def __init__(self):
        self.breaker = Breaker()

    def ask(self):
        return self.breaker.call(lambda: httpx.get('http://peer'))  # <-
"""
RULE = Rule(
    id="RES-E01",
    item="circuit_breaker",
    kind="evidence",
    severity=Severity.NOTE,
    title="Circuit breaker in use",
    why="Callers that keep waiting for a dead peer run out of threads, and the outage climbs up the chain.",
    remedy=(
        "Count failures per peer, refuse at once while it is open, and let one probe through after "
        "a while."
    ),
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # a breaker in two files of a package, by a manager
            "breaker/state.go": """
                package breaker
                type CircuitBreaker struct {
                    State    State
                    Failures int
                    OpenedAt time.Time
                }
                func (b *CircuitBreaker) fail() {
                    b.Failures++
                    b.State = StateOpen
                    b.OpenedAt = time.Now()
                }
                func (b *CircuitBreaker) tryAgain() { b.State = StateHalfOpen }
            """,
            "breaker/manager.go": """
                package breaker
                type CircuitBreakerManager struct{ store map[string]*CircuitBreaker }
                func NewCircuitBreakerManager() *CircuitBreakerManager { return &CircuitBreakerManager{} }
                func (m *CircuitBreakerManager) CanExecute(name string) error {
                    b := m.store[name]
                    if b.State == StateOpen && time.Since(b.OpenedAt) < wait {
                        return ErrOpen
                    }
                    if b.State == StateHalfOpen && b.Failures > limit {
                        return ErrOpen
                    }
                    return nil
                }
            """,
            "send.go": """
                package shop
                import (
                    "net/http"
                    "shop/breaker"
                )
                type Sender struct{ manager *breaker.CircuitBreakerManager }
                func NewSender() *Sender { return &Sender{manager: breaker.NewCircuitBreakerManager()} }
                func (s *Sender) Send(req *http.Request) error {
                    if err := s.manager.CanExecute(req.Host); err != nil {  // <-
                        return err
                    }
                    _, err := http.DefaultClient.Do(req)
                    return err
                }
            """,
        }),
        Sample("java", {
            "Catalog.java": """
                import com.netflix.hystrix.contrib.javanica.annotation.HystrixCommand;
                class Catalog {
                  RestTemplate rest;
                  @HystrixCommand(fallbackMethod = "cached", commandProperties = {
                      @HystrixProperty(name = "circuitBreaker.requestVolumeThreshold", value = "2") })
                  public Item one(long id) { // <-
                    return rest.getForObject(url + id, Item.class);
                  }
                }
            """,
        }),
        Sample("python", {"a.py": _HAND + _USE}),
        Sample("typescript", {
            "a.ts": """
                import CircuitBreaker from 'opossum';
                const b = new CircuitBreaker(call, { timeout: 3000 }); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/sony/gobreaker"
                var cb = gobreaker.NewCircuitBreaker(gobreaker.Settings{}) // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                import io.github.resilience4j.circuitbreaker.annotation.CircuitBreaker;
                class A {
                  @CircuitBreaker(name = "x") String f() { return rest.get(); } // <-
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {"a.py": _HAND, "requirements.txt": "pybreaker\n"}),
        Sample("typescript", {
            "a.ts": """
                // new CircuitBreaker(call)
                class CircuitBreaker { fire() {} }
                ", "package.json": "{"dependencies": {"opossum": "8"}}
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                // gobreaker.NewCircuitBreaker(s)
                func F() { half_open() }
            """,
        }),
        Sample("java", {
            "A.java": """
                import io.github.resilience4j.circuitbreaker.annotation.CircuitBreaker;
                class A { String f() { return "half-open"; } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
