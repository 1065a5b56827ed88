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
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # handlers that Restate calls, and calls again
            "run.go": """
                package worker
                import "github.com/restatedev/sdk-go/server"
                func Run(ctx context.Context) error {
                    return server.NewRestate().Bind(deploys()).Start(ctx, ":9080") // <-
                }
            """,
            "push.go": """
                package hooks
                import restate "github.com/restatedev/sdk-go/ingress"
                func push(client *restate.Client, id string) error {
                    _, err := pb.NewDeployIngressClient(client, id).Deploy().Send(ctx, id) // <-
                    return err
                }
            """,
        }),
        Sample("python", {  # a task of Huey is enqueued where it is called
            "tasks.py": """
                from huey.contrib.djhuey import task
                @task(retries=3)
                def load_icon(bookmark_id):  # <-
                    icons.load(bookmark_id)
            """,
            "bookmarks.py": """
                from tasks import load_icon
                def create(bookmark):
                    bookmark.save()
                    load_icon(bookmark.id)  # <-
            """,
        }),
        Sample("typescript", {
            "temporal.module.ts": """
                import { TemporalModule } from 'nestjs-temporal-core';
                export const temporal = TemporalModule.register({ taskQueue: 'main', worker: { activityClasses: [Posts] } }); // <-
            """,
            "posts.service.ts": """
                export class Posts {
                  async start(id: string) {
                    await this.temporal.client.getRawClient().workflow.start('post', { args: [id], taskQueue: 'main' }); // <-
                  }
                }
            """,
        }),
        Sample("typescript", {
            "agenda.ts": """
                import Agenda from 'agenda';
                export default function jobs(agenda: Agenda) {
                  agenda.define('mail', async (job) => send(job.attrs.data));  // <-
                  agenda.every('1 day', 'mail');  // <-
                }
            """,
        }),
        Sample("typescript", {  # workflows of Temporal
            "worker.ts": """
                import { Worker } from '@temporalio/worker';
                export async function run() {
                  const worker = await Worker.create({ taskQueue: 'orders', workflowsPath: './w' });  // <-
                  await worker.run();
                }
            """,
            "start.ts": """
                import { Client } from '@temporalio/client';
                export async function start(client: Client, id: string) {
                  await client.workflow.start('order', { taskQueue: 'orders', workflowId: id });  // <-
                }
            """,
        }),
        Sample("python", {  # a queue behind somebody's own decorator
            "tasks.py": """
                from task_processor.decorators import register_task_handler
                @register_task_handler()
                def send(id):  # <-
                    mail(id)
            """,
            "views.py": """
                from tasks import send
                def order(request):
                    send.delay(args=(request.id,))  # <-
            """,
        }),
        Sample("go", {
            "controller.go": """
                package controller
                import "k8s.io/client-go/util/workqueue"
                type Controller struct { queue workqueue.TypedRateLimitingInterface[string] }
                func New() *Controller {
                    return &Controller{queue: workqueue.NewTypedRateLimitingQueue(limiter)} // <-
                }
                func (c *Controller) next(key string) {
                    if err := c.sync(key); err != nil {
                        c.queue.AddRateLimited(key) // <-
                    }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { CloudTasksClient } from '@google-cloud/tasks';
                export const later = (client: CloudTasksClient, task) => client.createTask(task); // <-
            """,
        }),
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
        Sample("python", {
            "queue.py": """
                from sqlalchemy import insert, select, update, delete
                from tables import chores

                def remind(conn, who):
                    conn.execute(insert(chores), [{"who": who, "due_at": 0, "attempts": 0}])  # <-

                def claim(conn, me):
                    rows = conn.execute(select(chores).limit(10).with_for_update(skip_locked=True)).all()  # <-
                    for row in rows:
                        conn.execute(update(chores).values(locked_by=me, due_at=row.due_at + 30))
                    return rows

                def finish(conn, row):
                    conn.execute(delete(chores))

                def run(conn):
                    while True:
                        for row in claim(conn, "me"):
                            work(row)
                            finish(conn, row)
            """,
        }),
        Sample("typescript", {
            "queue.ts": """
                export async function add(db, body) {
                  await db.query(`INSERT INTO tasks (body, run_at) VALUES ($1, now())`, [body]); // <-
                }
                async function claim(db, me) {
                  return db.query(`UPDATE tasks SET locked_by = $1 WHERE id IN (SELECT id FROM tasks WHERE run_at < now() LIMIT 1 FOR UPDATE SKIP LOCKED)`, [me]); // <-
                }
                async function done(db, id) { await db.query(`DELETE FROM tasks WHERE id = $1`, [id]); }
                export async function work(db) {
                  while (true) {
                    for (const row of await claim(db, 'me')) { await run(row); await done(db, row.id); }
                  }
                }
            """,
        }),
        Sample("go", {
            "queue.go": """
                package queue
                func (s *Store) Add(ctx context.Context, body string) error {
                    _, err := s.db.ExecContext(ctx, "INSERT INTO tasks (body, run_at) VALUES ($1, now())", body) // <-
                    return err
                }
                func (s *Store) Claim(ctx context.Context, me string) (*sql.Rows, error) {
                    return s.db.QueryContext(ctx, "UPDATE tasks SET locked_by = $1 WHERE id IN (SELECT id FROM tasks WHERE run_at < now() LIMIT 5 FOR UPDATE SKIP LOCKED)", me) // <-
                }
                func (s *Store) Done(ctx context.Context, id string) error {
                    _, err := s.db.ExecContext(ctx, "DELETE FROM tasks WHERE id = $1", id)
                    return err
                }
                func (s *Store) Work(ctx context.Context) {
                    for {
                        rows, _ := s.Claim(ctx, "me")
                        run(rows)
                    }
                }
            """,
        }),
        Sample("java", {
            "Tasks.java": """
                class Tasks {
                  private JdbcTemplate jdbcTemplate;
                  void add(String body) {
                    jdbcTemplate.update("INSERT INTO tasks (body, run_at) VALUES (?, now())", body); // <-
                  }
                  int claim(String me) {
                    return jdbcTemplate.update("UPDATE tasks SET locked_by = ? WHERE id IN (SELECT id FROM tasks WHERE run_at < now() LIMIT 5 FOR UPDATE SKIP LOCKED)", me); // <-
                  }
                  void done(String id) { jdbcTemplate.update("DELETE FROM tasks WHERE id = ?", id); }
                  @Scheduled(fixedDelay = 500)
                  void poll() { if (claim("me") > 0) { work(); done("1"); } }
                }
            """,
        }),
        Sample("java", {
            "Mail.java": """
                import org.jobrunr.scheduling.JobScheduler;
                import org.jobrunr.jobs.annotations.Job;
                class Mail {
                  private JobScheduler jobScheduler;
                  void later(String to) { jobScheduler.enqueue(() -> send(to)); } // <-
                  @Job(retries = 3)
                  void send(String to) { } // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/riverqueue/river"
                func Start(pool *pgxpool.Pool) {
                    workers := river.NewWorkers()
                    river.AddWorker(workers, &Mail{}) // <-
                }
                func Add(ctx context.Context, client *river.Client[pgx.Tx], tx pgx.Tx) {
                    client.InsertTx(ctx, tx, MailArgs{}, nil) // <-
                }
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
        Sample("java", {
            "Mail.java": """
                // jobScheduler.enqueue(() -> send(to));
                class Mail { void send(String to) { queue.add(to); } }
            """,
        }),
        Sample("python", {
            "orders.py": """
                from sqlalchemy import insert, select, update, delete
                from tables import orders

                def place(conn, who):
                    conn.execute(insert(orders), [{"who": who, "status": "pending"}])

                def ship(conn, id):
                    conn.execute(update(orders).values(status="shipped"))

                def poll(conn):
                    while True:
                        for row in conn.execute(select(orders)).all():
                            ship(conn, row.id)
            """,
        }),
        Sample("python", {
            "outbox.py": """
                import nats
                from sqlalchemy import insert, select, update, delete
                from tables import pending

                def place(conn, who):
                    conn.execute(insert(pending), [{"who": who}])

                def claim(conn):
                    rows = conn.execute(select(pending).limit(10).with_for_update(skip_locked=True)).all()
                    conn.execute(update(pending).values(locked_by="me"))
                    return rows

                async def relay(conn, js):
                    while True:
                        for row in claim(conn):
                            await js.publish("x", row.body)
                            conn.execute(delete(pending))
            """,
        }),
    ),
    check=check,
)  # fmt: skip
