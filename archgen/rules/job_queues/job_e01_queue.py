"""Jobs that are enqueued, and workers that do them."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    if facts.has("job.worker") and facts.has("job.enqueue"):
        return hits(facts.of("job.worker"), lambda f: f"jobs are done: {f['what']}") + hits(
            facts.of("job.enqueue"), lambda f: f"a job is enqueued: {f['what']}"
        )
    return []


RULE = Rule(
    id="JOB-E01",
    item="job_queues",
    kind="evidence",
    severity=Severity.NOTE,
    title="Job queue with workers",
    why="Work that can wait must not make a caller wait, and must not be lost when the process dies.",
    remedy=(
        "Enqueue it, in the transaction of its cause, in a queue that survives; let a worker of "
        "its own do it."
    ),
    languages=("python", "typescript", "go"),
    valid=(
        Sample("python", {
            "a.py": """
                from celery import shared_task
                @shared_task(max_retries=3)
                def send(id):  # <-
                    mail(id)
                def f():
                    send.delay(1)  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Queue, Worker } from 'bullmq';
                const queue = new Queue('mail');
                new Worker('mail', handle); // <-
                await queue.add('send', { id: 1 }); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/hibiken/asynq"
                func Serve() { srv := asynq.NewServer(o, c); srv.Run(mux) } // <-
                func Add(client *asynq.Client) { client.Enqueue(task) } // <-
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                from celery import shared_task
                @shared_task
                def send(id):
                    mail(id)
            """,
            "requirements.txt": "celery\n",
        }),
        Sample("typescript", {
            "a.ts": "const s = new Set(); s.add(1);\n",
            "package.json": "{\"dependencies\": {\"bullmq\": \"5\"}}",
        }),
        Sample("go", {
            "a.go": """
                package a
                func Add(q *Queue) { q.Enqueue(task) }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
