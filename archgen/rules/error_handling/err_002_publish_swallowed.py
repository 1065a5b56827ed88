"""A message could not be sent, and nobody is told."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    # a relay keeps what it could not send, and an answer to the broker that is lost brings the message again
    homes = {f.file for f in facts.of("outbox.relay")}
    lost = [
        f
        for f in facts.of("error.publish_swallowed")
        if (f.file not in homes or f.get("removed")) and not f["answer"]
    ]
    # who calls what passes its own failures over never meets one
    quiet = {str(f["function"]).rpartition(".")[2] for f in lost} - {"publish", "send", "emit"}
    lost = [f for f in lost if str(f["call"]).rpartition(".")[2] not in quiet]
    for unasked in [f for f in lost if f.get("asked") is False]:
        lost.remove(unasked)
        message = f"{unasked['function']} never learns whether {unasked['call']} failed"
        yield Hit(unasked.file, unasked.line, message, unasked.strength, Severity.WARNING)
    yield from hits(lost, lambda f: f"{f['function'] or 'the module'} goes on when {f['call']} fails")


RULE = Rule(
    id="ERR-002",
    item="error_handling",
    kind="defect",
    severity=Severity.ERROR,
    title="Failed publish swallowed",
    why="The caller believes that the message is out; the receivers never hear of it.",
    remedy="Let the failure reach the caller, or keep the message in an outbox until it is out.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # a channel within a workflow
            "a.go": """
                package a
                import "go.uber.org/cadence/workflow"
                func fork(ctx workflow.Context, names []string) {
                    resultChannel := workflow.NewChannel(ctx)
                    for _, name := range names {
                        resultChannel.Send(ctx, name)
                    }
                }
            """,
        }),
        Sample("typescript", {  # a clock that comes back to what is due
            "due.ts": """
                import Agenda from 'agenda';
                export async function queue(agenda: Agenda, id: string) {
                  await agenda.now('publish', { id });
                }
                export default function jobs(agenda: Agenda) {
                  agenda.define('due', async () => {
                    for (const id of await findDue()) {
                      try {
                        await queue(agenda, id);
                      } catch (e) {
                        logger.error(e, 'not queued');
                      }
                    }
                  });
                }
            """,
        }),
        Sample("python", {  # it is marked as failed, or whoever called is told
            "mail.py": """
                import logging
                from kombu.exceptions import OperationalError
                from tasks import send_reset
                logger = logging.getLogger(__name__)
                def reset(mail):
                    try:
                        send_reset.apply_async(args=[mail.pk])
                    except (OSError, OperationalError) as error:
                        mail.mark_failed(error)
                        return
                    mail.told = True
                def queued(mail):
                    try:
                        send_reset.apply_async(args=[mail.pk])
                    except OperationalError:
                        logger.exception("not queued")
                        return
                    return mail.pk
            """,
            "tasks.py": """
                from celery import shared_task
                @shared_task
                def send_reset(pk):
                    post(pk)
            """,
        }),
        Sample("java", {  # what could not be sent is kept
            "Events.java": """
                class Events {
                  private KafkaTemplate<String, Event> kafka;
                  private EventDao dao;
                  void emit(Event event) {
                    try { kafka.send("events", event).get(); }
                    catch (ExecutionException e) { dao.recordEmission(event.type(), event.id()); log.error("later", e); }
                  }
                }
            """,
            "EventDao.java": """
                class EventDao {
                  private EntityManager entityManager;
                  void recordEmission(String type, Long id) { entityManager.persist(new Emission(type, id)); }
                }
            """,
        }),
        Sample("java", {  # a clock that goes on, and what waits for its next turn
            "Receiver.java": """
                class Receiver {
                  private ScheduledExecutorService clock;
                  private Events events;
                  void start() { clock.scheduleWithFixedDelay(this::round, 1, 1, TimeUnit.SECONDS); }
                  private void round() {
                    try {
                      events.emitAll();
                    } catch (Exception e) {
                      LOG.error("failed", e);
                    }
                  }
                }
            """,
            "Events.java": """
                class Events {
                  private KafkaTemplate<String, Event> kafka;
                  private DelayQueue<Event> waiting;
                  void emitAll() { kafka.send("events", waiting.poll()).join(); }
                  void emit(Event event) {
                    try {
                      kafka.send("events", event).get();
                    } catch (ExecutionException e) {
                      handle(event);
                    }
                  }
                  private void handle(Event event) { waiting.offer(event.next()); }
                }
            """,
        }),
        Sample("typescript", {  # what was handled is deleted, and comes again when that fails
            "consumer.ts": """
                import { SQSClient, DeleteMessageCommand } from '@aws-sdk/client-sqs';
                class Consumer {
                  constructor(private sqs: SQSClient) {}
                  async done(receipt: string) {
                    try { await this.sqs.send(new DeleteMessageCommand({ ReceiptHandle: receipt })); }
                    catch (e) { console.error(e); }
                  }
                }
            """,
        }),
        Sample("go", {  # an answer, for which somebody waits only so long
            "a.go": """
                package a
                import amqp "github.com/rabbitmq/amqp091-go"
                func (s *Server) serve(d *amqp.Delivery) {
                    if d.Type == "" {
                        s.publish(d, nil)
                        return
                    }
                    s.publish(d, s.answer(d))
                }
                func (s *Server) publish(d *amqp.Delivery, body []byte) {
                    err := s.channel.Publish("", d.ReplyTo, false, false, amqp.Publishing{Body: body})
                    if err != nil {
                        log.Println(err)
                    }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  KafkaTemplate<String, String> kafkaTemplate;
                  void f() { kafkaTemplate.send(t, m).whenComplete((r, e) -> told(e)); }
                  void g() throws Exception { kafkaTemplate.send(t, m).get(); }
                }
            """,
        }),
        # what could not be sent is put aside
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.core.KafkaTemplate;
                @Service
                class A {
                  private KafkaTemplate<String, String> kafka;
                  void all(List<String> lines) {
                    for (String line : lines) {
                      try {
                        kafka.send("orders", line);
                      } catch (Exception e) {
                        log.error("rejected", e);
                        rejectedLines.add(line);
                      }
                    }
                  }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.core.KafkaTemplate;
                class A {
                  private KafkaTemplate kafkaTemplate;
                  void disable(Feature feature) {
                    try {
                      store.remove(feature);
                      kafkaTemplate.send("features", feature);
                    } catch (NoSuchElementException e) {
                      log.debug("it was disabled already");
                    }
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Kafka } from 'kafkajs';
                const createLink = async (producer, link) => { await producer.send({ topic: 'links', link }); };
                export const all = async (producer, links) => {
                  for (const link of links) {
                    try { await createLink(producer, link); } catch (error) {}
                  }
                };
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                type Channel struct {
                    key  string
                    send func([]byte)
                }
                func (channel *Channel) Broadcast(b []byte) { channel.send(b) }
            """,
        }),
        Sample("python", {
            "a.py": """
                import nats
                async def f(js):
                    try:
                        await js.publish('x', b)
                    except OSError:
                        log.error('x')
                        raise
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                async function f(channel) {
                  try { channel.publish(e, r, b); } catch (error) { logger.error(error); throw error; }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { KafkaTemplate kafkaTemplate; void f() { try { kafkaTemplate.send(t, m);
                  } catch (Exception e) { throw new Failed(e); } } }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func Send(nc *nats.Conn) error {
                    if err := nc.Publish("x", nil); err != nil {
                        log.Println(err)
                        return err
                    }
                    return nil
                }
            """,
        }),
    ),
    invalid=(
        Sample("typescript", {  # a job that nobody waits for, and a log
            "webhooks.ts": """
                import Agenda from 'agenda';
                const agenda = new Agenda();
                export async function queue(key: string) {
                  const job = agenda.create('webhook', { key });
                  await job.save();
                }
                export function changed(key: string) {
                  queue(key).catch((e) => {  // <-
                    logger.error(e, 'not queued');
                  });
                }
            """,
        }),
        Sample("python", {  # whoever asked for the mail believes that it is on its way
            "mail.py": """
                import logging
                from kombu.exceptions import OperationalError
                from tasks import send_reset
                logger = logging.getLogger(__name__)
                def reset(user):
                    try:
                        send_reset.apply_async(args=[user.pk])
                    except (OSError, OperationalError):  # <-
                        logger.exception("not queued")
                        return
                    user.told = True
            """,
            "tasks.py": """
                from celery import shared_task
                @shared_task
                def send_reset(pk):
                    post(pk)
            """,
        }),
        Sample("go", {  # a queue behind an interface of the project's

                "queue.go": """
                    package queue
                    import (
                        "context"
                        "github.com/hibiken/asynq"
                    )
                    type Queuer interface {
                        Write(ctx context.Context, name string, job *Job) error
                        Options() Options
                    }
                    type RedisQueue struct{ client *asynq.Client }
                    func (q *RedisQueue) Write(ctx context.Context, name string, job *Job) error {
                        _, err := q.client.Enqueue(asynq.NewTask(name, job.Payload), asynq.MaxRetry(5))
                        return err
                    }
                    func (q *RedisQueue) Options() Options { return q.opts }
                    type Log struct{}
                    func (l *Log) Write(ctx context.Context, name string, job *Job) error { return nil }
                    type Buffer struct{}
                    func (b *Buffer) Write(p []byte) (int, error) { return len(p), nil }
                """,

            "invite.go": """
                package services
                import "shop/queue"
                func (s *Invites) Run(ctx context.Context, q queue.Queuer) error {
                    if err := s.repo.CreateInvite(ctx, s.invite); err != nil {
                        return err
                    }
                    err := q.Write(ctx, "mail", s.job())  // <-
                    if err != nil {
                        s.logger.Error("failed to enqueue the mail", "error", err)
                    }
                    return nil
                }
            """,
        }),
        Sample("go", {  # by a function that could not say so
            "handler.go": """
                package shop
                type Handler struct {
                    messages *Messages
                }
                func (h *Handler) do(ctx context.Context, message Message) {
                    if err := h.messages.SendToPush(ctx, message); err != nil {  // <-
                        log.Error(ctx, "not pushed", err, "message", message)
                    }
                }
            """,
            "messages.go": """
                package shop
                import "github.com/IBM/sarama"
                type Messages struct {
                    producer sarama.SyncProducer
                }
                func (m *Messages) SendToPush(ctx context.Context, message Message) error {
                    _, _, err := m.producer.SendMessage(&sarama.ProducerMessage{Topic: "push"})
                    return err
                }
            """,
        }),
        Sample("java", {  # noted as if it had been sent
            "Resend.java": """
                class Resend {
                  private KafkaTemplate<String, Event> kafka;
                  private EventRepository events;
                  void resend(Event event) {
                    try { kafka.send("events", event); }
                    catch (Exception e) {  // <-
                      event.setStatus(Status.SUCCESS);
                      events.save(event);
                    }
                  }
                }
            """,
        }),
        Sample("python", {  # told once, where it is passed over
            "publisher.py": """
                import pika
                def notify_user(channel, event):
                    try:
                        channel.basic_publish("x", "y", event)
                    except Exception:  # <-
                        log.warning("not told")
            """,
            "orders.py": """
                from publisher import notify_user
                def placed(channel, order):
                    try:
                        notify_user(channel, order)
                    except Exception:
                        log.warning("not told")
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  KafkaTemplate<String, String> kafkaTemplate;
                  void f() {
                    kafkaTemplate.send(t, m); // <-
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import nats
                async def f(js):
                    try:
                        await js.publish('x', b)
                    except Exception:  # <-
                        log.error('x')
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                async function f(channel) {
                  try {
                    channel.publish(e, r, b);
                  } catch (error) { // <-
                    logger.error(error);
                  }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { KafkaTemplate kafkaTemplate; void f() { try { kafkaTemplate.send(t, m); }
                  catch (Exception e) { log.error("x"); } } } // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func Send(nc *nats.Conn) {
                    if err := nc.Publish("x", nil); err != nil { // <-
                        log.Println(err)
                    }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
