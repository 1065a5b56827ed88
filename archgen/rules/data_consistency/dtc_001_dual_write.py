"""A change is saved and then published, and a crash between the two loses the message."""

import re
from collections.abc import Iterable

from archgen.evidence.code.model import Call
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity
from archgen.rules.paths import alternatives, in_transaction, wraps

# a message that is sent again, or put aside, was committed before
_AGAIN = re.compile(r"(^|[._])(retry|redeliver|requeue|redrive|nack?|dead_?letter)", re.IGNORECASE)
# that it was sent is noted of a message that was committed before
_NOTES = re.compile(
    r"(mark|set|record|flag)\w*_?(sent|emitted|published|delivered|dispatched|emission)\b", re.IGNORECASE
)


def check(facts: Facts) -> Iterable[Hit]:
    # what works in the file of the relay moves messages that are committed already, and so does who calls it
    homes = {f.file for f in facts.of("outbox.relay")}
    relays = {f.title for m, f in facts.program.functions() if m.path in homes and f.name}
    early = {(f.file, f.line) for f in facts.of("publish_in_tx")}  # DTC-002 tells
    found: list[Found] = []
    for module, function in facts.program.functions():
        if module.path in homes or (function.callers and all(c.file in homes for c in function.callers)):
            continue
        direct = [e for e in function.reach if e.kind == "publish" and not e.via]
        publishes = direct or [
            e
            for e in function.reach
            if e.kind == "publish" and relays.isdisjoint(e.via) and not any(map(_AGAIN.search, e.via))
        ]
        writes = [e for e in function.reach if e.kind == "db.write" and not _NOTES.search(e.call.name)]
        for publish in publishes:
            if (module.path, publish.call.line) in early:
                continue
            before = [
                w
                for w in writes
                if w.call is not publish.call
                and not alternatives(w.call, publish.call)
                and not wraps(w.call, publish.call)
                and (function.name or _together(w.call, publish.call))
            ]
            if before and not _relays(function.reach, publish) and not in_transaction(function, publish.call):
                write = before[-1]
                hit = Hit(
                    module.path, publish.call.line,
                    f"{function.title or 'the module'} writes at line {write.call.line} and publishes apart from it",
                )  # fmt: skip
                found.append((function.title, publish.via, hit))
                break
    yield from _told_once(found)
    yield from _listeners(facts)
    yield from _told_once([*_jobs(facts)])


Found = tuple[str, tuple[str, ...], Hit]  # the function, what it leads through, and the place


def _told_once(found: list[Found]) -> Iterable[Hit]:
    """Hits, but those of functions that only lead to one that is told of itself."""
    titles = {title for title, _, _ in found if title}
    return [hit for title, via, hit in found if titles.isdisjoint(set(via) - {title})]


_HEARS_COMMITS = re.compile(r"@(?:\w+\.)*TransactionalEventListener\b(?!.*BEFORE_COMMIT)", re.DOTALL)
_KEEPS_EVENTS = re.compile(r"^org\.springframework\.modulith")


def _listeners(facts: Facts) -> Iterable[Hit]:
    """Spring calls a listener once the change is committed, in memory, and what it sends may never leave."""
    if any(_KEEPS_EVENTS.match(i.module) for m in facts.program.modules.values() for i in m.imports):
        return
    for module, function in facts.program.functions():
        sent = next((e for e in function.reach if e.kind == "publish"), None)
        if sent and any(map(_HEARS_COMMITS.search, function.marks)):
            message = f"{function.title} hears of the commit in memory and publishes apart from it"
            yield Hit(module.path, sent.call.line, message)


# what somebody may still do is counted before it is done
_COUNTS = re.compile(r"counter|quota|limit|usage|metric|statistic", re.IGNORECASE)
_COMMITS = re.compile(r"@(?:\w+\.)*(autocommit|transactional|atomic)\b")


_STARTS = re.compile(r"^(main|init|setup|bootstrap|register|start)(?![a-z])|[a-z]Init$")
_HOSTED = re.compile(r"@trigger\.dev/|inngest")


def _jobs(facts: Facts) -> Iterable[Found]:
    """A change is made, and then a job is left with a queue outside of the database."""
    whole = {f.title for _, f in facts.program.functions() if any(map(_COMMITS.match, f.marks))}
    # a job that is tried again makes its change and leaves the next one again
    workers = {(f.file, f.get("function")) for f in facts.of("job.worker")}
    for module, function in facts.program.functions():
        left = [e for e in function.reach if e.kind == "enqueue" and not (e.late or e.call.after_commit)]
        hosted = function.name == "run" and module.uses(_HOSTED)
        # what is scheduled at each start is scheduled again at the next one
        if not left or hosted or _STARTS.search(function.name) or (module.path, function.name) in workers:
            continue
        commits = [e.call for e in function.effects if e.kind == "commit"]
        if module.language == "python" and not commits:
            # what is called commits by itself, as stands on it
            commits = [e.call for e in function.reach if e.kind == "db.write" and e.via and e.via[0] in whole]
        writes = [
            e.call
            for e in function.reach
            if e.kind == "db.write" and not _NOTES.search(e.call.name) and not _COUNTS.search(e.table)
        ]
        for effect in [e for e in left if not e.via] or left:
            job = effect.call
            ended = next((c for c in commits if _before(c, job)), None)
            if ended and any(w.line <= ended.line for w in writes):
                did = f"commits at line {ended.line}"
            elif function.name and (before := [w for w in writes if _before(w, job)]):
                did = f"writes at line {before[-1].line}"
            else:
                continue
            severity = None if ended else Severity.WARNING
            message = f"{function.title} {did} and enqueues apart from it"
            yield function.title, effect.via, Hit(module.path, job.line, message, severity=severity)
            break


def _before(one: Call, other: Call) -> bool:
    """Whether `one` is made before `other` on a path that makes both."""
    return (
        one is not other and one.line < other.line and not alternatives(one, other) and not wraps(one, other)
    )


def _together(one: Call, other: Call) -> bool:
    """Whether two calls outside of any function are made by one closure: others run at other times."""
    return any(block is inner for block in one.within("closure") for inner in other.within("closure"))


def _relays(reach: list, publish: object) -> bool:  # type: ignore[type-arg]
    """Rows that are read, published and then removed are a relay, whatever it is called."""
    reads = [e for e in reach if e.kind == "db.read"]
    ends = [e for e in reach if e.kind == "db.write" and e.target in ("delete", "update")]
    return bool(reads and ends) and all(
        e.target in ("delete", "update") for e in reach if e.kind == "db.write"
    )


RULE = Rule(
    id="DTC-001",
    item="data_consistency",
    kind="defect",
    severity=Severity.ERROR,
    title="Dual write",
    why=(
        "The database and the broker cannot commit together: a crash between them loses the "
        "message, or announces what never was."
    ),
    remedy="Write the message to an outbox table in the same transaction, and publish from there.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # a type of a package is no method of its name, and each goroutine goes its own way
            "go.mod": "module shop",
            "models/models.go": """
                package models
                type Order struct { ID string }
            """,
            "web/web.go": """
                package web
                import "database/sql"
                type Controller struct { db *sql.DB }
                func (c *Controller) Order(id string) error {
                    _, err := c.db.Exec("INSERT INTO orders (id) VALUES (?)", id)
                    return err
                }
            """,
            "again/again.go": """
                package again
                import (
                    "shop/models"
                    amqp "github.com/rabbitmq/amqp091-go"
                )
                func Again(ch *amqp.Channel, body []byte) error {
                    orders := []models.Order{}
                    first := models.Order{}
                    load(&orders, first)
                    return ch.PublishWithContext(ctx, "shop", "order", false, false, amqp.Publishing{Body: body})
                }
            """,
            "start/start.go": """
                package start
                import (
                    "database/sql"
                    amqp "github.com/rabbitmq/amqp091-go"
                )
                func start(db *sql.DB, ch *amqp.Channel) {
                    go func() {
                        db.Exec("INSERT INTO starts (at) VALUES (now())")
                    }()
                    go func() {
                        ch.PublishWithContext(ctx, "shop", "started", false, false, amqp.Publishing{})
                    }()
                }
            """,
        }),
        Sample("typescript", {  # what is scheduled at each start
            "queue.ts": """
                import Agenda from 'agenda';
                import { prisma } from './prisma';
                const agenda = new Agenda();
                export async function queueInit() {
                  await prisma.job.deleteMany({ where: { old: true } });
                  await agenda.every('1 day', 'mail');
                }
            """,
        }),
        Sample("go", {  # what a handler does, is not done where it is made
            "main.go": """
                package main
                import "shop/orders"
                func main() {
                    repo := orders.NewRepo()
                    repo.SaveSettings(defaults)
                    http.HandleFunc("/orders", orders.Announce(broker))
                }
            """,
            "orders/orders.go": """
                package orders
                import (
                    "net/http"
                    "gocloud.dev/pubsub"
                )
                type Repo struct{ db *sql.DB }
                func (r *Repo) SaveSettings(s Settings) { r.db.Exec("INSERT INTO settings VALUES ($1)", s) }
                func Announce(topic *pubsub.Topic) http.HandlerFunc {
                    return func(w http.ResponseWriter, r *http.Request) {
                        topic.Send(r.Context(), &pubsub.Message{Body: body(r)})
                    }
                }
            """,
        }),
        Sample("python", {  # it calls another system, by a class of the project's that is named so
            "courses.py": """
                import kombu
                from publishers import LMSPublisher
                class Course:
                    def publish_to_lms(self):
                        return LMSPublisher().publish(self)
                def create(form):
                    course = Course.objects.create(name=form.name)
                    course.publish_to_lms()
            """,
            "publishers.py": """
                import requests
                class LMSPublisher:
                    def publish(self, course):
                        return requests.put(self.url, json=course.data, timeout=5)
                class CMSPublisher:
                    def publish(self, course):
                        return requests.patch(self.url, json=course.data, timeout=5)
            """,
        }),
        Sample("typescript", {  # a job that is tried again with all that it does
            "convert.ts": """
                import { task } from '@trigger.dev/sdk/v3';
                import { notify } from './notify';
                export const convert = task({
                  id: 'convert',
                  retry: { maxAttempts: 3 },
                  run: async (payload: { id: string }) => {
                    await prisma.document.update({ where: { id: payload.id }, data: { converted: true } });
                    await notify.trigger({ id: payload.id });
                  },
                });
            """,
        }),
        Sample("java", {  # it leaves within the transaction, which DTC-002 tells
            "Orders.java": """
                import org.apache.rocketmq.spring.core.RocketMQTemplate;
                class Orders {
                  private final OrderMapper orderMapper;
                  private final RocketMQTemplate rocketMQTemplate;
                  @Transactional
                  void create(Order order) {
                    orderMapper.insert(order);
                    rocketMQTemplate.syncSend("orders", order);
                  }
                }
            """,
        }),
        Sample("java", {  # RocketMQ holds the message back until the transaction has ended
            "Orders.java": """
                import org.apache.rocketmq.spring.core.RocketMQTemplate;
                class Orders {
                  private final OrderMapper orderMapper;
                  private final RocketMQTemplate rocketMQTemplate;
                  void create(Order order) {
                    orderMapper.insert(order);
                    rocketMQTemplate.sendMessageInTransaction("orders", message(order), order);
                  }
                }
            """,
        }),
        Sample("python", {  # once the change is committed, and a job that is tried again with its change
            "signup.py": """
                from django.db import transaction
                from app.tasks import send_welcome
                def sign_up(form):
                    user = User.objects.create(name=form.name)
                    transaction.on_commit(lambda: send_welcome.delay(user.pk))
            """,
            "app/tasks.py": """
                from celery import shared_task
                @shared_task(autoretry_for=(IOError,))
                def send_welcome(pk):
                    Mail.objects.create(user=pk)
                    deliver.delay(pk)
                @shared_task
                def deliver(pk):
                    post(pk)
            """,
        }),
        Sample("go", {  # a copy in a cache, what is counted, and who only reads what it was sent

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

            "cache.go": """
                package cache
                type PostgresCache struct{ db *sql.DB }
                func (c *PostgresCache) Put(ctx context.Context, key string, value any) error {
                    _, err := c.db.ExecContext(ctx, "INSERT INTO kv VALUES ($1, $2)", key, value)
                    return err
                }
            """,
            "limits.go": """
                package limits
                type Limiter struct{ db *sql.DB }
                func (l *Limiter) Allow(ctx context.Context, id string) error {
                    _, err := l.db.ExecContext(ctx, "INSERT INTO event_counters VALUES ($1)", id)
                    return err
                }
            """,
            "invite.go": """
                package services
                import (
                    "shop/cache"
                    "shop/limits"
                    "shop/queue"
                )
                type Invites struct {
                    users *cache.PostgresCache
                    limiter *limits.Limiter
                }
                func (s *Invites) Run(ctx context.Context, q queue.Queuer) error {
                    if err := s.users.Put(ctx, s.id, s.user); err != nil {
                        return err
                    }
                    if err := s.limiter.Allow(ctx, s.id); err != nil {
                        return err
                    }
                    return q.Write(ctx, "mail", s.job())
                }
                func (s *Invites) Tell(ctx context.Context, out io.Writer) error {
                    if err := s.repo.CreateInvite(ctx, s.invite); err != nil {
                        return err
                    }
                    _, err := out.Write(s.text())
                    return err
                }
            """,
        }),
        Sample("go", {  # a channel of the process
            "events.go": """
                package shop
                import "github.com/ThreeDotsLabs/watermill/pubsub/gochannel"
                type Orders struct {
                    db *sql.DB
                    pubsub *gochannel.GoChannel
                }
                func (o *Orders) Place(order Order) error {
                    if _, err := o.db.Exec("insert into orders values ($1)", order.ID); err != nil {
                        return err
                    }
                    return o.pubsub.Publish("placed", order.message())
                }
            """,
        }),
        Sample("typescript", {  # two routes that one function registers
            "controller.ts": """
                import { producer } from './kafka';
                export default async function controller(fastify: FastifyInstance) {
                  fastify.put('/orders', async (request, reply) => {
                    await orderRepository.save(request.body);
                  });
                  fastify.post('/messages', async (request, reply) => {
                    await producer.send({ topic: 'messages', messages: [{ value: request.body }] });
                  });
                }
            """,
            "kafka.ts": """
                import { Kafka } from 'kafkajs';
                export const producer = new Kafka({ brokers: ['b'] }).producer();
            """,
        }),
        Sample("java", {  # the message was committed before, and it is noted that it is out
            "Events.java": """
                class Events {
                  private KafkaTemplate<String, Event> kafka;
                  private EmittedDao emitted;
                  void emitAndMark(Event event) {
                    kafka.send("events", event);
                    emitted.markAsEmitted(event);
                  }
                }
            """,
            "EmittedDao.java": """
                class EmittedDao {
                  private EntityManager entityManager;
                  void markAsEmitted(Event event) {
                    entityManager.merge(event);
                  }
                }
            """,
        }),
        Sample("java", {  # a sink that pages listen to, and no broker
            "src/main/resources/application.properties": "server.port=1\n",
            "src/main/java/shop/Publishing.java": """
                class Publishing {
                  @Bean
                  Sinks.Many<OrderEvent> sink() { return Sinks.many().multicast().onBackpressureBuffer(); }
                  @Bean
                  Supplier<Flux<OrderEvent>> orders(Sinks.Many<OrderEvent> sink) { return sink::asFlux; }
                }
            """,
            "src/main/java/shop/Orders.java": """
                class Orders {
                  private OrderRepository repository;
                  private Sinks.Many<OrderEvent> sink;
                  Order place(Order order) {
                    Order kept = repository.save(order);
                    sink.tryEmitNext(new OrderEvent(kept));
                    return kept;
                  }
                }
            """,
        }),
        Sample("java", {  # a table of events that a relay follows, and keeps its place
            "Events.java": """
                class Events {
                  JdbcTemplate jdbc;
                  void append(Event event) { jdbc.update("INSERT INTO order_event (id, body) VALUES (?, ?)", event); }
                  List<Event> after(long id) { return jdbc.query("SELECT * FROM order_event WHERE id > ?", id); }
                  void updateCheckpoint(long id) { jdbc.update("UPDATE checkpoints SET last_id = ?", id); }
                }
            """,
            "Relay.java": """
                class Relay {
                  Events repository;
                  Sender sender;
                  @Scheduled(fixedDelay = 1000)
                  @Transactional
                  void round() {
                    for (Event event : repository.after(last)) {
                      sender.send(event);
                      last = event.id();
                    }
                    repository.updateCheckpoint(last);
                  }
                }
            """,
            "Sender.java": """
                class Sender {
                  KafkaTemplate<String, String> kafkaTemplate;
                  OrderRepository orderRepository;
                  void send(Event event) {
                    orderRepository.save(event.order());
                    kafkaTemplate.send("orders", event.body()).get();
                  }
                }
            """,
        }),
        Sample("typescript", {  # subscriptions of GraphQL: pages that are open hear of it
            "pubsub.ts": """
                import { PubSub } from 'graphql-subscriptions';
                import { RedisPubSub } from 'graphql-redis-subscriptions';
                export class PubSubService {
                  private pubsub: RedisPubSub | PubSub;
                  async publish(topic, value) { await this.pubsub.publish(topic, value); }
                }
            """,
            "teams.ts": """
                import { PubSubService } from './pubsub';
                export class Teams {
                  constructor(private prisma: PrismaClient, private pubsub: PubSubService) {}
                  async rename(id, name) {
                    await this.prisma.team.update({ where: { id }, data: { name } });
                    await this.pubsub.publish(`team/${id}/renamed`, name);
                  }
                }
            """,
        }),
        Sample("typescript", {
            "entry.ts": """
                import { Kafka } from 'kafkajs';
                const producer = new Kafka({}).producer();
                async function migrate() { await db.users.update({ where: {}, data: {} }); }
                async function announce() { await producer.publish('started'); }
                migrate();
                announce();
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Kafka } from 'kafkajs';
                const within = async (handler) => { await userRepository.save(seen); await handler(); };
                export const POST = within(async () => {
                  await producer.send({ topic: 'links', messages });
                });
            """,
        }),
        Sample("python", {
            "a.py": """
                import procrastinate
                from sqlalchemy.orm import Session
                def place(session: Session, order):
                    session.add(order)
                    session.commit()
                    send.defer(id=order.id)
            """,
        }),
        Sample("python", {
            "a.py": """
                def f(session, outbox, order):
                    session.add(order)
                    session.add(OutboxMessage(order))
                    session.commit()
            """,
        }),
        Sample("python", {
            "a.py": """
                import nats
                class Delivery:
                    async def retry(self):
                        await self.js.publish(self.subject, self.data)
                class Inbox:
                    async def handle(self, session, delivery: Delivery):
                        session.add(Seen(delivery.id))
                        await self.again(delivery)
                    async def again(self, delivery: Delivery):
                        await delivery.retry()
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class A {
                  async f(o) { await this.orderRepository.save(o); }
                  async g(o) { await this.channel.publish('x', '', o); }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(tx *sql.Tx) { tx.Exec("INSERT INTO orders VALUES (1)");
                  tx.Exec("INSERT INTO outbox VALUES (1)") }
            """,
        }),
        Sample("java", {
            "A.java": """
                import io.eventuate.tram.events.publisher.DomainEventPublisher;
                class A { DomainEventPublisher publisher; OrderRepository orderRepository;
                  @Transactional void f(Order o) { orderRepository.save(o);
                    publisher.publish(Order.class, o.id(), e); } }
            """,
        }),
    ),
    invalid=(
        Sample("python", {  # by a notifier of oslo.messaging
            "evaluator.py": """
                import oslo_messaging
                class Notifier:
                    def __init__(self, transport):
                        self.notifier = oslo_messaging.Notifier(transport)
                    def notify(self, alarm):
                        self.notifier.sample({}, 'alarm.update', alarm.payload)
                class Evaluator:
                    def refresh(self, alarm, state):
                        alarm.state = state
                        self._storage_conn.update_alarm(alarm)
                        Notifier(self.transport).notify(alarm)  # <-
            """,
        }),
        Sample("python", {  # a task of another project's, told where it is left
            "checkout.py": """
                from shop_worker.orders.tasks import fulfil
                def submit(form):
                    order = Order.objects.create(name=form.name)
                    fulfil.delay(order.number)  # <-
                def post(request):
                    Basket.objects.filter(user=request.user).delete()
                    submit(request.form)
            """,
        }),
        Sample("python", {
            "signup.py": """
                from app.tasks import send_welcome
                def sign_up(form):
                    user = User.objects.create(name=form.name)
                    send_welcome.delay(user.pk)  # <-
            """,
            "app/tasks.py": """
                from celery import shared_task
                @shared_task
                def send_welcome(pk):
                    deliver(pk)
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
                    return q.Write(ctx, "mail", s.job())  // <-
                }
            """,
        }),
        Sample("python", {  # what is called commits by itself
            "dao.py": """
                from app import db
                @autocommit
                def dao_create_job(job):
                    db.session.add(job)
            """,
            "tasks.py": """
                from celery import Celery
                celery = Celery('jobs')
                @celery.task(bind=True, max_retries=5, default_retry_delay=300)
                def process_job(self, id): ...
            """,
            "rest.py": """
                from dao import dao_create_job
                from tasks import process_job
                def create(job):
                    dao_create_job(job)
                    process_job.apply_async([job.id], queue='jobs')  # <-
            """,
        }),
        Sample("java", {  # what MyBatis-Plus gives a service
            "OrderServiceImpl.java": """
                class OrderServiceImpl extends ServiceImpl<OrderMapper, Order> implements OrderService {
                  private OrderItemService orderItemService;
                  private RabbitTemplate rabbitTemplate;
                  void place(Order order) {
                    this.save(order);
                    orderItemService.saveBatch(order.getItems());
                    rabbitTemplate.convertAndSend("order.exchange", "order.placed", order.getId());  // <-
                  }
                }
            """,
        }),
        Sample("go", {  # whichever of several databases it is
            "store.go": """
                package shop
                type Store interface { KeepOrder(o Order) error }
                type Postgres struct { db *sql.DB }
                func (s *Postgres) KeepOrder(o Order) error { _, err := s.db.Exec("insert into orders values ($1)", o.ID); return err }
                type MySQL struct { db *sql.DB }
                func (s *MySQL) KeepOrder(o Order) error { _, err := s.db.Exec("insert into orders values (?)", o.ID); return err }
                type SQLite struct { db *sql.DB }
                func (s *SQLite) KeepOrder(o Order) error { _, err := s.db.Exec("insert into orders values (?)", o.ID); return err }
                type Nothing struct {}
                func (s *Nothing) KeepOrder(o Order) error { return nil }
            """,
            "orders.go": """
                package shop
                import amqp "github.com/rabbitmq/amqp091-go"
                type Orders struct {
                    store Store
                    channel *amqp.Channel
                }
                func (o *Orders) Place(order Order) error {
                    if err := o.store.KeepOrder(order); err != nil { return err }
                    return o.channel.Publish("orders", "", false, false, amqp.Publishing{Body: order.Body})  // <-
                }
            """,
        }),
        Sample("typescript", {  # imported under another name
            "a.ts": """
                import { created as createdHook } from './hooks.js';
                export class Orders {
                  constructor(private orderRepository: Repository<Order>) {}
                  async place(order: Order) {
                    await this.orderRepository.save(order);
                    void createdHook(order);  // <-
                  }
                }
            """,
            "hooks.ts": """
                import { producer } from './kafka';
                export const created = async (order: Order) => {
                  await producer.send({ topic: 'orders', messages: [{ value: order.id }] });
                };
            """,
            "kafka.ts": """
                import { Kafka } from 'kafkajs';
                export const producer = new Kafka({ brokers: ['b'] }).producer();
            """,
        }),
        Sample("typescript", {  # one of two behind an abstract class, and the farther one
            "bus/teller.ts": """
                export abstract class Teller { abstract tell(order: Order): Promise<void>; }
            """,
            "bus/memory.ts": """
                import { Teller } from './teller';
                export class MemoryTeller extends Teller { async tell(order: Order) { this.told.push(order); } }
            """,
            "kafka/teller.ts": """
                import { Producer } from 'kafkajs';
                import { Teller } from '../bus/teller';
                export class KafkaTeller extends Teller {
                  constructor(private producer: Producer) { super(); }
                  async tell(order: Order) {
                    await this.producer.send({ topic: 'orders', messages: [{ value: order.id }] });
                  }
                }
            """,
            "bus/orders.ts": """
                import { Teller } from './teller';
                class Orders {
                  constructor(private orderRepository: Repository<Order>, private teller: Teller) {}
                  async place(order: Order) {
                    await this.orderRepository.save(order);
                    await this.teller.tell(order); // <-
                  }
                }
            """,
        }),
        Sample("python", {
            "views.py": """
                from kafka import KafkaProducer
                from shop.models import Order
                def cancel(producer: KafkaProducer, user):
                    Order.objects.filter(user=user).update(cancelled=True)
                    producer.send("orders", user.id)  # <-
            """,
        }),
        Sample("go", {  # the ORM is brought in by another package
            "user.go": """
                package dao
                import "github.com/nats-io/nats.go"
                func (u *User) Add(nc *nats.Conn) error {
                    if err := ours.Table(u.TableName()).Create(&u).Error; err != nil { return err }
                    return nc.Publish("users.added", u.Bytes()) // <-
                }
            """,
        }),
        Sample("typescript", {
            "orders.ts": """
                import { Kafka } from 'kafkajs';
                class Orders {
                  constructor(private connection: DataSource, private producer: Producer) {}
                  async place(ctx: Context, id: ID) {
                    await this.connection.getRepository(ctx, Order).createQueryBuilder('o').update().set({ id }).execute();
                    await this.producer.send({ topic: 'orders', messages: [{ value: id }] }); // <-
                  }
                  async find(ctx: Context, id: ID) {
                    const qb = this.connection.getRepository(Order).createQueryBuilder('o');
                    qb.addSelect('o.id');
                    await this.producer.send({ topic: 'asked', messages: [{ value: id }] });
                  }
                }
            """,
        }),
        Sample("python", {
            "rpcapi.py": """
                from shop import service
                class EngineAPI(service.Service):
                    def trigger(self, context, uuid):
                        self.engine_client.cast(context, 'trigger', uuid=uuid)
            """,
            "audits.py": """
                from shop import rpcapi
                class Audits:
                    def __init__(self):
                        self.engine = rpcapi.EngineAPI()
                    def post(self, context, values):
                        audit = self.dbapi.create_audit(values)
                        self.engine.trigger(context, audit.uuid)  # <-
            """,
        }),
        Sample("java", {  # a sink behind a function that is bound to a topic
            "src/main/resources/application.properties": "spring.cloud.stream.bindings.orders-out-0.destination=orders\n",
            "src/main/java/shop/Publishing.java": """
                class Publishing {
                  @Bean
                  Sinks.Many<OrderEvent> sink() { return Sinks.many().multicast().onBackpressureBuffer(); }
                  @Bean
                  Supplier<Flux<OrderEvent>> orders(Sinks.Many<OrderEvent> sink) { return sink::asFlux; }
                }
            """,
            "src/main/java/shop/Orders.java": """
                class Orders {
                  private OrderRepository repository;
                  private Sinks.Many<OrderEvent> sink;
                  Order place(Order order) {
                    Order kept = repository.save(order);
                    sink.tryEmitNext(new OrderEvent(kept)); // <-
                    return kept;
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Producer } from 'pulsar-client';
                class Jobs {
                  private producer: Producer;
                  constructor(private readonly prismaService: PrismaService) {}
                  async execute(data) {
                    const job = await this.prismaService.job.create({ data: { name: data.name } });
                    await this.producer.send({ data: serialize({ ...data, jobId: job.id }) }); // <-
                  }
                }
            """,
        }),
        Sample("java", {
            "Told.java": """
                import org.springframework.amqp.rabbit.core.RabbitTemplate;
                class Told {
                  RabbitTemplate rabbit;
                  @TransactionalEventListener
                  void on(OrderCreated event) {
                    rabbit.convertAndSend("orders", event); // <-
                  }
                  @TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)
                  void before(OrderCreated event) {
                    rabbit.convertAndSend("orders", event);
                  }
                }
            """,
        }),
        Sample("python", {
            "broker.py": """
                from typing import Protocol
                import nats
                class Bus(Protocol):
                    async def publish(self, batch): ...
                    async def close(self): ...
                class NatsBus:
                    async def publish(self, batch):
                        for item in batch:
                            await self.js.publish(item.subject, item.body)
                    async def close(self):
                        await self.nc.close()
            """,
            "a.py": """
                from broker import Bus, connect
                class Runtime:
                    def __init__(self, given: Bus | None = None):
                        self.bus = given or connect()
                    async def transact(self, engine, order):
                        with engine.begin() as conn:
                            conn.execute('insert into orders values (1)')
                        await self.bus.publish([order])  # <-
            """,
        }),
        Sample("python", {
            "a.py": """
                from celery import shared_task
                from sqlalchemy.orm import Session
                @shared_task(autoretry_for=(OSError,))
                def send(id):
                    mail(id)
                def place(session: Session, order):
                    session.add(order)
                    session.commit()
                    send.delay(order.id)  # <-
            """,
        }),
        Sample("python", {
            "a.py": """
                import nats
                async def f(session, js, order):
                    session.add(order)
                    session.commit()
                    await js.publish('order.created', order)  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class A {
                  constructor(
                    private readonly orderRepository: OrderRepository,
                    private readonly publisher: RabbitPublisher,
                  ) {}
                  async f(o) {
                    await this.orderRepository.save(o);
                    await this.publisher.publishMessage(new Created(o)); // <-
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(db *sql.DB, nc *nats.Conn) {
                    db.Exec("INSERT INTO orders VALUES (1)")
                    nc.Publish("x", b) // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { OrderRepository orderRepository; KafkaTemplate kafkaTemplate;
                  void f(Order o) {
                    orderRepository.save(o);
                    kafkaTemplate.send("x", o); // <-
                  } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
