"""Everything is caught, and the work goes on as if nothing had happened."""

import re
from collections.abc import Iterable

from archgen.evidence.entries import is_tool
from archgen.evidence.facts import Fact, Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits

# What is counted about visitors may be lost, and must not keep them from anything.
_ASIDE = re.compile(r"analytics|telemetry|page_?view", re.IGNORECASE)


def _message(fact: Fact) -> str:
    where = fact["function"] or "the module"
    if fact["types"] == "no error":
        return f"{where} makes a change and does not look whether it failed"
    if fact["types"] == "an error that is overwritten":
        return f"{where} overwrites an error before anybody has looked at it"
    if fact["types"] == "no promise":
        return f"{where} makes a change, does not wait for it, and never learns whether it failed"
    if fact["types"] == "no thread":
        return f"{where} leaves a change to threads, and never learns whether one of them failed"
    if fact["types"] == "a last try":
        return f"{where} gives {fact['call']} up after its tries, and reports success"
    if fact["types"] == "a logged error":
        return f"{where} writes to a log that {fact['call']} failed, and reports success"
    if fact["types"] == "a failed job":
        return f"{where} writes its failure to a log and ends well, so nobody tries it again"
    if fact["types"] == "a failed subscriber":
        return f"{where} writes to a log that a subscriber failed, and the event is lost to it"
    return f"{where} catches {fact['types']} around a change and goes on"


def check(facts: Facts) -> Iterable[Hit]:
    harmful = {
        (f.file, f.line): f
        for f in facts.of("error.swallowed")
        if f["writes"]
        and not is_tool(f.file)
        and not _ASIDE.search(f.file)
        and not _ASIDE.search(str(f["function"]))
    }
    return hits(harmful.values(), _message)


RULE = Rule(
    id="ERR-001",
    item="error_handling",
    kind="defect",
    severity=Severity.WARNING,
    title="Broad catch that goes on",
    why="The change may or may not have been made, and the code that follows believes that it was.",
    remedy="Catch what you can answer, and let the rest through.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("typescript", {  # a class that looks again and again
            "scan.ts": """
                class LibraryScanner {
                  constructor(private items: Repository<Item>) {}
                  async run(item: Item) {
                    try {
                      await this.items.save(item);
                    } catch (e) {
                      logger.error('not scanned', e);
                    }
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                func (s *Service) sendProgress(job Job) {
                    _, err := http.Post(s.url, "application/json", encode(job))
                    if err != nil {
                        s.Logger.Error(err)
                    }
                }
                func (s *Service) postInvoice(invoice Invoice) {
                    _, err := http.Post(s.url, "application/json", encode(invoice))
                    if err != nil {
                        s.Logger.Error(err)
                        s.failed.Add(invoice)
                    }
                }
            """,
        }),
        Sample("java", {
            "News.java": """
                class News {
                  private Notifications notifications;
                  void tell(User user) {
                    try {
                      notifications.sendNewsletter(user.email());
                    } catch (Exception e) {
                      LOGGER.error("error sending email", e);
                    }
                  }
                }
            """,
        }),
        Sample("python", {  # what failed is noted in the row, or is one of many, or trying again does not mend it
            "tasks.py": """
                import requests
                from celery import shared_task
                @shared_task
                def snapshot(id):
                    asset = Asset.objects.get(id=id)
                    try:
                        requests.get(asset.url, timeout=3)
                    except Exception:
                        logger.exception("no snapshot")
                        asset.status = "failed"
                        Asset.objects.update(asset)
                @shared_task
                def snapshots(ids):
                    for id in ids:
                        try:
                            requests.get(url(id), timeout=3)
                        except Exception:
                            logger.exception("no snapshot of %s", id)
                @shared_task
                def read(id):
                    try:
                        return requests.get(url(id), timeout=3).json()
                    except ValueError:
                        logger.error("no document")
                @shared_task
                def look(id):
                    try:
                        check(id)
                    except Exception:
                        logger.exception("not looked at")
            """,
        }),
        Sample("typescript", {
            "bus.ts": """
                export async function tell(subscribers, event) {
                  for (const subscriber of subscribers) {
                    try {
                      await subscriber(event);
                    } catch (e) {
                      console.error(e);
                      await failed.push({ subscriber, event });
                    }
                  }
                }
                export async function one(handler, event) {
                  try {
                    await handler(event);
                  } catch (e) {
                    console.error(e);
                  }
                }
            """,
        }),
        Sample("python", {  # never given up
            "a.py": """
                import requests
                def tell(hook, event):
                    while True:
                        try:
                            requests.post(hook, json=event, timeout=3)
                            return
                        except requests.RequestException:
                            time.sleep(2)
            """,
        }),
        Sample("python", {  # who asked is told that the last try has failed
            "a.py": """
                import requests
                def tell(hook, event):
                    for attempt in range(3):
                        try:
                            requests.post(hook, json=event, timeout=3)
                            return True
                        except requests.RequestException as error:
                            time.sleep(2 ** attempt)
                    log.error('gave up on %s', hook)
                    return False
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                export async function tell(hook: string, event: Event): Promise<void> {
                  for (let attempt = 0; attempt < 3; attempt++) {
                    try {
                      await axios.post(hook, event, { timeout: 3000 });
                      return;
                    } catch (error) {
                      await sleep(attempt * 1000);
                    }
                  }
                  throw new Error('gave up');
                }
            """,
        }),
        Sample("typescript", {  # a call with an argument of type, in a chain that is awaited
            "keys.ts": """
                import { getCollection } from './mongo';
                export class Keys {
                  static async disable(key: string) {
                    await getCollection<ApiKey>('keys').updateOne(
                      { key },
                      { $set: { disabled: true } },
                    );
                  }
                }
            """,
        }),
        Sample("typescript", {  # what is told of who did what, and when somebody was last here
            "members.ts": """
                import { prisma } from './prisma';
                export const auditLog = async (event: string) => prisma.entry.create({ data: { event } });
                export const touch = async (id: string, data: object) => prisma.member.update({ where: { id }, data });
                export async function open(req: Request) {
                  try {
                    await auditLog('opened');
                  } catch (e) {
                    req.log.error(e, 'not written down');
                  }
                  try {
                    await touch(req.userId, { lastLoginDate: new Date() });
                  } catch (e) {
                    req.log.error(e, 'not noted');
                  }
                }
            """,
        }),
        Sample("go", {  # what is kept in a cookie
            "flash.go": """
                package web
                import "github.com/gorilla/sessions"
                func flash(app *App, w http.ResponseWriter, r *http.Request, text string) error {
                    session, err := app.store.Get(r, "u")
                    session.AddFlash(text)
                    return session.Save(r, w)
                }
                func leave(app *App, w http.ResponseWriter, r *http.Request) error {
                    flash(app, w, r, "Good bye.")
                    return redirect(w)
                }
            """,
        }),
        Sample("go", {  # what has expired goes the next time
            "sessions.go": """
                package sessions
                func (s *Sessions) cleanExpired(ctx context.Context) error {
                    _, err := s.db.ExecContext(ctx, "DELETE FROM sessions WHERE expires_at < now()")
                    return err
                }
                func (s *Sessions) Get(ctx context.Context, id string) (*Session, error) {
                    if err := s.cleanExpired(ctx); err != nil {
                        s.log.Error("not cleaned", err)
                    }
                    return s.find(ctx, id), nil
                }
            """,
        }),
        Sample("go", {  # who waits is woken, or asks again by itself
            "notify.go": """
                package queue
                func (q *Queue) notifyPending(ctx context.Context) {
                    _, _ = q.db.ExecContext(ctx, "SELECT pg_notify($1, '')", channel)
                }
            """,
        }),
        Sample("go", {  # a lock of the library, and not the project's own
            "go.mod": "module shop\n",
            "clients.go": """
                package shop
                import "sync"
                type Clients struct {
                    lock sync.RWMutex
                }
                func (c *Clients) Add(name string) {
                    c.lock.Lock()
                    defer c.lock.Unlock()
                }
            """,
            "locker.go": """
                package shop
                import "database/sql"
                type Row struct {
                    db *sql.DB
                }
                func (r *Row) Lock() error {
                    _, err := r.db.Exec("update locks set held = true")
                    return err
                }
            """,
        }),
        Sample("go", {  # a step of a migration that may have been made before
            "db/migration_2_10.go": """
                package db
                func (m migration) PreApply(tx *sql.Tx) error {
                    _, _ = tx.Exec("update orders set key = null")
                    return nil
                }
            """,
        }),
        Sample("typescript", {  # of a library, whoever else has a function of that name
            "web/page.ts": """
                import { redirect } from 'next/navigation';
                export default async function Page() {
                  const organisations = await getOrganisations();
                  redirect('/start');
                  return organisations;
                }
            """,
            "server/links.py": """
                async def redirect(session, link):
                    session.add(Visit(link))
                    await session.commit()
            """,
        }),
        Sample("go", {  # a library's plugins have an Add, too
            "a.go": """
                package a
                import "github.com/smallnest/rpcx/server"
                func (u *User) Add() error {
                    _, err := u.db.Exec("INSERT INTO users VALUES ($1)", u.Id)
                    return err
                }
                func register(s *server.Server, r Plugin) {
                    s.Plugins.Add(r)
                }
            """,
        }),
        Sample("typescript", {  # questions, and a cache
            "cache.service.ts": """
                class CacheService {
                  constructor(private itemRepository: Repository<Item>) {}
                  async set(key, value) {
                    try { await this.itemRepository.save({ key, value }); } catch (e) { console.log(e); }
                  }
                }
            """,
            "methods.ts": """
                class Methods {
                  constructor(private methodRepository: Repository<Method>) {}
                  async getMethod(code) {
                    await this.methodRepository.save({ code, asked: true });
                    return code;
                  }
                  async refund(code) {
                    let method;
                    try { method = await this.getMethod(code); } catch (e) { console.warn('no method'); }
                    return method;
                  }
                }
            """,
        }),
        Sample("typescript", {  # a library's builder, of which a method bears the name of one of ours
            "search.ts": """
                class Search {
                  constructor(private connection: Connection) {}
                  async find(ctx) {
                    const qb = this.connection.createQueryBuilder('si');
                    qb.addSelection('MIN(si.price)');
                    return qb.getMany();
                  }
                }
                class Chosen {
                  constructor(private orderRepository: Repository<Order>) {}
                  async addSelection(order) { await this.orderRepository.save(order); }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (s *Orders) save(id string) error {
                    _, err := s.db.Exec("UPDATE orders SET done = 1 WHERE id = $1", id)
                    return err
                }
                func (s *Orders) Done(id string) error {
                    if err := s.save(id); err != nil { return err }
                    defer s.save(id)
                    return s.save(id)
                }
            """,
        }),
        Sample("go", {  # told, and handed on
            "a.go": """
                package a
                func (s *Files) Cancel(id string) error {
                    if err := s.cancel(id); err != nil {
                        return logger.Error().LogErrorf("not cancelled: %v", err).Err()
                    }
                    return nil
                }
                func (s *Files) cancel(id string) error { return s.db.Exec("UPDATE files SET gone = 1 WHERE id = $1", id) }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func InitDB(db *sql.DB) { db.Exec("INSERT INTO products (id) VALUES (1)") }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                class Mails {
                  async send(mail) { await this.transporter.sendMail(mail); }
                  async tell(mail) {
                    try { await this.transporter.sendMail(mail); } catch (e) { this.put(mail, e); }
                  }
                  async both(mail) {
                    void this.send(mail);
                    this.tell(mail);
                    await this.send(mail);
                    return this.send(mail);
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (s *Orders) Place(o Order) error {
                    if err := s.save(o); err != nil {
                        log.Printf("not saved: %v", err)
                        return err
                    }
                    if err := s.trackLastSeen(o); err != nil {
                        log.Printf("not counted: %v", err)
                    }
                    return nil
                }
                func (s *Orders) save(o Order) error { return s.db.Exec("INSERT INTO orders (id) VALUES ($1)", o.ID) }
                func (s *Orders) trackLastSeen(o Order) error { return s.db.Exec("UPDATE seen SET at = $1", o.At) }
            """,
        }),
        Sample("python", {
            "a.py": """
                import threading
                def ask(conn, ids):
                    threads = [threading.Thread(target=look, args=(conn, id)) for id in ids]
                    for thread in threads:
                        thread.join()
                def look(conn, id):
                    return conn.execute("SELECT * FROM orders WHERE id = %s", id)
            """,
        }),
        Sample("java", {  # each catch answers for its own try, also where that ends on its line
            "A.java": """
                class A {
                  OrderRepository orderRepository;
                  void f(InputStream in) {
                    try {
                      orderRepository.save(o);
                    } catch (Exception e) {
                      throw new Failed(e);
                    } finally {
                      try { in.close();
                      } catch (Exception ignore) {
                      }
                    }
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Model } from 'mongoose';
                class Orders {
                  constructor(private orders: Model<Order>) {}
                  async place(o) {
                    await this.orders.insertMany([o]);
                    this.orders.updateOne({ id: o.id }, { seen: true }).catch((e) => this.failed(e));
                    return this.orders.insertMany([o]);
                  }
                }
            """,
        }),
        Sample("python", {
            "analytics.py": """
                import requests
                def send(event):
                    try:
                        requests.post(URL, json=event)
                    except Exception:
                        log.warning("not counted")
            """,
        }),
        Sample("python", {
            "a.py": """
                def f(session):
                    try:
                        session.add(o)
                    except Conflict:
                        return None
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                async function f(orderRepository) { try { await orderRepository.save(o);
                  } catch (e) { throw e; } }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { OrderRepository orderRepository; void f() { try {
                  orderRepository.save(o); } catch (Exception e) { throw new Failed(e); } } }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Ship(db *sql.DB, id string) error {
                    _, err := db.Exec("UPDATE orders SET shipped = true WHERE id = $1", id)
                    return err
                }
                func Close(db *sql.DB) {
                    defer db.Close()
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "events.py": """
                def notify_after(success, request):
                    for event in request.get_resource_events(after_commit=True):
                        try:
                            request.registry.notify(event)
                        except Exception:  # <-
                            logger.error("Unable to notify", exc_info=True)
            """,
        }),
        Sample("go", {  # it can tell nobody
            "a.go": """
                package a
                import "net/http"
                func (s *Service) postToHook(invoice Invoice, url string) {
                    resp, err := http.Post(url, "application/json", encode(invoice)) // <-
                    if err != nil {
                        s.Logger.Error(err)
                        return
                    }
                    s.Logger.Info(resp.Status)
                }
            """,
        }),
        Sample("java", {  # who asked for a new password waits for it
            "Passwords.java": """
                class Passwords {
                  private Notifications notifications;
                  void create(User user) {
                    try {
                      notifications.sendForgottenPasswordEmail(user.email(), link(user)); // in vain
                    } catch (Exception e) { // <-
                      LOGGER.error("error sending email", e);
                    }
                  }
                }
            """,
        }),
        Sample("python", {  # a job that tells a log that it has failed, and so is done
            "tasks.py": """
                import requests
                from celery import shared_task
                @shared_task(max_retries=3)
                def snapshot(id):
                    try:
                        requests.post(archive, json={"id": id}, timeout=3)
                    except requests.RequestException as error:  # <-
                        logger.error("no snapshot", exc_info=error)
                @shared_task(max_retries=3)
                def bill(id):
                    try:
                        _bill(id)
                    except Exception as error:
                        logger.exception("no bill")
                        raise
                def _bill(id):
                    requests.post(billing, json={"id": id}, timeout=3)
                @shared_task
                def award(id):
                    _award(id)
                def _award(id):
                    try:
                        requests.post(awards, json={"id": id}, timeout=3)
                    except Exception:  # <-
                        logger.exception("no award")
            """,
        }),
        Sample("typescript", {
            "worker.ts": """
                import { Worker } from 'bullmq';
                import axios from 'axios';
                new Worker('calls', async (job) => {
                  try {
                    await axios.get(job.data.url, { timeout: 3000 });
                  } catch (error) { // <-
                    console.error(error);
                  }
                });
            """,
            "bus.ts": """
                export async function tell(subscribers, event) {
                  await Promise.all(subscribers.map(async (subscriber) => {
                    try {
                      await subscriber(event);
                    } catch (e) { // <-
                      error(e);
                    }
                  }));
                }
            """,
        }),
        Sample("python", {
            "bus.py": """
                def handle_event(event, queue):
                    for handler in HANDLERS[type(event)]:
                        try:
                            handler(event)
                        except Exception:  # <-
                            logger.exception("Exception handling event %s", event)
                            continue
            """,
        }),
        Sample("python", {  # given up after three tries
            "a.py": """
                import requests
                def tell(hook, event):
                    for attempt in range(3):
                        try:
                            requests.post(hook, json=event, timeout=3)  # <-
                            return
                        except requests.RequestException as error:
                            time.sleep(2 ** attempt)
                    log.error('gave up on %s', hook)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                export async function tell(hook: string, event: Event): Promise<void> {
                  for (let attempt = 0; attempt < 3; attempt++) {
                    try {
                      await axios.post(hook, event, { timeout: 3000 }); // <-
                      return;
                    } catch (error) {
                      await sleep(attempt * 1000);
                    }
                  }
                  console.error('gave up', hook);
                }
            """,
        }),
        Sample("go", {  # a handler that is handed back
            "handler.go": """
                package shop
                func put(db *sql.DB) http.HandlerFunc {
                    return func(w http.ResponseWriter, r *http.Request) {
                        if _, err := db.Exec("INSERT INTO books (url) VALUES ($1)", read(r)); err != nil { // <-
                            log.Printf("failed to save: %s", err)
                        }
                        w.WriteHeader(http.StatusOK)
                    }
                }
            """,
        }),
        Sample("go", {  # who answers a request could say so
            "handler.go": """
                package shop
                func (h *Handler) Put(w http.ResponseWriter, r *http.Request) {
                    book := read(r)
                    if err := h.DB.Save(r.Context(), book); err != nil { // <-
                        log.Printf("failed to save: %s", err)
                    }
                    json.NewEncoder(w).Encode(book)
                }
                type Handler struct {
                    DB Store
                }
            """,
            "store.go": """
                package shop
                type Store interface {
                    Save(ctx context.Context, book Book) error
                    Close() error
                }
                type base struct {
                    db *sqlx.DB
                }
                func (b *base) Close() error { return b.db.Close() }
                type Postgres struct {
                    base
                }
                func (p *Postgres) Save(ctx context.Context, book Book) error {
                    statement, err := p.db.Preparex("INSERT INTO books (url) VALUES ($1)")
                    if err != nil {
                        return err
                    }
                    _, err = statement.ExecContext(ctx, book.URL)
                    return err
                }
            """,
        }),
        Sample("go", {  # told once for a function
            "sessions.go": """
                package sessions
                func (s *Sessions) end(ctx context.Context, id string) error {
                    _, err := s.db.ExecContext(ctx, "DELETE FROM sessions WHERE id = $1", id)
                    return err
                }
                func (s *Sessions) EndAll(ctx context.Context, user string) {
                    s.end(ctx, user + "-web")  // <-
                    s.end(ctx, user + "-app")
                }
            """,
        }),
        Sample("go", {
            "integration.go": """
                package api
                func Middleware(w http.ResponseWriter, r *http.Request) {
                \tid, err := param("id", r)  // <-
                \tproject, err := param("project", r)
                \tif err != nil {
                \t\treturn
                \t}
                \tserve(id, project)
                }
                func Either(a bool) (int, error) {
                \tvar n int
                \tvar err error
                \tif a {
                \t\tn, err = one()
                \t} else {
                \t\tn, err = other()
                \t}
                \treturn n, err
                }
            """,
            "hooks.go": """
                package api
                import "net/http"
                func Notify(url string) {
                    resp, _ := http.Post(url, "application/json", nil)  // <-
                    resp.Body.Close()
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (s *Orders) save(id string) error {
                    _, err := s.db.Exec("UPDATE orders SET done = 1 WHERE id = $1", id)
                    return err
                }
                func (s *Orders) Done(id string) error {
                    s.save(id) // <-
                    return nil
                }
            """,
        }),
        Sample("typescript", {  # a promise that nobody waits for
            "a.ts": """
                import { HttpService } from '@nestjs/axios';
                class Orders {
                  constructor(private http: HttpService) {}
                  async place(order) {
                    this.http.post('http://stock/reserve', order).toPromise(); // <-
                    await this.http.post('http://stock/reserve', order).toPromise();
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/hashicorp/go-retryablehttp"
                type hooks struct {
                    client *retryablehttp.Client
                }
                func (w *hooks) Send(event Event) error {
                    req, err := retryablehttp.NewRequest("POST", w.url, event.Body())
                    if err != nil {
                        return err
                    }
                    _, err = w.client.Do(req) // <-
                    if err != nil {
                        w.logger.Info().Logf("not sent: %v", err)
                    }
                    return nil
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class Events {
                  async work() { await this.eventStore.put('1', { done: true }); }
                  async process() {
                    try {
                      this.work(); // <-
                    } catch (e) {
                      throw new Failed(e);
                    }
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class Mails {
                  async send(mail) { await this.transporter.sendMail(mail); }
                  @EventPattern('ordered')
                  async on(mail) {
                    this.send(mail); // <-
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (s *Orders) Place(o Order) error {
                    if err := s.save(o); err != nil {
                        return err
                    }
                    err := s.setStatus(o) // <-
                    if err != nil {
                        log.Printf("no status: %v", err)
                    }
                    return nil
                }
                func (s *Orders) save(o Order) error { return s.db.Exec("INSERT INTO orders (id) VALUES ($1)", o.ID) }
                func (s *Orders) setStatus(o Order) error { return s.db.Exec("UPDATE orders SET status = $1", o.ID) }
            """,
        }),
        Sample("python", {
            "a.py": """
                import threading
                def move(items):
                    threads = []
                    for item in items:
                        threads.append(threading.Thread(target=keep, args=(item,)))  # <-
                        threads[-1].start()
                    for thread in threads:
                        thread.join()
                def keep(item):
                    conn.execute("INSERT INTO carts (id) VALUES (%s)", item)
            """,
        }),
        Sample("java", {  # told over several lines, with a bracket in the text
            "A.java": """
                class A {
                  OrderRepository orderRepository;
                  void f(Order o) {
                    for (Env env : envs) {
                      try {
                        orderRepository.save(o);
                      } catch (Throwable e) { // <-
                        LOGGER.error("not saved. id = {}, env = {})", o.id(), env, e);
                        Tracer.logError(
                            String.format("not saved. id = %s", o.id()), e);
                      }
                    }
                  }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  OrderRepository orderRepository;
                  void f(InputStream in) {
                    try {
                      in.mark(1);
                    } catch (IOException e) {
                      throw new Failed(e);
                    }
                    try {
                      orderRepository.save(o);
                    } catch (Exception ignore) { // <-
                    }
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Queue } from 'bullmq';
                class Mails {
                  constructor(private _queue: Queue) {}
                  add(name, data, options) {
                    this._queue.add(name, data, { attempts: 3 }); // <-
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Model } from 'mongoose';
                class Orders {
                  constructor(private orders: Model<Order>) {}
                  async place(o) {
                    this.orders.updateOne({ id: o.id }, { paid: true }); // <-
                    return o;
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                def f(session):
                    try:
                        session.add(o)
                    except Exception:  # <-
                        pass
                    go_on()
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                async function f(orderRepository) {
                  try { await orderRepository.save(o); }
                  catch (e) { console.log(e); } // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { OrderRepository orderRepository; void f() { try { orderRepository.save(o); }
                  catch (Exception e) { log.error("x"); } } } // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Ship(db *sql.DB, id string) {
                    db.Exec("UPDATE orders SET shipped = true WHERE id = $1", id) // <-
                }
                func Pay(db *sql.DB, id string) {
                    _, _ = db.Exec("UPDATE orders SET paid = true WHERE id = $1", id) // <-
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
