"""A message is acknowledged before its handler has finished."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("ack_early"), lambda f: f"{f['function']} acknowledges {f['why']}")


RULE = Rule(
    id="JOB-002",
    item="job_queues",
    kind="defect",
    severity=Severity.ERROR,
    title="Acknowledged before it is done",
    why="A crash in between loses the work: the broker was told that it is done.",
    remedy="Await the handler and commit, then acknowledge.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # refused, tried again, or done: one of the three
            "a.go": """
                package a
                import "github.com/segmentio/kafka-go"
                func (p *Processor) once(task Task) {
                    err := task.Execute()
                    if err != nil {
                        if task.RetryErr(err) {
                            p.queue.Add(task)
                        } else {
                            task.Nack(err)
                        }
                    } else {
                        task.Ack()
                    }
                }
            """,
        }),
        Sample("java", {  # what the container sends once the listener has ended, and what follows the transaction
            "Events.java": """
                import software.amazon.awssdk.services.sqs.SqsClient;
                class Events {
                  private SqsClient sqs;
                  private OrderRepository orderRepository;
                  @Transactional
                  @KafkaListener(topics = "orders")
                  void heard(Event event, Acknowledgment acknowledgment) {
                    orderRepository.save(event.order());
                    acknowledgment.acknowledge();
                  }
                  void one(Event event) {
                    kept(event);
                    sqs.deleteMessage(done(event));
                  }
                  @Transactional
                  void kept(Event event) {
                    orderRepository.save(event.order());
                  }
                }
            """,
        }),
        Sample("python", {
            "worker.py": """
                import pika
                from django.db import transaction
                def on_order(ch, method, properties, body):
                    with transaction.atomic():
                        Order.objects.create(body=body)
                    ch.basic_ack(method.delivery_tag)
            """,
        }),
        Sample("go", {  # refused where the broker can, and left in either case
            "handle.go": """
                package shop
                import "gocloud.dev/pubsub"
                func handle(merger Merger, msg *pubsub.Message) error {
                    if order, ok := decode(msg.Body); ok {
                        if err := merger.Merge(order); err != nil {
                            if msg.Nackable() {
                                msg.Nack()
                            }
                            return err
                        }
                        msg.Ack()
                        return nil
                    }
                    return errUnknown
                }
            """,
        }),
        Sample("go", {  # refused, or else acknowledged
            "amqp.go": """
                package shop
                import amqp "github.com/rabbitmq/amqp091-go"
                func (c *Consumer) process(d amqp.Delivery) {
                    if err := c.handler(d.Body); err != nil {
                        if err := d.Nack(false, false); err != nil {
                            c.log.Error("not refused", err)
                        }
                    } else {
                        if err := d.Ack(false); err != nil {
                            c.log.Error("not acknowledged", err)
                        }
                    }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                def abort(channel, tag, jobs):
                    channel.basic_ack(tag)
                    jobs.update_one({"tag": tag}, {"state": "aborted"})
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
                import nats
                async def on(msg, handler):
                    await handler(msg)
                    await msg.ack()
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function f(channel, handler: (m: any) => Promise<void>) {
                  channel.consume('q', async (m) => { await handler(m); channel.ack(m); });
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import amqp "github.com/rabbitmq/amqp091-go"
                func F(msgs chan amqp.Delivery) {
                    for msg := range msgs {
                        if err := handle(msg); err != nil {
                            msg.Nack(false, true)
                            continue
                        }
                        msg.Ack(false)
                    }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class A {
                  @KafkaListener(topics = "x")
                  void on(String m, Acknowledgment ack) {
                    handler.handle(m);
                    ack.acknowledge();
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func F(msg *nats.Msg) {
                    if err := apply(msg); err != nil {
                        msg.Nak()
                        return
                    }
                    msg.Ack()
                }
            """,
        }),
    ),
    invalid=(
        Sample("java", {  # the message is gone, and then its transaction does not commit
            "Events.java": """
                import software.amazon.awssdk.services.sqs.SqsClient;
                class Events {
                  private SqsClient sqs;
                  private OrderRepository orderRepository;
                  @Transactional
                  void one(Event event) {
                    orderRepository.save(event.order());
                    sqs.deleteMessage(done(event)); // <-
                  }
                }
            """,
        }),
        Sample("python", {
            "worker.py": """
                import pika
                from django.db import transaction
                def on_order(ch, method, properties, body):
                    with transaction.atomic():
                        Order.objects.create(body=body)
                        ch.basic_ack(method.delivery_tag)  # <-
            """,
        }),
        Sample("typescript", {  # rows of events, ended whatever came of them
            "processor.ts": """
                import { pool } from './pool';
                import { callSubscribers } from './subscribers';
                export async function markDone(id: string) {
                  await pool.query('UPDATE event SET done = true WHERE id = $1', [id]);
                }
                export async function execute(event: Row, subscribers: Subscriber[]) {
                  try {
                    await callSubscribers(subscribers, event.data);
                  } catch (e) {
                    error(e);
                  } finally {
                    await markDone(event.id);  // <-
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Consumer, Message } from 'pulsar-client';
                abstract class Listens {
                  private consumer: Consumer;
                  private async listener(message: Message) {
                    try {
                      await this.onMessage(message.getData());
                    } catch (err) {
                      this.logger.error(err);
                    } finally {
                      await this.consumer.acknowledge(message); // <-
                    }
                  }
                  protected abstract onMessage(data): Promise<void>;
                }
            """,
        }),
        Sample("python", {
            "removals.py": """
                def remove_customer(channel, tag, customers):
                    channel.basic_ack(tag)  # <-
                    customers.delete_one({"tag": tag})
            """,
        }),
        Sample("python", {
            "a.py": """
                import nats
                async def consume(subscription, inbox):
                    messages = await subscription.fetch(10)
                    if messages:
                        for message in messages:
                            await message.ack()  # <-
                        await inbox.take(messages)
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
                    transact(engine, lambda conn: queue.finish(conn, held))  # <-
                    try:
                        handle(held)
                    except Exception:
                        transact(engine, lambda conn: queue.fail(conn, held, 2 ** held.attempts))
            """,
        }),
        Sample("python", {
            "a.py": """
                import nats
                async def on(msg, handler):
                    await msg.ack()  # <-
                    await handler(msg)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function f(channel, handler: (m: any) => Promise<void>) {
                  channel.consume('q', (m) => {
                    handler(m); // <-
                    channel.ack(m);
                  });
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import amqp "github.com/rabbitmq/amqp091-go"
                func F(msgs chan amqp.Delivery) {
                    for msg := range msgs {
                        msg.Ack(false) // <-
                        handle(msg)
                    }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class A {
                  @KafkaListener(topics = "x")
                  void on(String m, Acknowledgment ack) {
                    ack.acknowledge(); // <-
                    handler.handle(m);
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func F(msg *nats.Msg) {
                    err := apply(msg)
                    if err != nil {
                        if err := msg.Nak(); err != nil {
                            return
                        }
                    }
                    msg.Ack() // <-
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
