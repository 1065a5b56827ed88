"""Messages are handled, and none is ever put aside."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    if not facts.has("dead_letters"):
        # an event store parks what its subscriber refuses
        first = next((f for f in facts.of("consumer") if not f.get("own")), None)
        if first is not None:
            yield Hit(
                first.file, first.line, "messages are handled, and none is ever put aside", first.strength
            )
    for worker in facts.of("job.worker"):
        if not worker.get("limited", True):
            yield Hit(worker.file, worker.line, f"{worker['what']}, and tried for ever", worker.strength)
    yield from hits(
        facts.of("requeue.endless"), lambda f: f"{f['function']} puts back what failed, at once and for ever"
    )
    yield from hits(
        facts.of("job.lost"), lambda f: f"{f['function']} deletes the jobs that have no attempts left"
    )


RULE = Rule(
    id="JOB-001",
    item="job_queues",
    kind="defect",
    severity=Severity.WARNING,
    title="No dead letters",
    why=(
        "A message that cannot be handled is either delivered for ever, blocking the rest, or "
        "dropped without a trace."
    ),
    remedy="Limit the deliveries, and keep what failed with its reason.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {  # tried once, and kept as failed
            "queue.py": """
                from sqlalchemy import select, insert, update
                from tables import chores
                def add(conn, work, retries=0):
                    conn.execute(insert(chores), [work])
                def take(conn, me, limit):
                    rows = conn.execute(select(chores).limit(limit).with_for_update(skip_locked=True)).all()
                    conn.execute(update(chores).values(locked_by=me, run_at=now()))
                    return rows
                def finish(conn, held):
                    conn.execute(update(chores).values(status='done'))
                def set_failed(conn, held, error):
                    conn.execute(update(chores).values(status='failed', error=error))
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
                    except Exception as error:
                        transact(engine, lambda conn: queue.set_failed(conn, held, error))
                    else:
                        transact(engine, lambda conn: queue.finish(conn, held))
            """,
        }),
        Sample("python", {  # what has failed for good stays, with its reason
            "tasks.py": """
                from celery import shared_task
                @shared_task(autoretry_for=(IOError,), max_retries=5)
                def send(pk):
                    mail = Mail.objects.get(pk=pk)
                    try:
                        deliver(mail)
                    except Exception as error:
                        mail.mark_failed(error)
            """,
        }),
        Sample("java", {  # RocketMQ puts aside by itself what failed too often
            "Orders.java": """
                import org.apache.rocketmq.spring.annotation.RocketMQMessageListener;
                @RocketMQMessageListener(topic = "orders", consumerGroup = "mail")
                class Orders implements RocketMQListener<Order> {
                  private final MailMapper mailMapper;
                  public void onMessage(Order order) { mailMapper.insert(order.mail()); }
                }
            """,
        }),
        Sample("typescript", {  # a stream within the process
            "stock.ts": """
                import { EventBus } from './event-bus';
                import { filter } from 'rxjs/operators';
                class Stock {
                  constructor(private eventBus: EventBus) {}
                  start() {
                    this.eventBus.ofType(StockEvent).pipe(filter(e => e.big)).subscribe(e => this.orderRepository.save(e));
                  }
                }
            """,
        }),
        Sample("java", {  # an annotation of the project's own carries Kafka's along
            "Retried.java": """
                import org.springframework.kafka.annotation.RetryableTopic;
                @RetryableTopic(attempts = "4")
                public @interface Retried {}
            """,
            "Orders.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class Orders {
                  @KafkaListener(topics = "orders")
                  @Retried
                  void on(Order order) { orderRepository.save(order); }
                }
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
                import pika
                def f(ch):
                    ch.queue_declare('q', arguments={'x-dead-letter-exchange': 'dlx'})
                    ch.basic_consume('q', on)
            """,
        }),
        Sample("java", {
            "A.java": "class A { void f() { tick(); } }\n",
        }),
        Sample("typescript", {
            "a.ts": """
                import amqp from 'amqplib';
                async function f(channel) {
                  await channel.assertQueue('q', { durable: true, deadLetterExchange: 'dlx' });
                  channel.consume('q', on);
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import amqp "github.com/rabbitmq/amqp091-go"
                func F(ch *amqp.Channel) {
                    ch.QueueDeclare("q", true, false, false, false, amqp.Table{"x-dead-letter-exchange": "dlx"})
                    ch.Consume("q", "", false, false, false, false, nil)
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                import org.springframework.kafka.annotation.RetryableTopic;
                class A {
                  @RetryableTopic(attempts = "4")
                  @KafkaListener(topics="x") void on(String m) { handle(m); }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class A {
                  @KafkaListener(topics="x") void on(String m) { handle(m); }
                  DefaultErrorHandler errors(KafkaTemplate t) {
                    return new DefaultErrorHandler(new DeadLetterPublishingRecoverer(t), new FixedBackOff(500, 3));
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("java", {
            "Listener.java": """
                import com.rabbitmq.client.Channel;
                class Listener {
                  @RabbitListener(queues = "stock.release", ackMode = "MANUAL")
                  public void release(String order, Message message, Channel channel) throws IOException {
                    long tag = message.getMessageProperties().getDeliveryTag();
                    try {
                      stocks.release(order);
                      channel.basicAck(tag, false);
                    } catch (Exception e) {
                      channel.basicReject(tag, true);  // <-
                    }
                  }
                }
            """,
            "Dead.java": """
                class Dead {
                  @Bean
                  Queue delayed() {
                    return QueueBuilder.durable("stock").withArgument("x-dead-letter-exchange", "dead").build();
                  }
                }
            """,
        }),
        Sample("go", {
            "queue.go": """
                package task
                import "github.com/go-redis/redis"
                func (t *Task) Run(client *redis.Client) {
                    for {
                        result, err := client.BRPop(time.Second*10, name).Result() // <-
                        if err == nil { t.push(result[1]) }
                    }
                }
            """,
        }),
        Sample("java", {
            "Listener.java": """
                import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
                class Listener implements MessageListenerConcurrently { // <-
                  public ConsumeConcurrentlyStatus consumeMessage(List<MessageExt> messages, Context context) {
                    service.handle(messages.get(0));
                    return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
                  }
                }
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
                        conn.execute(delete(chores))  # <-
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
                import pika
                def f(ch):
                    ch.basic_consume('q', on)  # <-
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class A {
                  @KafkaListener(topics="x") void on(String m) { } // <-
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Kafka } from 'kafkajs';
                export async function f(consumer) {
                  await consumer.subscribe({ topic: 'x' }); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import amqp "github.com/rabbitmq/amqp091-go"
                func F(ch *amqp.Channel) {
                    ch.Consume("q", "", false, false, false, false, nil) // <-
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
