"""Attempts are counted and end."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("attempts"),
        lambda f: f"attempts are limited: {f['what']} in {f['function'] or 'the module'}",
    )


RULE = Rule(
    id="JOB-E04",
    item="job_queues",
    kind="evidence",
    severity=Severity.NOTE,
    title="Limit of attempts",
    why="A job that fails for ever is done for ever, at the expense of those behind it.",
    remedy="Count attempts, wait longer after each, and give up after the last.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                import nats
                async def f(js):
                    await js.pull_subscribe('x', config=Config(max_deliver=5))  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Queue } from 'bullmq';
                export async function f(queue) {
                  await queue.add('x', {}, { attempts: 3 }); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/hibiken/asynq"
                func Add(client *asynq.Client) {
                    client.Enqueue(task, asynq.MaxRetry(5)) // <-
                }
            """,
        }),
        Sample("java", {
            "Mail.java": """
                import org.jobrunr.scheduling.JobScheduler;
                import org.jobrunr.jobs.annotations.Job;
                class Mail {
                  void later(JobScheduler jobScheduler) { jobScheduler.enqueue(() -> send("x")); } // <-
                  @Job(retries = 4)
                  void send(String to) { } // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                import org.springframework.kafka.annotation.RetryableTopic;
                class A {
                  @RetryableTopic(attempts = "4")
                  @KafkaListener(topics="x") void on(String m) { handle(m); } // <-
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                def login(attempts):
                    return attempts < 3
            """,
        }),
        Sample("typescript", {
            "a.ts": "const attempts = 3;\n",
        }),
        Sample("go", {
            "a.go": """
                package a
                func Login(attempts int) bool { return attempts < 3 }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { boolean login(int attempts) { return attempts < 3; } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
