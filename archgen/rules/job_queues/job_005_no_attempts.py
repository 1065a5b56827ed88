"""Jobs are enqueued, and a failed one is not tried again."""

from collections.abc import Iterable, Iterator
from itertools import islice

from archgen.evidence.facts import Fact, Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits

_TOLD = 5  # what holds for many tasks is a matter of how the project does it: some show it


def check(facts: Facts) -> Iterable[Hit]:
    yield from hits(
        facts.of("job.hasty"),
        lambda f: f"{f['function']} lets a job that failed be tried again at once, or never",
    )
    workers, enqueued = list(facts.of("job.worker")), list(facts.of("job.enqueue"))
    told = {f.file for f in facts.of("attempts", "job.attempts")}
    lone = [w for w in facts.of("job.worker") if w.get("attempts") is False and w.get("function")]
    queued = any(e.get("by") != "table" for e in enqueued)  # then the place of the call says more
    for task in [] if queued else [w for w in lone if w.get("by") != "table" and w.file not in told][:1]:
        yield Hit(
            task.file, task.line, f"{task['function']} is tried once, and lost when it fails", task.strength
        )
    if any(f.get("attempts") for f in (*workers, *enqueued)) or facts.has("attempts"):
        again = {str(f.get("function")).rpartition(".")[2] for f in facts.of("attempts", "job.attempts")}
        yield from islice(_once({str(w["function"]) for w in lone} - again, enqueued), _TOLD)
        return
    for job in enqueued[:1]:
        yield Hit(job.file, job.line, f"{job['what']} enqueues a job that is tried once", job.strength)


def _once(names: set[str], enqueued: Iterable[Fact]) -> Iterator[Hit]:
    """Where somebody waits for one of the tasks `names`, each once: others are tried again, and these are not."""
    for job in enqueued:
        name = str(job["what"]).rpartition(".")[0].rpartition(".")[2]
        if name in names and not job["attempts"]:
            names.remove(name)
            yield Hit(job.file, job.line, f"{name} is enqueued, and tried once", job.strength)


RULE = Rule(
    id="JOB-005",
    item="job_queues",
    kind="defect",
    severity=Severity.WARNING,
    title="Jobs without attempts",
    why="What fails for a second fails for good, and nobody notices that the mail never left.",
    remedy="Set attempts with exponential backoff where the job is defined or enqueued.",
    languages=("python", "typescript", "go", "java"),
    valid=(
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
                from sqlalchemy import select, insert, update, delete
                from tables import chores
                def add(conn, work):
                    conn.execute(insert(chores), [work])
                def take(conn, me, limit):
                    rows = conn.execute(select(chores).limit(limit).with_for_update(skip_locked=True)).all()
                    spent = [row for row in rows if row.attempts >= 5]
                    if spent:
                        conn.execute(update(chores).values(status='failed'))
                    conn.execute(update(chores).values(locked_by=me, attempts=chores.c.attempts + 1))
                    return rows
                def finish(conn, held):
                    conn.execute(update(chores).values(status='done'))
                def fail(conn, held, again):
                    conn.execute(update(chores).values(status='ready', run_at=now() + again))
            """,
            "worker.py": """
                import queue
                def run(engine):
                    while True:
                        with engine.begin() as conn:
                            held = queue.take(conn, ME, 1)
                        attempt(engine, held)
                def attempt(engine, held):
                    try:
                        handle(held)
                    except Exception:
                        transact(engine, lambda conn: queue.fail(conn, held, 2 ** held.attempts))
                    else:
                        transact(engine, lambda conn: queue.finish(conn, held))
            """,
        }),
        Sample("python", {
            "a.py": """
                from celery import shared_task
                @shared_task(autoretry_for=(OSError,), retry_backoff=True)
                def send(id):
                    mail(id)
                def f():
                    send.delay(1)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Queue } from 'bullmq';
                export const f = (queue) => queue.add('mail', {}, { attempts: 3 });
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/hibiken/asynq"
                func Add(client *asynq.Client) {
                    client.Enqueue(task)
                }
            """,
        }),
        Sample("java", {
            "Mail.java": """
                import org.jobrunr.scheduling.JobScheduler;
                class Mail {
                  void later(JobScheduler jobScheduler) { jobScheduler.enqueue(() -> send("x")); }
                }
            """,
        }),
    ),
    invalid=(
        Sample("typescript", {
            "queues/queues.js": """
                const Queue = require("bull");
                const visit = new Queue("visit", { redis });
                visit.process(6, "visit.js");
                module.exports = { visit };
            """,
            "links.js": """
                const queue = require("./queues");
                async function redirect(req, res) {
                  queue.visit.add({ ip: req.ip }); // <-
                  res.redirect(req.link);
                }
            """,
        }),
        Sample("python", {  # one task of two; its module knows the application by the project's own name
            "shop/celery.py": """
                from celery import Celery
                app = Celery('shop')
            """,
            "shop/mails.py": """
                from shop.celery import app
                @app.task
                def confirm(order): ...
            """,
            "shop/rates.py": """
                from shop.celery import app
                @app.task(autoretry_for=(IOError,), retry_kwargs={'max_retries': 5})
                def fetch(): ...
            """,
            "shop/orders.py": """
                from shop.mails import confirm
                from shop.rates import fetch
                def place(order):
                    confirm.delay(order.id)  # <-
                    fetch.delay()
            """,
        }),
        Sample("python", {
            "queue.py": """
                from sqlalchemy import select, insert, update, delete
                from tables import chores
                def add(conn, work):
                    conn.execute(insert(chores), [work])
                def take(conn, me, limit):
                    rows = conn.execute(select(chores).limit(limit).with_for_update(skip_locked=True)).all()
                    spent = [row for row in rows if row.attempts >= 5]
                    if spent:
                        conn.execute(update(chores).values(status='failed'))
                    conn.execute(update(chores).values(locked_by=me, attempts=chores.c.attempts + 1))
                    return rows
                def finish(conn, held):
                    conn.execute(update(chores).values(status='done'))
                def fail(conn, held, again):
                    conn.execute(update(chores).values(status='ready', run_at=now() + again))  # <-
            """,
            "worker.py": """
                import queue
                def run(engine):
                    while True:
                        with engine.begin() as conn:
                            held = queue.take(conn, ME, 1)
                        attempt(engine, held)
                def attempt(engine, held):
                    try:
                        handle(held)
                    except Exception:
                        transact(engine, lambda conn: queue.fail(conn, held, 0))
                    else:
                        transact(engine, lambda conn: queue.finish(conn, held))
            """,
        }),
        Sample("python", {
            "a.py": """
                from celery import shared_task
                @shared_task
                def send(id):
                    mail(id)
                def f():
                    send.delay(1)  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Queue } from 'bullmq';
                export const f = (queue) => queue.add('mail', {}); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/hibiken/asynq"
                func Add(client *asynq.Client) {
                    client.Enqueue(task, asynq.MaxRetry(0)) // <-
                }
            """,
        }),
        Sample("java", {
            "Mail.java": """
                import org.jobrunr.scheduling.JobScheduler;
                import org.jobrunr.jobs.annotations.Job;
                class Mail {
                  void later(JobScheduler jobScheduler) { jobScheduler.enqueue(() -> send("x")); } // <-
                  @Job(retries = 0)
                  void send(String to) { }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
