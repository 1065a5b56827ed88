"""A breaker that is half open counts nobody who comes in."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("breaker.crowd"), lambda f: f"{f['name']} lets every caller through once it is half open"
    )


RULE = Rule(
    id="RES-005",
    item="circuit_breaker",
    kind="defect",
    severity=Severity.WARNING,
    title="Half-open lets everyone in",
    why="The peer that has just come back meets the whole crowd at once, and goes down again.",
    remedy="Let one caller through as a probe, and answer the others at once until it is back.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "flag.py": """
                import time
                class Breaker:
                    def __init__(self):
                        self.failures, self.state, self.opened_at = 0, 'closed', 0.0
                        self._probing = False
                    def call(self, f):
                        if self.state == 'open':
                            if time.monotonic() - self.opened_at < 60:
                                raise RuntimeError('open')
                            self.state = 'half_open'
                        if self.state == 'half_open':
                            if self._probing:
                                raise RuntimeError('probed')
                            self._probing = True
                        try:
                            return f()
                        except Exception:
                            self.failures += 1
                            if self.failures >= 5:
                                self.state, self.opened_at = 'open', time.monotonic()
                            raise
                        finally:
                            self._probing = False
            """,
        }),
        Sample("python", {
            "a.py": """
                import time
                class Breaker:
                    def __init__(self):
                        self.failures, self.state, self.opened_at, self.probing = 0, 'closed', 0.0, False
                    def call(self, f):
                        if self.state == 'open' and time.monotonic() - self.opened_at > 60:
                            self.state = 'half_open'
                        if self.state == 'open' or (self.state == 'half_open' and self.probing):
                            raise RuntimeError('open')
                        self.probing = self.state == 'half_open'
                        try:
                            return f()
                        except Exception:
                            self.failures += 1
                            raise
                        finally:
                            self.probing = False
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export class Breaker {
                  private failures = 0;
                  private state: 'closed' | 'open' | 'halfOpen' = 'closed';
                  private openedAt = 0;
                  private probe: Promise<unknown> | null = null;
                  async call<T>(f: () => Promise<T>): Promise<T> {
                    if (this.state === 'open' && Date.now() - this.openedAt > 60000) this.state = 'halfOpen';
                    if (this.state === 'open' || this.probe) throw new Error('open');
                    if (this.state === 'halfOpen') this.probe = f();
                    try { return await f(); } catch (e) { this.failures++; throw e; }
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                type Breaker struct {
                    state    string
                    failures int
                    probing  atomic.Bool
                    openedAt time.Time
                }
                func (b *Breaker) Do(f func() error) error {
                    if b.state == "open" && time.Since(b.openedAt) > time.Minute {
                        b.state = "half-open"
                    }
                    if b.state == "open" || (b.state == "half-open" && !b.probing.CompareAndSwap(false, true)) {
                        return errors.New("open")
                    }
                    err := f()
                    if err != nil {
                        b.failures++
                    }
                    return err
                }
            """,
        }),
        Sample("java", {
            "Breaker.java": """
                class Breaker {
                  private int failures;
                  private State state = State.CLOSED;
                  private Instant openedAt;
                  private final Semaphore one = new Semaphore(1);
                  <T> T call(Supplier<T> f) {
                    if (state == State.OPEN && Instant.now().isAfter(openedAt.plusSeconds(60))) state = State.HALF_OPEN;
                    if (state == State.OPEN || (state == State.HALF_OPEN && !one.tryAcquire())) throw new IllegalStateException("open");
                    try { return f.get(); } catch (RuntimeException e) { failures++; throw e; }
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "flag.py": """
                import time
                class Breaker:
                    def __init__(self):
                        self.failures, self.state, self.opened_at = 0, 'closed', 0.0
                        self._probing = False
                    def call(self, f):
                        if self.state == 'open':
                            if time.monotonic() - self.opened_at < 60:
                                raise RuntimeError('open')
                            self.state = 'half_open'  # <-
                        if self.state == 'half_open':
                            if self._probing:
                                raise RuntimeError('probed')
                            pass
                        try:
                            return f()
                        except Exception:
                            self.failures += 1
                            if self.failures >= 5:
                                self.state, self.opened_at = 'open', time.monotonic()
                            raise
                        finally:
                            self._probing = False
            """,
        }),
        Sample("python", {
            "a.py": """
                import time
                class Breaker:
                    def __init__(self):
                        self.failures, self.state, self.opened_at = 0, 'closed', 0.0
                    def call(self, f):
                        if self.state == 'open':
                            if time.monotonic() - self.opened_at < 60:
                                raise RuntimeError('open')
                            self.state = 'half_open'  # <-
                        try:
                            return f()
                        except Exception:
                            self.failures += 1
                            if self.failures >= 5:
                                self.state, self.opened_at = 'open', time.monotonic()
                            raise
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export class Breaker {
                  private failures = 0;
                  private state: 'closed' | 'open' | 'halfOpen' = 'closed';
                  private openedAt = 0;
                  async call<T>(f: () => Promise<T>): Promise<T> {
                    if (this.state === 'open') {
                      if (Date.now() - this.openedAt < 60000) throw new Error('open');
                      this.state = 'halfOpen'; // <-
                    }
                    try { return await f(); } catch (e) {
                      this.failures++;
                      if (this.failures >= 5) { this.state = 'open'; this.openedAt = Date.now(); }
                      throw e;
                    }
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                type Breaker struct {
                    state    string
                    failures int
                    openedAt time.Time
                }
                func (b *Breaker) Do(f func() error) error {
                    if b.state == "open" {
                        if time.Since(b.openedAt) < time.Minute {
                            return errors.New("open")
                        }
                        b.state = "half-open" // <-
                    }
                    err := f()
                    if err != nil {
                        b.failures++
                        b.state = "open"
                        b.openedAt = time.Now()
                    }
                    return err
                }
            """,
        }),
        Sample("java", {
            "Breaker.java": """
                class Breaker {
                  private int failures;
                  private State state = State.CLOSED;
                  private Instant openedAt;
                  <T> T call(Supplier<T> f) {
                    if (state == State.OPEN) {
                      if (Instant.now().isBefore(openedAt.plusSeconds(60))) throw new IllegalStateException("open");
                      state = State.HALF_OPEN; // <-
                    }
                    try { return f.get(); } catch (RuntimeException e) {
                      failures++;
                      if (failures >= 5) { state = State.OPEN; openedAt = Instant.now(); }
                      throw e;
                    }
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
