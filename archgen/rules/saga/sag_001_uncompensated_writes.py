"""An operation that changes two services and takes nothing back."""

import re
from collections.abc import Iterable

from archgen.evidence.code.model import Effect, Function
from archgen.evidence.code.vocabulary import READ_NAME
from archgen.evidence.entries import is_tool
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

# What a closure handed to one of these does comes after what it is called on.
_GOES_ON = re.compile(r"(^|\.)(then|switchMap|mergeMap|concatMap|flatMap|andThen|thenCompose)$|^(map|tap)$")
_HARMLESS = re.compile(
    r"login|log_in|log_?out|sign_?out|authenticat|authori[sz]|(^|[._])auth$|token|verif|valid|notif|mail|sms|webhook|search|query|graphql|oauth|telemetry|metric|track|(^|[._])log$|slack|callback|lookup|seed|fixture|pull_?image|(get|find|fetch|create)_?or_?(get|find|fetch|create)|"
    r"embed(?!ded)|infer(?!n)|predict|classif|transcri|rerank|summar|(^|_)check(?!_?out)|(confirm|acknowledge)\w*message|"
    r"(^|[._])(report|build)(?-i:[A-Z_])|(en|de)crypt|hub_?spot|salesforce|sailthru|mailchimp|(checkout|portal)(\.|_)?sessions?|payment_?link|ephemeral|"
    r"create\w*checkout$|(products?|prices?|customers?)\.(create|update)",
    re.IGNORECASE,
)
# A table of messages that are to be sent, or were: to note one there and then tell somebody is how it is done.
_NOTES = re.compile(r"message|out_?box|in_?box|(^|_)mq|(log|audit)s?(mapper|repository|dao)?$", re.IGNORECASE)
# What puts a program together, or hangs something into it, before it does anything.
_WIRES = re.compile(
    r"(Checks?|Endpoints?|Factory|Handlers?|Listeners?|Interceptors?|Routes?|Server|Channel|Codec|Loop)$"
)
# What somebody pays for when it is done and the rest is not, also where the peer is a third party.
_COSTS = re.compile(
    r"pay|charg|captur|refund|invoic|billing|book(?!mark)|reserv|ship|transfer|purchas|order(?!ed|ing|by|_by)|checkout|fulfil|deliver|"
    r"regist(er|ration)_?(user|customer|account|member|profile)|(create|delete|remove)_?(user|customer|account)(?!_?(id|name|role|group|token|session))",
    re.IGNORECASE,
)
# Who hears that it has happened, and does not do it.
_HEARS = re.compile(
    r"(^|_)(succeeded|failed|completed|captured|received|expired|refunded)$|[a-z](Succeeded|Failed|Completed|Received)$"
)
# The part of an address that says who is asked: a host, or the variable that holds it.
_HOST = re.compile(r"[frb\"'`]*(https?://[^/\"'`{]+|\$?\{[^}]+\}|[A-Za-z_][\w.]*)")


def check(facts: Facts) -> Iterable[Hit]:
    alone = len(facts.services) == 1
    compensated = {f["function"] for f in facts.of("saga.inline")} | {
        f["function"] for f in facts.of("saga.choreographed")
    }
    for module, function in facts.program.functions():
        if not function.name or function.title in compensated or _HARMLESS.search(function.name):
            continue
        if is_tool(module.path) or _seen_to(function) or _durable(function):
            continue
        # a mail that was sent is not taken back, nor is what an output binding was given
        # nor, from a single deployable, is what only moves somebody's money judged as a business of several
        aside = ("smtp", "binding", "sdk") if alone else ("smtp", "binding")
        near = [e for e in function.reach if len(e.via) < _FAR]
        asked = [e for e in near if e.target not in aside]
        # what keeps things may do so over the network: a store of blobs has a client for each
        kept = {e.table for e in near if e.kind == "db.write" and e.table and not e.via}
        stores = {id(e.call) for e in near if e.kind == "db.write" and e.table in kept}
        remote = [
            e for e in asked
            if e.kind == "remote" and e.write and _matters(e) and id(e.call) not in stores
            and e.call.receiver.lower() not in kept
        ]  # fmt: skip
        local = [e for e in near if e.kind == "db.write" and _matters(e) and not _NOTES.search(e.table)]
        steps = _chain([*remote, *local])
        peers = [e for e in steps if e.kind == "remote"]
        if alone and (
            _HEARS.search(function.name)
            or not any(
                _COSTS.search(t)
                for e in peers
                for t in (function.title, e.call.callee, *e.call.args[:1], *e.via)
            )
        ):
            continue  # one deployable tells a third party; no business of two services is torn apart
        if alone and _marked(steps):
            continue
        if len(peers) == len(steps) and len({_peer(e, function) for e in peers}) < 2:
            continue  # all of it is asked of one peer
        if len(steps) >= 2 and peers:
            first, last = steps[0], steps[-1]
            # between one third party and the only store of a single deployable, somebody can still reconcile
            lesser = alone and len({(_peer(e, function), e.call.args[:1]) for e in peers}) < 2
            yield Hit(
                module.path, first.call.line,
                f"{function.title} changes {_what(first)} and then {_what(last)} at line {last.call.line}, "
                "and takes nothing back",
                severity=Severity.WARNING if lesser else None,
            )  # fmt: skip


def _marked(steps: list[Effect]) -> bool:
    """Whether a row is written before a peer is asked, and its end is noted in it afterwards."""
    asked = [i for i, e in enumerate(steps) if e.kind == "remote"]
    before = {e.table for e in steps[: asked[0]]} if asked else set()
    return bool(asked) and any(e.table and e.table in before for e in steps[asked[-1] + 1 :])


_FAR = 6  # calls, beyond which a step is another operation's
# What runs within one of these is gone on with, after a crash as well, until it has ended.
_DURABLE = re.compile(
    r"\b(restate|restatedev|workflow)\.(Object|Workflow|Shared\w*|Run)?Context\b|\b(Object|Workflow)Context\b"
)


def _durable(function: Function) -> bool:
    return any(map(_DURABLE.search, function.params.values()))


_SEEN_TO = re.compile(r"@(?:\w+\.)*GlobalTransactional\b")


def _seen_to(function: Function, depth: int = 2) -> bool:
    """Whether Seata takes back what the services of a call have done, as an annotation says."""
    if any(map(_SEEN_TO.match, function.marks)):
        return True
    return depth > 0 and any(_seen_to(c, depth - 1) for c in function.callers if c is not function)


def _chain(effects: list[Effect]) -> list[Effect]:
    """The first writes that one run makes one after the other, by different calls, a peer's among them; one call
    that reaches two is judged where it leads.
    """
    calls: dict[int, Effect] = {}
    for effect in sorted(effects, key=lambda e: (e.call.line, e.kind != "remote")):
        if not any(
            b.kind in ("catch", "finally") or (b.kind == "closure" and not _GOES_ON.search(b.header))
            for b in effect.call.inside
        ):
            calls.setdefault(id(effect.call), effect)
    steps = list(calls.values())
    for index, first in enumerate(steps):
        chain = [first]
        for step in steps[index + 1 :]:
            # what stands in a branch within the one of the step before comes after it, if it comes at all
            if _branches(chain[-1]) <= _branches(step):
                chain.append(step)
        if len(chain) > 1 and any(e.kind == "remote" for e in chain):
            return chain
    return []


def _branches(effect: Effect) -> set[int]:
    return {id(block) for block in effect.call.within("branch")}


def _matters(effect: Effect) -> bool:
    if _WIRES.search(effect.call.name) or (effect.via and READ_NAME.match(effect.call.name)):
        return False  # what is called a question may send a POST to ask it
    args = effect.call.args[:1] if effect.kind == "remote" else ()
    named = [arg for arg in args if arg.isidentifier()]  # `webhookUrl`
    return not any(map(_HARMLESS.search, (effect.call.callee, *named, *effect.via)))


def _peer(effect: Effect, function: Function) -> str:
    """Who is asked: the class that talks to it, where one does, or what the call is made on. A method that
    sends by itself what others of its class send as well talks to the same peer as they.
    """
    talks = [title.rpartition(".")[0] for title in effect.via if "." in title]
    if talks:
        return talks[-1]
    beside = any(
        title.startswith(f"{function.owner}.")
        for e in function.reach
        if e.kind == "remote"
        for title in e.via
    )
    if beside and effect.target == "http":
        return function.owner
    addressed = effect.call.args and effect.target != "grpc"  # there, the first argument is what is asked
    host = _HOST.match(effect.call.args[0]) if addressed else None
    return f"{effect.call.receiver} {host[0] if host else ''}"


def _what(effect: Effect) -> str:
    return (
        f"a peer ({effect.call.name})" if effect.kind == "remote" else f"its own store ({effect.call.name})"
    )


RULE = Rule(
    id="SAG-001",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="Writes in two services without compensation",
    why="When the second write fails, the first stays: money without an order, a seat without a booking.",
    remedy=(
        "Make it a saga: record the operation, and take back the first write when the second "
        "cannot be made."
    ),
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # a store that may keep what it is given over the network
            "orders/main.go": 'package main\nimport "net/http"\nfunc main() { http.ListenAndServe(":80", nil) }\n',
            "users/main.go": 'package main\nimport "net/http"\nfunc main() { http.ListenAndServe(":81", nil) }\n',
            "orders/train.go": """
                package main
                import pb "shop/gen"
                type Master struct {
                    blobStore BlobStore
                }
                func (m *Master) Train(model *Model) error {
                    if err := m.blobStore.Create(model); err != nil {
                        return err
                    }
                    return m.dropOld()
                }
                func (m *Master) dropOld() error {
                    for _, name := range m.blobStore.Gather() {
                        m.blobStore.Remove(name)
                    }
                    return nil
                }
                type Remote struct {
                    client pb.BlobServiceClient
                }
                func (r *Remote) Gather() []string { return r.client.Gather(ctx) }
            """,
        }),
        Sample("go", {  # gone on with until it has ended; reports, and loops that are begun
            "orders/main.go": 'package main\nimport "net/http"\nfunc main() { http.ListenAndServe(":80", nil) }\n',
            "users/main.go": 'package main\nimport "net/http"\nfunc main() { http.ListenAndServe(":81", nil) }\n',
            "orders/promote.go": """
                package main
                import (
                    restate "github.com/restatedev/sdk-go"
                    pb "shop/gen"
                )
                type Workflow struct {
                    routes pb.RoutesServiceClient
                    plans  pb.PlansServiceClient
                }
                func (w *Workflow) Promote(ctx restate.ObjectContext, id string) error {
                    if _, err := w.routes.Swap(ctx, id); err != nil {
                        return err
                    }
                    _, err := w.plans.Schedule(ctx, id)
                    return err
                }
                func (w *Workflow) Handle(ctx context.Context, id string) error {
                    if _, err := w.routes.ReportStatus(ctx, id); err != nil {
                        return err
                    }
                    _, err := w.plans.ReportEvents(ctx, id)
                    return err
                }
            """,
        }),
        Sample("python", {
            "badges.py": """
                import requests
                from models import Order
                def perform(method, url, data=None):
                    return requests.request(method.upper(), url, json=data, timeout=3).json()
                def order(cart):
                    price = perform("get", f"{PAYMENTS}/prices")
                    Order.objects.create(price=price)
            """,
        }),
        Sample("python", {  # one or the other, a link to pay by, and a hook that is told
            "pay.py": """
                import requests
                from models import Order
                def pay(order_id):
                    order = Order.objects.get(id=order_id)
                    if order.open:
                        requests.post(f"{PAYMENTS}/payments", json={"amount": order.amount}, timeout=3)
                    else:
                        requests.post(f"{SHIPPING}/shipments", json={"order": order_id}, timeout=3)
                def link(order):
                    session = create_checkout_session(order)
                    Order.objects.create(session=session)
                def create_checkout_session(order):
                    return requests.post(f"{PAYMENTS}/sessions", json={"amount": order.amount}, timeout=3).json()
                def deliver(order, webhook_url):
                    Order.objects.create(order)
                    requests.post(webhook_url, json=order, timeout=3)
            """,
        }),
        Sample("java", {  # a row that waits, and in which the end is noted
            "pom.xml": "<project/>",
            "Payments.java": """
                @SpringBootApplication
                class Payments {
                  private final PaymentDao paymentDao;
                  private final RestTemplate restTemplate;
                  Payment create(Payment payment) {
                    paymentDao.persist(payment);
                    payment.is(restTemplate.postForObject(api, payment, Charged.class));
                    paymentDao.merge(payment);
                    return payment;
                  }
                }
            """,
        }),
        Sample("python", {  # what is there already is used again
            "billing.py": """
                import requests
                class Billing:
                    def get_or_create_customer(self, org):
                        customer = requests.post('https://pay.example/customers', json={'order': org.id}, timeout=3).json()
                        self.org_repository.save(org.paid_by(customer))
            """,
            "app.py": "import uvicorn\nuvicorn.run('billing')\n",
        }),
        Sample("python", {  # all of it is asked of one peer
            "a.py": """
                class Orders:
                    def __init__(self, channel):
                        self.stub = shipping_pb2_grpc.ShippingStub(channel)
                    def ship(self, order):
                        self.stub.PackOrder(PackRequest(id=order.id))
                        self.stub.ShipOrder(ShipRequest(id=order.id))
            """,
            "b.py": "import uvicorn\nuvicorn.run('a')\n",
        }),
        Sample("java", {  # Seata takes back what the services have done
            "Pay.java": """
                class Pay {
                  private BalanceClient balances;
                  private StockClient stocks;
                  @GlobalTransactional
                  public void pay(Order order) { byBalance(order); }
                  private void byBalance(Order order) {
                    balances.deduct(order.getAmount());
                    stocks.deduct(order.getItems());
                  }
                }
            """,
            "BalanceClient.java": """
                import org.springframework.cloud.openfeign.FeignClient;
                @FeignClient("balances")
                interface BalanceClient {
                  @PutMapping("/balances")
                  void deduct(long amount);
                }
            """,
            "StockClient.java": """
                import org.springframework.cloud.openfeign.FeignClient;
                @FeignClient("stocks")
                interface StockClient {
                  @PutMapping("/stocks")
                  void deduct(List<Item> items);
                }
            """,
        }),
        Sample("python", {  # it hears that it was paid
            "app.py": """
                import httpx
                from fastapi import FastAPI
                app = FastAPI()
                def charge_succeeded(session, charge):
                    session.add(Payment(charge))
                    session.commit()
                    httpx.post('https://ledger/charges', json=charge)
            """,
        }),
        Sample("java", {  # a question, and a note of what is to be sent
            "Orders.java": """
                class Orders {
                  private ProductsFeignClient products;
                  private OrderMapper orderMapper;
                  private MqMessageDataMapper mqMessageDataMapper;
                  void update(Cart cart) {
                    Product product = products.selectById(cart.product());
                    orderMapper.insert(new Order(product));
                  }
                  void tell(MqMessageData data) {
                    mqMessageDataMapper.insertSelective(data);
                    products.confirmMessage(data);
                  }
                }
            """,
            "ProductsFeignClient.java": """
                import org.springframework.cloud.openfeign.FeignClient;
                @FeignClient("products")
                interface ProductsFeignClient {
                  @PostMapping("/select") Product selectById(Long id);
                  @PostMapping("/confirm") void confirmMessage(MqMessageData data);
                }
            """,
        }),
        Sample("python", {  # a model that is asked by POST changes nothing
            "orders/Dockerfile": "CMD [\"uvicorn\", \"orders.main:app\"]",
            "orders/main.py": """
                import httpx
                from fastapi import FastAPI
                app = FastAPI()
                def embed_texts(texts):
                    return httpx.post("http://models/embed", json=texts).json()
                def add(session, texts):
                    vectors = embed_texts(texts)
                    session.add(Chunk(vectors))
                    session.commit()
            """,
            "models/Dockerfile": "CMD [\"uvicorn\", \"models.main:app\"]",
            "models/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        }),
        Sample("typescript", {  # a mail is not taken back
            "orders/package.json": '{"scripts": {"start": "node main.js"}}',
            "orders/main.ts": """
                class Orders {
                  constructor(private orderRepository: Repository<Order>) {}
                  async place(order) {
                    await this.orderRepository.save(order);
                    await this.transporter.sendMail({ to: order.email });
                  }
                }
                createServer().listen(1);
            """,
            "stock/package.json": '{"scripts": {"start": "node main.js"}}',
            "stock/main.ts": "createServer().listen(2);\n",
        }),
        Sample("python", {  # an event is recorded, and then told to whoever wants to know
            "app.py": """
                import requests
                from flask import Flask
                app = Flask(__name__)
                @app.post('/events')
                def record(session):
                    session.add(event)
                    requests.post(HOOK, json=event)
            """,
            "Dockerfile": "FROM python\nCMD flask run\n",
        }),
        Sample("go", {
            "cmd/root.go": """
                package main
                import "github.com/spf13/cobra"
                func NewPay() *cobra.Command {
                    return &cobra.Command{RunE: func(c *cobra.Command, a []string) error {
                        return pb.NewPaymentServiceClient(conn).Charge(ctx, a)
                    }}
                }
                func NewShip() *cobra.Command {
                    return &cobra.Command{RunE: func(c *cobra.Command, a []string) error {
                        return pb.NewShippingServiceClient(conn).Ship(ctx, a)
                    }}
                }
                func NewRoot(root *cobra.Command) {
                    root.Add(NewPay())
                    root.Add(NewShip())
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import httpx
                def f(c: httpx.Client, session):
                    c.post('/seats')
                    try:
                        session.add(o)
                    except Exception:
                        c.delete('/cancel')
                        release_seat(c)
                        raise
                def release_seat(c: httpx.Client):
                    c.post('/release')
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                async function f(o) { await axios.get('/seats'); await axios.post('/book', o); }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (h H) F(ctx context.Context) { h.repo.Save(o) }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { RestTemplate rest; OrderRepository orderRepository; void f() {
                  rest.getForObject(u, T.class); orderRepository.save(o); } }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { OrderServiceGrpc.OrderServiceBlockingStub stub; void f(Checks c) {
                  stub.createReadinessChecks(c); stub.createLivenessChecks(c); } }
            """,
        }),
    ),
    invalid=(
        Sample("python", {  # a wrapper is told the method
            "badges.py": """
                import requests
                from models import Order
                def perform(method, url, data=None):
                    return requests.request(method.upper(), url, json=data, timeout=3).json()
                def order(cart):
                    paid = perform("post", f"{PAYMENTS}/payments", cart)  # <-
                    Order.objects.create(payment=paid["id"])
            """,
        }),
        Sample("java", {  # what follows in a branch follows all the same
            "pom.xml": "<project><artifactId>profiles</artifactId></project>",
            "src/main/java/Main.java": """
                @SpringBootApplication
                class Main {
                  public static void main(String[] args) { SpringApplication.run(Main.class, args); }
                }
            """,
            "src/main/java/Accounts.java": """
                class Accounts {
                  private ProfileRepository profileRepository;
                  private RestTemplate restTemplate;
                  Profile open(Form form) {
                    Answer answer = registerUser(form); // <-
                    if (answer.created()) {
                      return profileRepository.save(new Profile(answer.id()));
                    } else {
                      throw new NotRegistered(form);
                    }
                  }
                  private Answer registerUser(Form form) {
                    return restTemplate.postForObject(url, form, Answer.class);
                  }
                }
            """,
        }),
        Sample("python", {
            "pay.py": """
                import requests
                from models import Order
                def pay(order_id):
                    order = Order.objects.get(id=order_id)
                    if order.open:
                        requests.post(f"{PAYMENTS}/payments", json={"amount": order.amount}, timeout=3)  # <-
                        if order.items:
                            requests.post(f"{SHIPPING}/shipments", json={"order": order_id}, timeout=3)
            """,
        }),
        Sample("java", {  # requests that are put together before they are sent
            "pom.xml": "<project/>",
            "Orders.java": """
                @SpringBootApplication
                @RestController
                class Orders {
                  private final RestTemplate restTemplate;
                  private final OrderRepository orderRepository;
                  @PostMapping("/orders")
                  Order place(Order order) {
                    restTemplate.exchange(RequestEntity.post(payments).body(order), Paid.class); // <-
                    return orderRepository.save(order);
                  }
                }
            """,
        }),
        Sample("java", {  # what MyBatis-Plus gives the service itself, and a peer by a declared client
            "tickets/TicketService.java": """
                import com.baomidou.mybatisplus.extension.service.impl.ServiceImpl;
                class TicketService extends ServiceImpl<TicketMapper, Ticket> implements Tickets {
                  private final OrderClient orderClient;
                  String purchase(Request request) {
                    saveBatch(request.tickets());  // <-
                    return orderClient.createOrder(request.order());
                  }
                }
            """,
            "tickets/OrderClient.java": """
                import org.springframework.cloud.openfeign.FeignClient;
                @FeignClient("orders")
                interface OrderClient {
                  @PostMapping("/orders")
                  String createOrder(Order order);
                }
            """,
            "tickets/Tickets.java": """
                @SpringBootApplication
                class TicketsApplication {}
            """,
            "tickets/pom.xml": "<project><artifactId>tickets</artifactId></project>",
            "orders/pom.xml": "<project><artifactId>orders</artifactId></project>",
            "orders/Orders.java": """
                @SpringBootApplication
                class Orders {}
            """,
        }),
        Sample("java", {  # behind a client that inherits its template, whose method is told by a wrapper
            "portal/pom.xml": "<project/>",
            "portal/src/main/java/portal/App.java": """
                package portal;
                @SpringBootApplication
                class App {}
            """,
            "portal/src/main/java/portal/Apps.java": """
                package portal;
                class Apps {
                  AppApi appApi;
                  RoleRepository roleRepository;
                  void create(App app) {
                    appApi.createApp(app); // <-
                    roleRepository.save(new Role(app));
                  }
                }
            """,
            "portal/src/main/java/portal/Api.java": """
                package portal;
                abstract class Api { Retrying restTemplate; }
                class AppApi extends Api {
                  App createApp(App app) { return restTemplate.post("apps", app); }
                }
            """,
            "portal/src/main/java/portal/Retrying.java": """
                package portal;
                class Retrying {
                  RestTemplate restTemplate;
                  App post(String path, App app) { return execute(HttpMethod.POST, path, app); }
                  private App execute(HttpMethod method, String path, App app) {
                    return restTemplate.exchange(path, method, app);
                  }
                }
            """,
            "admin/pom.xml": "<project/>",
            "admin/src/main/java/admin/App.java": """
                package admin;
                @SpringBootApplication
                class App {}
            """,
        }),
        Sample("java", {  # SOAP, and a repository that is one by what it extends
            "Forms.java": """
                interface Forms extends JpaRepository<Form, Long> {}
                class CustomerClient extends WebServiceGatewaySupport {
                  Customer saveCustomer(Customer customer) {
                    return (Customer) getWebServiceTemplate().marshalSendAndReceive(server + "ws", customer);
                  }
                }
                @Controller
                class Applications {
                  private Forms forms;
                  private CustomerClient client;
                  String apply(Form form) {
                    Customer customer = client.saveCustomer(form.getCustomer()); // <-
                    form.setCustomer(customer.getId());
                    forms.save(form);
                    return "summary";
                  }
                }
            """,
        }),
        Sample("python", {
            "app.py": """
                import requests
                from flask import Flask
                app = Flask(__name__)
                @app.post('/tickets')
                def buy(session):
                    requests.post(BANK + '/charge', json=price)  # <-
                    session.add(ticket)
                def charge(): ...
            """,
            "Dockerfile": "FROM python\nCMD flask run\n",
        }),
        Sample("typescript", {
            "src/clients/ordersApi.ts": """
                // Autogenerated by OpenAPI Generator. Do not edit the class manually.
                import localVarRequest = require('request');
                export class OrdersApi {
                  public async createOrder(order) {
                    let localVarRequestOptions = { method: 'POST', uri: '/orders', body: order };
                    return new Promise((resolve) => localVarRequest(localVarRequestOptions, resolve));
                  }
                }
            """,
            "src/checkout.service.ts": """
                import { OrdersApi } from './clients/ordersApi';
                export class CheckoutService {
                  constructor(private ordersApi: OrdersApi, private checkoutRepository: CheckoutRepository) {}
                  async submit(id: string) {
                    const order = await this.ordersApi.createOrder(id); // <-
                    await this.checkoutRepository.remove(id);
                    return order;
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import httpx
                def book(c: httpx.Client, session):
                    c.post('/seats')  # <-
                    session.add(o)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                class A {
                  constructor(private readonly orderRepository: OrderRepository) {}
                  async f(o) {
                    await axios.post('/seats', o); // <-
                    await this.orderRepository.save(o);
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                type H struct {
                    users pb.UsersServiceClient
                    trips pb.TripsServiceClient
                }
                func (h H) F(ctx context.Context) error {
                    h.users.UpdateBalance(ctx, r) // <-
                    h.trips.BookTrip(ctx, r)
                    return nil
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { RestTemplate rest; OrderRepository orderRepository; void f() {
                  rest.postForObject(u, o, T.class); // <-
                  orderRepository.save(o); } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
