"""What failed for a moment is tried again, politely."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    remote = any(e.kind == "remote" for _, f in facts.program.functions() for e in f.effects)
    polite = [f for f in facts.of("retry") if f["bounded"] and f["backoff"] and (f["near"] or not remote)]
    return hits(polite, lambda f: f"tried again with a pause: {f['by']}")


RULE = Rule(
    id="ERR-E02",
    item="error_handling",
    kind="evidence",
    severity=Severity.NOTE,
    title="Retries with backoff",
    why="Most failures between machines are over in a second.",
    remedy="Try idempotent calls again a few times, waiting exponentially longer with jitter.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {  # a task of Celery that asks for another turn
            "tasks.py": """
                from celery import shared_task
                @shared_task(bind=True)
                def send(self, pk):
                    try:
                        deliver(pk)
                    except IOError as error:
                        raise self.retry(exc=error, countdown=2 ** self.request.retries)  # <-
            """,
        }),
        Sample("python", {  # a task of Celery that waits before it is tried again
            "tasks.py": """
                from celery import Celery
                app = Celery('notify')
                @app.task(bind=True, max_retries=48, default_retry_delay=300)
                def deliver(self, id):  # <-
                    ...
            """,
        }),
        Sample("python", {
            "a.py": """
                def f():
                    for attempt in range(3):  # <-
                        try:
                            return ask()
                        except OSError:
                            sleep(2 ** attempt)
                            continue
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import asyncRetry from 'async-retry';
                export const f = () => asyncRetry(ask, { retries: 3 }); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/cenkalti/backoff"
                func F() { backoff.Retry(ask, b) } // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  @Retryable(maxAttempts = 3) void f() { } // <-
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                def f():
                    while True:
                        try:
                            return ask()
                        except OSError:
                            continue
            """,
            "requirements.txt": "tenacity\n",
        }),
        Sample("typescript", {
            "a.ts": """
                // asyncRetry(ask)
                for (const x of xs) { use(x); }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F() { for _, x := range xs { use(x) } }
            """,
        }),
        Sample("java", {
            "A.java": "class A { /* @Retryable */ void f() { } }\n",
        }),
    ),
    check=check,
)  # fmt: skip
