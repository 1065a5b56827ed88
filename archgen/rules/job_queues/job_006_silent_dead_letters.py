"""Messages are put aside, and neither an alert nor a runbook mentions them."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity

_JOBS = re.compile(r"job(?!\s*(=|!=|[,)]))|task|queue|worker", re.IGNORECASE)
_FAILED = re.compile(r"fail|error|dead|lost|exhaust|stuck|given_?up", re.IGNORECASE)


def check(facts: Facts) -> Iterable[Hit]:
    told = any(
        re.search(r"dead|dlq|dlx", f"{a['name']} {a['expr']}", re.IGNORECASE) for a in facts.of("alert")
    )
    written = any(
        re.search(r"dead[- ]?letter|dlq|redrive", str(h["text"]), re.IGNORECASE)
        for h in facts.of("doc.heading", "doc.topic", at_least=Strength.CLAIMED)
    )
    # rows that say that they have failed are shown where they are worked with
    first = next((f for f in facts.of("dead_letters") if f.get("by") != "row"), None)
    alerts = [f"{a['name']} {a['expr']}" for a in facts.of("alert")]
    if first is not None and not told and (alerts or not written):
        lack = "no alert" if written else "no alert and no document"
        yield Hit(first.file, first.line, f"{lack} mentions the dead letters", first.strength)
    worker = next((w for w in facts.of("job.worker") if w.get("by") == "table"), None)
    if worker is not None and alerts and not any(_JOBS.search(a) and _FAILED.search(a) for a in alerts):
        yield Hit(worker.file, worker.line, "no alert mentions jobs that failed", worker.strength)


RULE = Rule(
    id="JOB-006",
    item="job_queues",
    kind="defect",
    severity=Severity.WARNING,
    title="Dead letters that nobody hears of",
    why="A dead letter is a customer whose order stopped; nobody will look unless something calls.",
    remedy="Alert on the number of dead letters, and write down how to look at them and send them again.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # `id < 3` in the words of ent
            "flush.go": """
                package database
                import "github.com/segmentio/kafka-go"
                func (c *Client) Flush(most int) error {
                    _, err := c.Ent.Alert.Delete().Where(alert.IDLT(most)).Exec(ctx)
                    return err
                }
            """,
        }),
        Sample("python", {  # a task that hands itself to what tries it again

                "tasks.py": """
                    from contextlib import contextmanager
                    from smtplib import SMTPException
                    from celery import shared_task
                    @contextmanager
                    def tried_again(task):
                        try:
                            yield
                        except SMTPException:
                            task.retry(max_retries=5, countdown=2 ** task.request.retries)
                    @shared_task(bind=True)
                    def send(self, pk):
                        mail = Mail.objects.get(pk=pk)
                        try:
                            with tried_again(self):
                                deliver(mail)
                        except Exception as error:
                            mail.mark_failed(error)
                """,
                "views.py": """
                    from tasks import send
                    def post(request):
                        send.delay(request.pk)
                """,

        }),
        Sample("python", {
            "queue.py": """
                from sqlalchemy import insert, select, update, delete
                from tables import chores
                def remind(conn, who):
                    conn.execute(insert(chores), [{"who": who, "due_at": 0}])
                def claim(conn, me):
                    rows = conn.execute(select(chores).limit(10).with_for_update(skip_locked=True)).all()
                    conn.execute(update(chores).values(locked_by=me, due_at=9))
                    return rows
                def finish(conn, row):
                    conn.execute(delete(chores))
                def run(conn):
                    while True:
                        for row in claim(conn, "me"):
                            finish(conn, row)
            """,
            "rules.yml": """
                groups:
                  - name: jobs
                    rules:
                      - alert: JobsFailed
                        expr: jobs{status='failed'} > 0
            """,
        }),
        Sample("python", {
            "a.py": """
                import pika
                def f(ch):
                    ch.queue_declare('q', arguments={'x-dead-letter-exchange': 'dlx'})
            """,
            "docs/runbook.md": """
                # Dead letters

                Look, then redrive.
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import amqp from 'amqplib';
                async function f(ch) {
                  await ch.assertQueue('q', { durable: true, deadLetterExchange: 'dlx' });
                }
            """,
            "rules.yml": """
                groups:
                  - name: broker
                    rules:
                      - alert: DeadLetters
                        expr: dead_letters > 0
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import amqp "github.com/rabbitmq/amqp091-go"
                func F(ch *amqp.Channel) {
                    ch.QueueDeclare("q", true, false, false, false, amqp.Table{"x-dead-letter-exchange": "dlx"})
                }
            """,
            "docs/dlq.md": """
                # The DLQ, and how to redrive it
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  DefaultErrorHandler errors(KafkaTemplate t) {
                    return new DefaultErrorHandler(new DeadLetterPublishingRecoverer(t));
                  }
                }
            """,
            "docs/runbook.md": """
                # Dead letters
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "queue.py": """
                from sqlalchemy import insert, select, update, delete
                from tables import chores
                def remind(conn, who):
                    conn.execute(insert(chores), [{"who": who, "due_at": 0}])
                def claim(conn, me):
                    rows = conn.execute(select(chores).limit(10).with_for_update(skip_locked=True)).all()  # <-
                    conn.execute(update(chores).values(locked_by=me, due_at=9))
                    return rows
                def finish(conn, row):
                    conn.execute(delete(chores))
                def run(conn):
                    while True:
                        for row in claim(conn, "me"):
                            finish(conn, row)
            """,
            "rules.yml": """
                groups:
                  - name: jobs
                    rules:
                      - alert: JobsWaiting
                        expr: jobs_oldest_seconds > 60
                      - alert: Errors
                        expr: errors_total{job="web"} > 9
            """,
        }),
        Sample("python", {
            "a.py": """
                import pika
                def f(ch):
                    ch.queue_declare('q', arguments={'x-dead-letter-exchange': 'dlx'})  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import amqp from 'amqplib';
                async function f(ch) {
                  await ch.assertQueue('q', { durable: true, deadLetterExchange: 'dlx' }); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import amqp "github.com/rabbitmq/amqp091-go"
                func F(ch *amqp.Channel) {
                    ch.QueueDeclare("q", true, false, false, false, amqp.Table{"x-dead-letter-exchange": "dlx"}) // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  DefaultErrorHandler errors(KafkaTemplate t) {
                    return new DefaultErrorHandler(new DeadLetterPublishingRecoverer(t)); // <-
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
