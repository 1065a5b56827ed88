"""An amount is read, reckoned with, and written back, or a state is checked and then changed, and of two at
once one is lost.
"""

from collections.abc import Iterable

from archgen.evidence.entries import is_tool
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    lost = [f for f in facts.of("update.lost") if not is_tool(f.file)]
    yield from hits(
        lost,
        lambda f: f"{f['function']} reads {f['what']}, changes it and writes it back, and nothing guards it",
    )
    told = {(f.file, f["function"]) for f in lost}
    for raced in facts.of("state.raced"):
        if (raced.file, raced["function"]) not in told and not is_tool(raced.file):
            yield Hit(
                raced.file, raced.line,
                f"{raced['function']} checks {raced['what']} at line {raced['at']} and goes by it here, and nothing "
                "keeps a second run from doing so in between",
                raced.strength, Severity.WARNING,
            )  # fmt: skip


RULE = Rule(
    id="DTC-006",
    item="data_consistency",
    kind="defect",
    severity=Severity.ERROR,
    title="Lost update",
    why=(
        "Two requests at once read the same amount, and the second writes over what the first has made of it: "
        "more is sold than there is. Or both pass the same check, and an order is paid and cancelled. A "
        "transaction alone does not prevent it at the usual isolation."
    ),
    remedy=(
        "Let the database reckon and check (SET stock = stock - 1 WHERE stock >= 1, SET status = 'paid' WHERE "
        "status = 'open'), lock the row, or check a version."
    ),
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("typescript", {  # how a peer has answered is no state of a row, nor is that of what hangs on it
            "orders.ts": """
                import { prisma } from './prisma';
                export async function followOrder(id: string) {
                  const response = await api.getOrder(id);
                  if (response.status !== 200) throw new Gone();
                  await prisma.order.update({ where: { id }, data: { status: response.body } });
                }
                export async function ship(id: string) {
                  const order = await prisma.order.findUnique({ where: { id } });
                  if (order.parcel.status !== 'packed') throw new NotReady();
                  await prisma.order.update({ where: { id: order.id }, data: { status: 'shipped' } });
                }
            """,
        }),
        Sample("java", {  # the row is locked, or has a version, or was handed in by who may have locked it
            "Orders.java": """
                class Orders {
                  private OrderMapper orderMapper;
                  void pay(String number) {
                    Order order = orderMapper.selectForUpdate(number);
                    if (order.getStatus() != Status.OPEN) throw new OrderClosed(number);
                    order.setStatus(Status.PAID);
                    orderMapper.updateById(order);
                  }
                  void cancel(Order order) {
                    if (order.getStatus() != Status.OPEN) throw new OrderClosed(order);
                    order.setStatus(Status.CANCELLED);
                    orderMapper.updateById(order);
                  }
                  void ship(String number) {
                    Shipment shipment = orderMapper.selectShipment(number);
                    if (shipment.getStatus() != Status.READY) throw new NotReady(number);
                    shipment.setStatus(Status.SHIPPED);
                    orderMapper.updateById(shipment);
                  }
                }
                class Shipment {
                  @Version long version;
                }
            """,
        }),
        Sample("typescript", {  # the statement asks once more; and another's state is not the row's
            "invites.ts": """
                import { prisma } from './prisma';
                export async function accept(id: string) {
                  const invite = await prisma.invite.findUnique({ where: { id } });
                  if (invite.status !== 'PENDING') throw new Gone();
                  const { count } = await prisma.invite.updateMany({
                    where: { id: invite.id, status: 'PENDING' }, data: { status: 'ACCEPTED' },
                  });
                  if (count === 0) throw new Gone();
                }
                export async function payOrder(id: string, order: string) {
                  const session = await stripe.checkout.sessions.retrieve(id);
                  if (session.status !== 'complete') return;
                  await prisma.order.update({ where: { id: order }, data: { status: 'PAID' } });
                }
            """,
        }),
        Sample("python", {  # a switch that is turned twice is turned; and a sum that the statement checks
            "a.py": """
                from sqlalchemy import select, update
                def activate(session, id):
                    user = session.query(User).get(id)
                    if user.state == "active":
                        return user
                    user.state = "active"
                    session.commit()
                    show(user.orders)
                def unlock(session, hint, user_id):
                    user = session.query(User).get(user_id)
                    if hint.cost > user.points:
                        raise NotEnough
                    session.execute(update(User).where(User.id == user.id, User.points >= hint.cost).values(points=User.points - hint.cost))
                    session.commit()
            """,
        }),
        Sample("typescript", {  # a cache, which is made again when its time is over
            "stats.ts": """
                import Redis from 'ioredis';
                const client = new Redis();
                async function stats(key: string) {
                  const cached = await client.get(key);
                  if (cached) return JSON.parse(cached);
                  let total = 0;
                  total += 1;
                  await client.set(key, JSON.stringify({ total }), 'EX', 60);
                }
            """,
        }),
        Sample("java", {
            "Payments.java": """
                class Payments {
                  private AccountRepository accounts;
                  public void take(OrderEvent order) {
                    accounts.findByIdForUpdate(order.user()).ifPresent(account -> {
                      account.setBalance(account.getBalance() - order.amount());
                      accounts.save(account);
                    });
                  }
                }
            """,
            "Held.java": """
                class Held {
                  private WalletRepository wallets;
                  @Transactional
                  public void take(OrderEvent order) {
                    wallets.findById(order.user()).ifPresent(wallet -> wallet.setBalance(wallet.getBalance() - order.amount()));
                  }
                }
                class Wallet {
                  @Version long version;
                }
            """,
        }),
        Sample("python", {
            "cache.py": """
                import redis
                def wrapper(client, cache_key, chunk):
                    kept = json.loads(client.get(cache_key))
                    kept.append(chunk)
                    client.set(cache_key, json.dumps(kept))
            """,
        }),
        Sample("go", {  # put back only where nobody has changed it meanwhile
            "a.go": """
                package a
                import dapr "github.com/dapr/go-sdk/client"
                func (s *Orders) Add(ctx context.Context, userID string, id string) error {
                    item, err := s.client.GetState(ctx, s.storeName, userID, nil)
                    if err != nil { return err }
                    json.Unmarshal(item.Value, &ids)
                    ids = append(ids, id)
                    return s.client.SaveStateWithETag(ctx, s.storeName, userID, encode(ids), item.Etag, nil)
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                def reserve(session, id, n):
                    product = session.query(Product).with_for_update().get(id)
                    product.stock -= n
                    session.commit()
                def count(session, items):
                    total = session.query(Total).first()
                    total.quantity += len(items)
                    return total
            """,
            "b.py": """
                from sqlalchemy.orm import Mapped
                class Account(Base):
                    balance: Mapped[int]
                    version: Mapped[int]
                    __mapper_args__ = {"version_id_col": version}
                def deposit(session, id, n):
                    account: Account = session.get(Account, id)
                    account.balance += n
                    session.commit()
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class Products {
                  constructor(private productRepository: Repository<Product>) {}
                  async reserve(id, n) {
                    await this.productRepository.decrement({ id }, 'stock', n);
                    const product = await this.productRepository.findOne(id);
                    return product.stock - n;
                  }
                  async hold(manager, id, n) {
                    const product = await manager.findOne(Product, id, { lock: { mode: 'pessimistic_write' } });
                    product.stock -= n;
                    await this.productRepository.save(product);
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (s *Stock) Reserve(ctx context.Context, id string, n int) error {
                    s.mu.Lock()
                    defer s.mu.Unlock()
                    product, err := s.repo.FindByID(ctx, id)
                    if err != nil { return err }
                    product.Quantity -= n
                    return s.repo.Save(ctx, product)
                }
            """,
        }),
        Sample("java", {
            "Product.java": """
                @Entity
                class Product { @Version Long version; int stock; }
            """,
            "A.java": """
                class A {
                  ProductRepository productRepository;
                  @Transactional
                  void reserve(Long id, int n) {
                    Product product = productRepository.findById(id).orElseThrow();
                    product.setStock(product.getStock() - n);
                    productRepository.save(product);
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("go", {  # a function of the project has fetched it, or one that calls
            "payment.go": """
                package object
                import "xorm.io/xorm"
                func known(name string) (*Payment, error) {
                    payment := Payment{Name: name}
                    _, err := engine.Get(&payment)
                    return &payment, err
                }
                func Notify(name string) error {
                    payment, err := known(name)
                    if err != nil {
                        return err
                    }
                    if isDone(payment.State) {
                        return nil
                    }
                    payment.State = "Paid" // <-
                    _, err = engine.Update(payment)
                    return err
                }
            """,
            "order.go": """
                package object
                import "xorm.io/xorm"
                func Cancel(name string) error {
                    order, err := GetOrder(name)
                    if err != nil {
                        return err
                    }
                    return cancel(order)
                }
                func cancel(order *Order) error {
                    if order.State != "Created" {
                        return errors.New("too late")
                    }
                    order.State = "Canceled" // <-
                    _, err := engine.Update(order)
                    return err
                }
            """,
        }),
        Sample("typescript", {  # counted, and then taken
            "seats.ts": """
                import { prisma } from './prisma';
                export async function join(space: string, user: string) {
                  const usedSeats = await prisma.member.count({ where: { space } });
                  if (usedSeats >= SEATS) {
                    throw new Full();
                  }
                  await prisma.member.create({ data: { space, user } }); // <-
                }
            """,
        }),
        Sample("java", {  # paid while it is cancelled
            "Orders.java": """
                class Orders {
                  private OrderMapper orderMapper;
                  String pay(String number) {
                    Order order = orderMapper.selectByNumber(number);
                    if (order != null) {
                      if (order.getStatus() != Status.OPEN) {
                        throw new OrderClosed(number);
                      }
                      order.setStatus(Status.PAID); // <-
                      orderMapper.updateById(order);
                    }
                  }
                }
            """,
        }),
        Sample("python", {  # spent twice
            "unlock.py": """
                from sqlalchemy import select
                def unlock(session, hint, user_id):
                    user = session.query(User).get(user_id)
                    if hint.cost > user.account.get_score(whole=True):
                        return {"errors": ["not enough points"]}, 400
                    session.add(Award(user=user.id, value=-hint.cost))  # <-
                    session.commit()
            """,
        }),
        Sample("typescript", {
            "invites.ts": """
                import { prisma } from './prisma';
                export async function accept(id: string, user: User) {
                  const invite = await prisma.invite.findUnique({ where: { id } });
                  if (invite.status !== 'PENDING') {
                    throw new Gone();
                  }
                  await join(invite.team, user);
                  await prisma.invite.update({ where: { id: invite.id }, data: { status: 'ACCEPTED' } }); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (s *Vouchers) Redeem(ctx context.Context, code string) error {
                    voucher, err := s.repo.FindByCode(ctx, code)
                    if err != nil { return err }
                    if voucher.Redeemed {
                        return ErrRedeemed
                    }
                    voucher.Redeemed = true // <-
                    return s.repo.Update(ctx, voucher)
                }
            """,
        }),
        Sample("typescript", {
            "stock.ts": """
                class Stock {
                  constructor(private connection: Connection) {}
                  async change(id: ID, change: number) {
                    const level = await this.connection.getRepository(StockLevel).findOne({ where: { id } });
                    await this.connection
                      .getRepository(StockLevel)
                      .update(level.id, { stockOnHand: level.stockOnHand + change }); // <-
                  }
                }
            """,
        }),
        Sample("python", {
            "stock.py": """
                from django.db import models
                def sell(id, n):
                    product = Product.objects.get(pk=id)
                    Product.objects.filter(pk=id).update(stock=product.stock - n)  # <-
            """,
        }),
        Sample("java", {
            "src/main/resources/application.properties": "spring.cloud.function.definition=pay;refund\n",
            "src/main/java/shop/Hearing.java": """
                class Hearing {
                  private Payments payments;
                  @Bean
                  Function<Flux<OrderEvent>, Flux<PaymentEvent>> pay() { return orders -> orders.flatMap(this::one); }
                  private Mono<PaymentEvent> one(OrderEvent order) { return Mono.fromSupplier(() -> payments.take(order)); }
                }
            """,
            "src/main/java/shop/Payments.java": """
                class Payments {
                  private AccountRepository accounts;
                  private SeenRepository seen;
                  @Transactional
                  public PaymentEvent take(OrderEvent order) {
                    return accounts.findById(order.user()).map(account -> {
                      account.setBalance(account.getBalance() - order.amount()); // <-
                      return new PaymentEvent(order);
                    }).orElseThrow();
                  }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                @Transactional
                class A {
                  CustomerRepository customerRepository;
                  boolean reserve(Order order) {
                    var customer = findById(order.customerId());
                    customer.setBalance( // <-
                        customer
                            .getBalance()
                            .subtract(order.price()));
                    customerRepository.saveCustomer(customer);
                    return true;
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import dapr "github.com/dapr/go-sdk/client"
                func (s *Orders) Add(ctx context.Context, userID string, id string) error {
                    item, err := s.client.GetState(ctx, s.storeName, userID, nil)
                    if err != nil { return err }
                    json.Unmarshal(item.Value, &ids)
                    ids = append(ids, id)
                    return s.client.SaveState(ctx, s.storeName, userID, encode(ids), nil) // <-
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                def reserve(self, tenant, deltas):
                    usages = self.get_usages(tenant)
                    for resource, delta in deltas.items():
                        usage = usages[resource]
                        usage.reserved += delta  # <-
                        usage.save()
            """,
        }),
        Sample("python", {
            "a.py": """
                def reserve(session, id, n):
                    product = session.query(Product).get(id)
                    if product.stock < n:
                        raise SoldOut
                    product.stock -= n  # <-
                    session.commit()
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class Products {
                  constructor(private productRepository: Repository<Product>) {}
                  async reserve(id, n) {
                    const product = await this.productRepository.findOne(id);
                    product.stock = product.stock - n; // <-
                    await this.productRepository.save(product);
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func (s *Stock) Reserve(ctx context.Context, id string, n int) error {
                    product, err := s.repo.FindByID(ctx, id)
                    if err != nil { return err }
                    product.Quantity -= n // <-
                    return s.repo.Save(ctx, product)
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  AccountRepository accountRepository;
                  @Transactional
                  void pay(Long id, BigDecimal n) {
                    Account account = accountRepository.findById(id).orElseThrow();
                    account.setBalance(account.getBalance().subtract(n)); // <-
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
