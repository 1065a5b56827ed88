"""A peer is called while a transaction is open."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("remote_in_tx"),
        lambda f: (
            f"{f['function']} calls a peer inside a transaction ({f['call']})"
            + (" that may be run again" if f["retried"] else "")
        ),
    )


RULE = Rule(
    id="DTC-003",
    item="data_consistency",
    kind="defect",
    severity=Severity.ERROR,
    title="Remote call inside a transaction",
    why=(
        "The peer does not roll back when the transaction does, is called again when it is "
        "retried, and holds the locks while it is slow."
    ),
    remedy="Call before or after the transaction, or make it a saga.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("java", {  # what a row says of itself, and no question of that name that is asked elsewhere
            "Stocks.java": """
                class Stocks {
                  private StockRepository stocks;
                  @Transactional
                  public void note(List<Row> rows) {
                    for (var stock : rows) {
                      stocks.save(Entry.of(stock.getWarehouse()));
                    }
                  }
                }
            """,
            "Warehouses.java": """
                class Warehouses {
                  private RestTemplate rest;
                  public Warehouse getWarehouse(Long id) {
                    return rest.getForObject("http://places/" + id, Warehouse.class);
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import httpx
                def f(engine, c: httpx.Client):
                    stock = c.get('/stock')
                    with engine.begin() as conn:
                        conn.execute(x)
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                func F(ctx context.Context, client *firestore.Client) {
                    http.Get(u)
                    client.RunTransaction(ctx, func(ctx context.Context, tx *firestore.Transaction) error {
                        return tx.Set(r, v)
                    })
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                export async function place(prisma, order) {
                  await axios.post('http://stock/reserve', order, { timeout: 1000 });
                  await prisma.$transaction(async (tx) => {
                    await tx.order.create({ data: order });
                  });
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.transaction.annotation.Transactional;
                class A {
                  private OrderRepository orderRepository;
                  private RestTemplate restTemplate;
                  void place(Order order) {
                    restTemplate.postForObject("http://stock/reserve", order, Void.class);
                    store(order);
                  }
                  @Transactional
                  void store(Order order) { orderRepository.save(order); }
                }
            """,
        }),
    ),
    invalid=(
        Sample("java", {  # what a base of the client's does, by the number of its arguments
            "Orders.java": """
                import org.springframework.transaction.annotation.Transactional;
                import org.springframework.data.jpa.repository.JpaRepository;
                interface OrderRepository extends JpaRepository<Order, Long> {}
                class Orders {
                  private final OrderRepository orderRepository;
                  private final UserClient users;
                  @Transactional
                  void place(Order order) {
                    orderRepository.save(order);
                    users.mayOrder(order.user()); // <-
                  }
                }
            """,
            "UserClient.java": """
                class UserClient extends BaseClient<User> {
                  boolean mayOrder(String user) { return ask(user); }
                }
            """,
            "BaseClient.java": """
                import org.springframework.web.client.RestTemplate;
                abstract class BaseClient<T extends Named> {
                  private final RestTemplate restTemplate = new RestTemplate();
                  boolean ask(String path) { return ask(path, Boolean.class); }
                  <P> P ask(String path, Class<P> type) { return restTemplate.getForObject(path, type); }
                }
            """,
        }),
        Sample("typescript", {  # functions that are handed the connection
            "capture.ts": """
                import { startTransaction, commit, rollback, update } from './query-builder';
                import { getConnection } from './pool';
                import { createAxios } from './requester';
                export default async (request, response) => {
                  const connection = await getConnection();
                  try {
                    await startTransaction(connection);
                    await update('payment').given({ state: 'captured' }).execute(connection);
                    const axiosInstance = await createAxios(request);
                    await axiosInstance.post(`/orders/${request.id}/capture`, {});  // <-
                    await commit(connection);
                  } catch (e) {
                    await rollback(connection);
                    throw e;
                  }
                };
            """,
        }),
        Sample("python", {  # by a property that makes a client
            "views.py": """
                from django.db import transaction
                from processors import Paypal
                class ExecutionView:
                    @property
                    def processor(self):
                        return Paypal(self.request.site)
                    def get(self, request):
                        with transaction.atomic():
                            Payment.objects.create(basket=request.basket)
                            self.processor.capture(request.payment)  # <-
            """,
            "processors.py": """
                import requests
                class Paypal:
                    def capture(self, payment):
                        return requests.post(self.url, json=payment, timeout=5)
                class Free:
                    def capture(self, payment):
                        return Receipt.objects.create(payment=payment)
            """,
        }),
        Sample("python", {
            "payments.py": """
                import stripe
                from django.db import transaction
                @transaction.atomic
                def pay(order):
                    order.save()
                    stripe.PaymentIntent.create(amount=order.amount, currency='eur')  # <-
            """,
        }),
        Sample("java", {
            "Refunds.java": """
                import jakarta.ws.rs.client.Client;
                class Refunds {
                  private RefundDao refunds;
                  private Client client;
                  @Transactional
                  public void refund(Payment payment) {
                    refunds.persist(new Refund(payment));
                    client.target(ledger).request().accept(JSON).post(Entity.json(payment));  // <-
                  }
                }
            """,
        }),
        Sample("java", {  # asking is waiting as well
            "Orders.java": """
                @Service
                @Transactional
                class Orders {
                  OrderRepository orderRepository;
                  RestTemplate rest;
                  void place(Order order) {
                    Stock stock = rest.getForObject("http://stock/of", Stock.class); // <-
                    orderRepository.save(order.with(stock));
                  }
                }
            """,
        }),
        Sample("java", {  # all methods of the class run in transactions
            "Orders.java": """
                @Service
                @Transactional
                class Orders {
                  OrderRepository orderRepository;
                  StockClient stock;
                  void place(Order order) {
                    orderRepository.save(order);
                    stock.subtract(order); // <-
                  }
                  Order get(long id) { return stock.ask(id); }
                }
                class StockClient {
                  RestTemplate rest;
                  void subtract(Order order) { rest.put("/stock", order); }
                  Order ask(long id) { return rest.getForObject("/stock", Order.class); }
                }
            """,
        }),
        Sample("python", {
            "peer.py": """
                import httpx
                class Peer:
                    def __init__(self, url, policy):
                        self._http = httpx.AsyncClient(base_url=url)
                        self._policy = policy
                    async def post(self, path, body):
                        async def send():
                            return await self._http.post(path, json=body)
                        return await self._policy.run(send)
            """,
            "a.py": """
                from peer import Peer
                terminal = Peer(url, policy)
                async def pay(engine):
                    with engine.begin() as conn:
                        conn.execute(x)
                        await terminal.post('/charge', {})  # <-
            """,
        }),
        Sample("python", {
            "a.py": """
                import httpx
                def f(engine, c: httpx.Client):
                    with engine.begin() as conn:
                        c.post('/charge')  # <-
                        conn.execute(x)
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                func F(ctx context.Context, client *firestore.Client) {
                    client.RunTransaction(ctx, func(ctx context.Context, tx *firestore.Transaction) error {
                        http.Get(u) // <-
                        return tx.Set(r, v)
                    })
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                export async function place(prisma, order) {
                  await prisma.$transaction(async (tx) => {
                    await tx.order.create({ data: order });
                    await axios.post('http://stock/reserve', order, { timeout: 1000 }); // <-
                  });
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.transaction.annotation.Transactional;
                class A {
                  private OrderRepository orderRepository;
                  private RestTemplate restTemplate;
                  @Transactional
                  void place(Order order) {
                    orderRepository.save(order);
                    restTemplate.postForObject("http://stock/reserve", order, Void.class); // <-
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
