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
    remedy="Enqueue it, in the transaction of its cause, in a queue that survives; let a worker of its own do it.",
    languages=("python", "typescript", "go"),
    valid=(
        Sample("python", {"a.py": "from celery import shared_task\n@shared_task(max_retries=3)\ndef send(id):  # <-\n    mail(id)\ndef f():\n    send.delay(1)  # <-\n"}),
        Sample("typescript", {"a.ts": "import { Queue, Worker } from 'bullmq';\nconst queue = new Queue('mail');\nnew Worker('mail', handle); // <-\nawait queue.add('send', { id: 1 }); // <-\n"}),
        Sample("go", {"a.go": "package a\nimport \"github.com/hibiken/asynq\"\nfunc Serve() { srv := asynq.NewServer(o, c); srv.Run(mux) } // <-\nfunc Add(client *asynq.Client) { client.Enqueue(task) } // <-\n"}),
    ),
    invalid=(
        Sample("python", {"a.py": "from celery import shared_task\n@shared_task\ndef send(id):\n    mail(id)\n", "requirements.txt": "celery\n"}),
        Sample("typescript", {"a.ts": "const s = new Set(); s.add(1);\n", "package.json": "{\"dependencies\": {\"bullmq\": \"5\"}}"}),
        Sample("go", {"a.go": "package a\nfunc Add(q *Queue) { q.Enqueue(task) }\n"}),
    ),
    check=check,
)  # fmt: skip
