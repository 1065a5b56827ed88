"""A queue or exchange is exclusive or not durable."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for weak in facts.of("queue.weak"):
        severity = Severity.WARNING if " in memory" in str(weak["what"]) else None
        yield Hit(
            weak.file, weak.line, f"{weak['function']} relies on {weak['what']}", weak.strength, severity
        )
    if _kept_in_redis(facts):
        told = set()
        for store in sorted(facts.of("memory.store"), key=lambda s: (s.file.count("/"), len(s.file), s.line)):
            variant = str(store["name"]), store.file.rpartition("/")[0]
            if variant in told:
                continue  # one store, in another variant of its file
            told.add(variant)
            message = f"{store['name']} holds the jobs, and keeps them in {store['fleeting']}"
            yield Hit(store.file, store.line, message, store.strength, Severity.WARNING)


_IN_REDIS = re.compile(
    r"^(bull|bullmq|@nestjs/bull(mq)?|bee-queue|rq|django_rq|arq|taskiq_redis|dramatiq\.brokers\.redis|"
    r"github\.com/(hibiken/asynq|adjust/rmq|gocraft/work|taskforcesh/bullmq))$"
)


def _kept_in_redis(facts: Facts) -> bool:
    """Whether jobs wait in Redis: by the library, or by the address of Celery's broker."""
    if not facts.has("job.enqueue", "job.worker"):
        return False
    modules = facts.program.modules.values()
    return any(_IN_REDIS.match(i.module) for m in modules if m.production for i in m.imports) or any(
        re.search(r"celery|broker", str(s["key"]), re.IGNORECASE) and str(s["value"]).startswith("redis")
        for s in facts.of("setting")
    )


_LISTENS = """
    import javax.jms.MessageListener;
    @SpringBootApplication
    class App {
      @JmsListener(destination = "orders")
      void on(String order) { repository.save(order); }
    }
"""

RULE = Rule(
    id="JOB-003",
    item="job_queues",
    kind="defect",
    severity=Severity.ERROR,
    title="Queue that does not survive",
    why="It is gone when its consumer or the broker restarts, with every message that was in it.",
    remedy="Declare named, durable queues and exchanges, and send persistent messages.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {  # what happens to one request is told to whoever waits for it
            "app.py": """
                import asyncio
                from fastapi import FastAPI
                app = FastAPI()
                @app.post('/runs')
                async def run(body, session):
                    happening: asyncio.Queue = asyncio.Queue()
                    async def work():
                        session.add(body)
                        await session.commit()
                        happening.put_nowait('end')
                    asyncio.create_task(work())
                    return told(happening)
            """,
        }),
        Sample("python", {
            "pay.py": """
                import asyncio
                paid = asyncio.Queue()
                audits = asyncio.Queue()
                async def ask(session, invoice):
                    await paid.put(invoice.id)
                    await session.execute("UPDATE invoices SET asked = 1 WHERE id = :id", invoice)
                async def settle(session, invoice):
                    await session.execute("UPDATE invoices SET paid = 1 WHERE id = :id", invoice)
                    await audits.put(invoice.id)
                    await self.cache.put(invoice.id)
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (h *Handler) View(w http.ResponseWriter, r *http.Request) {
                    go func() {
                        if _, err := h.db.Exec("UPDATE posts SET view_count = view_count + 1 WHERE id = ?", id(r)); err != nil {
                            log.Printf("not counted: %s", err)
                        }
                    }()
                }
            """,
        }),
        Sample("java", {  # who calls it is handed what comes of it
            "pom.xml": "<project/>",
            "Sender.java": """
                @SpringBootApplication
                class Sender {
                  private final RestTemplate restTemplate;
                  @Async
                  public Future<Paid> pay(Payment payment) {
                    return new AsyncResult<>(restTemplate.postForObject(api, payment, Paid.class));
                  }
                }
            """,
        }),
        Sample("typescript", {  # who watches the stores keeps nothing
            "compose.yml": """
                services:
                  redis:
                    image: redis:7
                    volumes: ["data:/data"]
                  postgres:
                    image: postgres:16
                    volumes: ["rows:/var/lib/postgresql/data"]
                  sentinel:
                    image: redis:7
                    command: >
                      /bin/sh -c "redis-sentinel /etc/sentinel.conf"
                  worker:
                    image: ours
                volumes: {data: {}}
            """,
            "mail.ts": """
                import { Queue, Worker } from 'bullmq';
                export const mails = new Queue('mails');
                export const later = (to: string) => mails.add('send', { to }, { attempts: 5 });
                new Worker('mails', async (job) => deliver(job.data.to));
            """,
        }),
        Sample("typescript", {  # who waits for a turn, and no work
            "semaphore.ts": """
                export class Semaphore {
                  private queue: (() => void)[] = [];
                  async acquire() { return new Promise<void>((resolve) => { this.queue.push(resolve); }); }
                  release() { const next = this.queue.shift(); if (next) next(); }
                }
            """,
        }),
        Sample("go", {  # it serves as long as the connection lasts
            "ws.go": """
                package connect
                func serve(w http.ResponseWriter, r *http.Request) { go readPump(conn) }
                func readPump(conn *Conn) {
                    for {
                        msg := conn.Read()
                        db.Exec("INSERT INTO messages VALUES ($1)", msg)
                    }
                }
            """,
        }),
        Sample("typescript", {  # it comes round
            "a.ts": """
                class Prices {
                  constructor(private priceRepository: Repository<Price>) {}
                  async poll() {
                    await this.priceRepository.save(await this.ask());
                    setTimeout(() => this.poll(), 1000);
                  }
                }
            """,
        }),
        Sample("typescript", {  # a cache may be lost, and this one has a volume
            "a.ts": """
                import { Queue } from 'bullmq';
                const mails = new Queue('mails');
                export const send = (mail) => mails.add('mail', mail, { attempts: 3 });
            """,
            "docker-compose.yml": """
                services:
                  db:
                    image: postgres:17
                    volumes: [data:/var/lib/postgresql/data]
                  redis:
                    image: redis:7
                    volumes: [jobs:/data]
                volumes: {data: {}, jobs: {}}
            """,
        }),
        Sample("python", {
            "a.py": "import redis\ndef seen(cache, id):\n    return cache.get(id)\n",
            "docker-compose.yml": """
                services:
                  db:
                    image: postgres:17
                    volumes: [data:/var/lib/postgresql/data]
                  redis:
                    image: redis:7
                volumes: {data: {}}
            """,
        }),
        Sample("python", {  # acknowledged when it is done
            "consumer.py": """
                import queue
                import pika
                class Consumer:
                    def __init__(self):
                        self.events = queue.Queue()
                    def on_message(self, message):
                        self.events.put(message)
                    def work(self, channel):
                        message = self.events.get()
                        do(message)
                        channel.basic_ack(message.delivery_tag)
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (s *Orders) Place(w http.ResponseWriter, r *http.Request) {
                    go func() {
                        defer s.wg.Done()
                        s.db.Exec("UPDATE stock SET left = left - 1")
                    }()
                    go s.track("placed")
                    s.wg.Wait()
                }
                func (s *Orders) track(what string) { s.db.Exec("INSERT INTO seen (what) VALUES ($1)", what) }
                func (s *Orders) Start() { go s.look() }
                func (s *Orders) look() {
                    for {
                        s.db.Exec("DELETE FROM old")
                    }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                @RestController
                class Mails {
                  @PostMapping("/mails")
                  Result send(Mail mail) {
                    Future<Mail> saved = executor.submit(() -> mailRepository.save(mail));
                    executor.submit(() -> cache.warm());
                    return saved.get();
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import threading
                from flask import Flask
                app = Flask(__name__)
                def charge(order):
                    db.session.add(Payment(order))
                    db.session.commit()
                def main():
                    threading.Thread(target=charge, args=(1,)).start()
                @app.post("/orders")
                def place():
                    one = threading.Thread(target=charge, args=(1,))
                    one.start()
                    one.join()
                    return "", 200
            """,
        }),
        Sample("java", {
            "App.java": _LISTENS,
            "src/main/resources/application.yml": """
                brokerUrl: "tcp://broker:61616?jms.useAsyncSend=true"
            """,
            "src/main/resources/application-test.yml": """
                brokerUrl: "vm://localhost?broker.persistent=false"
            """,
        }),
        # what goes round by itself, or is begun with the process, is begun again with the next one
        Sample("python", {
            "a.py": """
                import asyncio
                async def look():
                    while True:
                        await asyncio.sleep(60)
                async def refresh(): ...
                class Rates:
                    async def start(self):
                        asyncio.create_task(refresh())
                    async def answer(self):
                        asyncio.create_task(look())
            """,
        }),
        Sample("python", {
            "a.py": """
                import pika
                def f(ch):
                    ch.queue_declare('q', durable=True)
                    ch.basic_consume('q', on)
            """,
        }),
        Sample("python", {
            "a.py": """
                import asyncio
                class Player:
                    async def play(self, track):
                        # made again by whoever asks next
                        asyncio.create_task(self.cache.set_value(track.id, track))
                        asyncio.create_task(self.show(track))
                    async def show(self, track):
                        self.screen = track.title
                class Cache:
                    async def set_value(self, key, value):
                        await self.conn.execute("INSERT INTO cache (key, value) VALUES (?, ?)", (key, value))
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                async function f(ch) {
                  await ch.assertQueue('q', { durable: true, exclusive: false });
                  ch.consume('q', on);
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(ch *amqp.Channel) {
                    ch.QueueDeclare("q", true, false, false, false, nil)
                    ch.Consume("q", "", false, false, false, false, nil)
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import com.rabbitmq.client.Channel;
                class A {
                  void f(Channel channel) {
                    channel.queueDeclare("q", true, false, false, null);
                    channel.basicConsume("q", false, on);
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("go", {  # a catalog is no log
            "a.go": """
                package a
                func (h *Handler) Import(w http.ResponseWriter, r *http.Request) {
                    body := read(r)
                    go func() { // <-
                        h.db.Exec("UPDATE catalog SET body = ? WHERE id = ?", body, id(r))
                    }()
                }
            """,
        }),
        Sample("python", {  # the change is kept, and who was to hear of it is not told
            "pay.py": """
                import asyncio
                paid: asyncio.Queue = asyncio.Queue(0)
                async def settle(session, invoice):
                    await session.execute("UPDATE invoices SET paid = 1 WHERE id = :id", invoice)
                    await paid.put(invoice.id)  # <-
            """,
        }),
        Sample("go", {  # a line of log keeps nothing
            "a.go": """
                package a
                func (h *Handler) Add(w http.ResponseWriter, r *http.Request) {
                    book := read(r)
                    go func() { // <-
                        if _, err := h.db.Exec("UPDATE books SET page = ? WHERE id = ?", fetch(book), book.ID); err != nil {
                            log.Printf("failed to save: %s", err)
                        }
                    }()
                }
            """,
        }),
        Sample("go", {
            "blocks.go": """
                package app
                func (a *App) Patch(id string) {
                    a.changes.Enqueue(func() error {  // <-
                        _, err := a.db.Exec("insert into hints values ($1)", id)
                        return err
                    })
                }
            """,
        }),
        Sample("go", {  # functions that wait for their turn
            "hooks.go": """
                package hooks
                type Client struct {
                    queue *MemoryQueue
                    db *sql.DB
                }
                func (c *Client) Later(order string) {
                    c.queue.Push(func() {  // <-
                        c.db.Exec("insert into calls values ($1)", order)
                    })
                }
            """,
        }),
        Sample("go", {
            "pool.go": """
                package tasks
                type Pool struct {
                    Queue []*Runner
                    register chan *Runner
                }
                func (p *Pool) Take() {
                    for task := range p.register {
                        p.Queue = append(p.Queue, task)  // <-
                    }
                }
                func (p *Pool) Tick() {
                    if len(p.Queue) > 0 {
                        next := p.Queue[0]
                        go next.run()
                        p.Queue = p.Queue[1:]
                    }
                }
            """,
        }),
        Sample("go", {  # a helper puts it into a goroutine
            "spawn.go": """
                package shop
                func Later(ctx context.Context, work func(ctx context.Context)) {
                    go func() {
                        defer recovered()
                        work(ctx)
                    }()
                }
            """,
            "orders.go": """
                package shop
                func (s *Server) Place(w http.ResponseWriter, r *http.Request) {
                    Later(r.Context(), func(ctx context.Context) { // <-
                        s.db.ExecContext(ctx, "INSERT INTO orders VALUES ($1)", r.FormValue("id"))
                    })
                    w.WriteHeader(202)
                }
            """,
        }),
        Sample("python", {  # the message is gone before its work is begun
            "rpcapi.py": """
                import oslo_messaging
                class EngineAPI:
                    def trigger(self, context, uuid):
                        self.client.cast(context, 'trigger', uuid=uuid)
            """,
            "endpoint.py": """
                import oslo_messaging
                from concurrent import futures
                class Endpoint:
                    def __init__(self):
                        self.executor = futures.ThreadPoolExecutor()
                    def work(self, context, uuid):
                        plan(uuid)
                    def trigger(self, context, uuid):
                        self.executor.submit(self.work, context, uuid)  # <-
                        return uuid
            """,
        }),
        Sample("python", {  # once, whatever variants there are
            "jobs.py": "import rq\nqueue = rq.Queue()\ndef send(mail):\n    queue.enqueue(deliver, mail)\n",
            "deployment/docker-compose.yml": """
                services:
                  db:
                    image: postgres:17
                    volumes: [kept:/var/lib/postgresql/data]
                  redis: # <-
                    image: redis:7
                volumes: {kept: {}}
            """,
            "deployment/docker-compose-local.yml": """
                services:
                  db:
                    image: postgres:17
                    volumes: [kept:/var/lib/postgresql/data]
                  redis:
                    image: redis:7
                volumes: {kept: {}}
            """,
        }),
        Sample("java", {
            "Listeners.java": """
                class Listeners {
                  private final @NonNull Saga saga;
                  @TransactionalEventListener
                  @Async
                  public void on(OrderPlaced event) { // <-
                    saga.accepted(event.id());
                  }
                }
            """,
            "Saga.java": "interface Saga { void accepted(String id); }\n",
            "SagaJdbc.java": """
                class SagaJdbc implements Saga {
                  JdbcTemplate jdbcTemplate;
                  public void accepted(String id) { jdbcTemplate.update("INSERT INTO sagas VALUES (?)", id); }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (s *Orders) Place(o Order) {
                    time.AfterFunc(30*time.Second, func() { // <-
                        s.complete(o)
                    })
                }
                func (s *Orders) complete(o Order) { s.db.Exec("UPDATE orders SET status = 'done'") }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class Orders {
                  constructor(private orderRepository: Repository<Order>) {}
                  async place(order) {
                    setTimeout(async () => { // <-
                      await this.orderRepository.delete(order.id);
                    }, 60000);
                  }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class Published {
                  ExecutorService executorService;
                  @EventListener
                  public void on(PublishEvent event) {
                    executorService.submit(new Tell(event)); // <-
                  }
                  class Tell implements Runnable {
                    MailRepository mailRepository;
                    public void run() { mailRepository.save(mail); }
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Queue } from 'bullmq';
                const mails = new Queue('mails');
                export const send = (mail) => mails.add('mail', mail, { attempts: 3 });
            """,
            "docker-compose.yml": """
                services:
                  db:
                    image: postgres:17
                    volumes: [data:/var/lib/postgresql/data]
                  redis: # <-
                    image: redis:7
                volumes: {data: {}}
            """,
        }),
        Sample("python", {
            "listening.py": """
                import oslo_messaging
                class Endpoint:
                    def __init__(self, engine):
                        self.engine = engine
                    def info(self, context, publisher, kind, payload, metadata):
                        self.engine.take_notice(payload)
            """,
            "engine.py": """
                import queue
                class Engine:
                    def __init__(self):
                        self.events = queue.Queue()
                    def take_notice(self, notice):
                        self.events.put(notice)  # <-
            """,
        }),
        Sample("java", {
            "Listening.java": """
                import org.springframework.data.redis.listener.RedisMessageListenerContainer;
                @Configuration
                class Listening {
                  @Bean
                  RedisMessageListenerContainer container(Receiver receiver) {
                    RedisMessageListenerContainer container = new RedisMessageListenerContainer();
                    container.addMessageListener(adapter(receiver), new PatternTopic("customers")); // <-
                    return container;
                  }
                }
                class Receiver {
                  AddressRepository addressRepository;
                  void receiveMessage(Customer customer) { addressRepository.save(customer.address()); }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/ThreeDotsLabs/watermill/pubsub/gochannel"
                func Init() {
                    pubsub = gochannel.NewGoChannel(gochannel.Config{}, logger) // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (s *Orders) Place(w http.ResponseWriter, r *http.Request) {
                    go func() { // <-
                        s.db.Exec("UPDATE stock SET left = left - 1")
                    }()
                    w.WriteHeader(202)
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                @RestController
                class Mails {
                  @PostMapping("/mails")
                  void send(Mail mail) {
                    executor.submit(() -> mailRepository.save(mail)); // <-
                  }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                @Service
                class Invoices {
                  @Async
                  public void make(Order order) { // <-
                    invoiceRepository.save(new Invoice(order));
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import threading
                from flask import Flask
                app = Flask(__name__)
                def charge(order):
                    db.session.add(Payment(order))
                    db.session.commit()
                @app.post("/orders")
                def place():
                    threading.Thread(target=charge, args=(1,)).start()  # <-
                    return "", 202
            """,
        }),
        Sample("java", {
            "Messaging.java": """
                import org.springframework.amqp.core.Queue;
                @Configuration
                class Messaging {
                  @Bean
                  Queue orders() { return new Queue("orders", false); } // <-
                }
            """,
        }),
        Sample("java", {
            "App.java": _LISTENS,
            "src/main/resources/application.yml": """
                brokerUrl: "vm://localhost?broker.persistent=false" # <-
            """,
        }),
        Sample("python", {
            "a.py": """
                import pika
                def f(ch):
                    ch.queue_declare('q', exclusive=True)  # <-
                    ch.basic_consume('q', on)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                async function f(ch) {
                  await ch.assertQueue('', { exclusive: true }); // <-
                  ch.consume('q', on);
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(ch *amqp.Channel) {
                    ch.QueueDeclare("q", false, false, false, false, nil) // <-
                    ch.Consume("q", "", false, false, false, false, nil)
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import com.rabbitmq.client.Channel;
                class A {
                  void f(Channel channel) {
                    channel.queueDeclare("q", false, false, false, null); // <-
                    channel.basicConsume("q", false, on);
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
