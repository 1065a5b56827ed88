"""Job queues and consumers: attempts, backoff, dead letters, acknowledgements, durability."""

from __future__ import annotations

from functools import partial

from tests.mutants.config import drop_key
from tests.mutants.edits import add, before, body, chain, drop, drop_argument, imports, regex, remove, rewrite
from tests.mutants.model import Mutation
from tests.mutants.table.places import ALERTS, CHASSIS, NOTIFICATIONS, PAYMENTS, SHIPPING

_jobs = partial(Mutation, item="job_queues")
_NATS = f"{CHASSIS}bus/nats.py"
_WORKER = f"{CHASSIS}jobs/worker.py"
_DEAD = r"(?i)dead[- ]?letters?|redrive"

MUTATIONS = (
    _jobs(
        "a job fails for ever, without a limit of attempts",
        rules=("JOB-001", "JOB-005"),
        at=f"{CHASSIS}jobs/*",
        edit=chain(
            rewrite(
                _WORKER,
                "held.attempt >= job.attempts or isinstance(error, GiveUp)",
                "isinstance(error, GiveUp)",
            ),
            rewrite(
                f"{CHASSIS}jobs/queue.py",
                "[row for row in rows if row.attempt >= known[row.name].attempts]",
                "[]",
            ),
            rewrite(
                f"{CHASSIS}jobs/queue.py",
                "[row for row in rows if row.attempt < known[row.name].attempts]",
                "list(rows)",
            ),
            regex(f"{CHASSIS}jobs/definition.py", "^    attempts: int = 3\n", ""),
            regex("services/*/generated/wiring.py", "^        attempts=.*\n", ""),
        ),
    ),
    _jobs(
        "a job that failed is tried again at once",
        rules=("JOB-005",),
        at=f"{CHASSIS}jobs/*",
        edit=rewrite(_WORKER, "None if last else job.backoff.wait(held.attempt)", "None if last else 0.0"),
    ),
    _jobs(
        "a job is tried once",
        rules=("JOB-005",),
        at=f"{CHASSIS}jobs/*",
        edit=chain(
            rewrite(_WORKER, "None if last else job.backoff.wait(held.attempt)", "None"),
            rewrite(_WORKER, "held.attempt >= job.attempts or isinstance(error, GiveUp)", "True"),
        ),
    ),
    _jobs(
        "failed jobs are deleted",
        rules=("JOB-001",),
        at=f"{CHASSIS}jobs/*",
        edit=chain(
            rewrite(
                f"{CHASSIS}jobs/queue.py",
                "conn.execute(change.where(_MINE), $X)",
                "conn.execute(_REMOVED if again_in is None else change.where(_MINE), $X)",
            ),
            rewrite(
                f"{CHASSIS}jobs/queue.py",
                'conn.execute(update(jobs).where($X).values(status="failed"))',
                "conn.execute(delete(jobs).where($X))",
            ),
        ),
    ),
    _jobs(
        "messages that are given up are dropped",
        rules=("JOB-001",),
        at="*",
        edit=drop(f"{CHASSIS}inbox.py", "conn.execute(insert(dead_letters), [letter])"),
        also=("error_handling",),
    ),
    _jobs(
        "messages are tried for ever",
        rules=("JOB-001",),
        at=f"{CHASSIS}*",
        edit=rewrite(f"{CHASSIS}inbox.py", "isinstance(error, Refused | Malformed) or $X", "False"),
        also=("error_handling",),
    ),
    _jobs(
        "acknowledged before the batch is handled",
        rules=("JOB-002",),
        at=f"{CHASSIS}inbox.py",
        edit=before(
            f"{CHASSIS}inbox.py",
            "readable.sort(key=$K)",
            """
            for delivery, _ in readable:
                await delivery.ack()
            """,
        ),
    ),
    _jobs(
        "acknowledged before the message is handled alone",
        rules=("JOB-002",),
        at=f"{CHASSIS}inbox.py",
        edit=body(
            f"{CHASSIS}inbox.py",
            "Inbox._alone",
            """
            await self._done(delivery, message)
            try:
                await self._handle([message])
            except Exception as error:
                await self._failed(delivery, message, error)
            """,
        ),
    ),
    _jobs(
        "acknowledged on arrival",
        rules=("JOB-002",),
        at=f"{CHASSIS}*",
        edit=before(
            f"{CHASSIS}runtime.py",
            "await inbox.take(deliveries)",
            """
            for delivery in deliveries:
                await delivery.ack()
            """,
        ),
    ),
    _jobs(
        "a job is done before it is worked on",
        rules=("JOB-002",),
        at=f"{CHASSIS}jobs/*",
        edit=chain(
            drop(_WORKER, "queue.finish(conn, held, job.keep)"),
            before(
                _WORKER,
                "await self._do(job, held)",
                "await self.db.run(lambda conn: queue.finish(conn, held, job.keep))",
            ),
        ),
    ),
    _jobs(
        "the broker wants no acknowledgements",
        rules=("JOB-004",),
        at=_NATS,
        edit=rewrite(_NATS, "AckPolicy.EXPLICIT", "AckPolicy.NONE"),
    ),
    _jobs(
        "the stream is kept in memory",
        rules=("JOB-003",),
        at=_NATS,
        edit=rewrite(_NATS, "StorageType.FILE", "StorageType.MEMORY"),
        also=("disaster_recovery",),
    ),
    _jobs(
        "consumers are forgotten when they go",
        rules=("JOB-003",),
        at=_NATS,
        edit=drop_argument(_NATS, "durable_name"),
    ),
    _jobs(
        "consumers hear only what is new",
        rules=("JOB-003",),
        at=_NATS,
        edit=chain(
            drop_argument(_NATS, "durable_name"),
            rewrite(_NATS, "DeliverPolicy.ALL", "DeliverPolicy.NEW"),
        ),
    ),
    _jobs(
        "a queue of RabbitMQ that goes with its consumer",
        rules=("JOB-003",),
        at=f"{SHIPPING}labels.py",
        edit=add(
            f"{SHIPPING}labels.py",
            """
            import os

            import pika


            def print_labels() -> None:
                connection = pika.BlockingConnection(pika.URLParameters(os.environ["LABELS_URL"]))
                channel = connection.channel()
                queue = channel.queue_declare(queue="", exclusive=True).method.queue
                channel.basic_consume(queue, on_label)
                channel.start_consuming()


            def on_label(channel, method, properties, body) -> None:
                print(body.decode())
                channel.basic_ack(method.delivery_tag)
            """,
        ),
        also=("communication_patterns", "data_consistency", "error_handling", "observability"),
    ),
    _jobs(
        "a consumer of RabbitMQ that acknowledges by itself",
        rules=("JOB-004",),
        at=f"{SHIPPING}labels.py",
        edit=add(
            f"{SHIPPING}labels.py",
            """
            import os

            import pika


            def print_labels() -> None:
                connection = pika.BlockingConnection(pika.URLParameters(os.environ["LABELS_URL"]))
                channel = connection.channel()
                channel.queue_declare(queue="labels", durable=True)
                channel.basic_consume("labels", on_label, auto_ack=True)
                channel.start_consuming()


            def on_label(channel, method, properties, body) -> None:
                print(body.decode())
            """,
        ),
        also=("communication_patterns", "data_consistency", "error_handling", "observability"),
    ),
    _jobs(
        "a task of Celery that is lost with its worker",
        rules=("JOB-002", "JOB-005"),
        at=f"{PAYMENTS}statements.py",
        edit=add(
            f"{PAYMENTS}statements.py",
            """
            import os

            from celery import Celery

            app = Celery("statements", broker=os.environ["CELERY_BROKER_URL"])


            @app.task
            def send_statement(customer_id: str) -> None:
                print(customer_id)
            """,
        ),
        also=("communication_patterns", "error_handling"),
    ),
    _jobs(
        "a background task in place of a job",
        rules=("JOB-003", "JOB-005"),
        at=f"{NOTIFICATIONS}commands/notify.py",
        edit=chain(
            imports(f"{NOTIFICATIONS}commands/notify.py", "import asyncio"),
            imports(f"{NOTIFICATIONS}commands/notify.py", "from notifications.jobs.deliver import deliver"),
            rewrite(
                f"{NOTIFICATIONS}commands/notify.py",
                "uow.enqueue(Deliver($$$A))",
                "asyncio.get_running_loop().create_task(deliver(Deliver($$$A)))",
            ),
        ),
    ),
    _jobs(
        "nobody is called for dead letters, and no page says what to do",
        rules=("JOB-006",),
        at="*",
        edit=chain(
            drop_key(ALERTS, "groups.*.rules.[alert=DeadLetters]"),
            remove("docs/runbooks/dead-letters.md"),
            regex("*.md", _DEAD, "leftovers"),
            regex("Makefile", r"^(dead-letters|redrive):.*\n(\t.*\n)+", ""),
        ),
    ),
    _jobs(
        "no alert on dead letters",
        rules=("JOB-006",),
        at="*",
        edit=drop_key(ALERTS, "groups.*.rules.[alert=DeadLetters]"),
    ),
    _jobs(
        "no alert on failed jobs",
        rules=("JOB-006",),
        at="*",
        edit=drop_key(ALERTS, "groups.*.rules.[alert=JobsFailed]"),
    ),
)
