"""Two changes that belong together are kept one by one."""

from collections.abc import Iterable

from archgen.evidence.entries import is_tool
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        [f for f in facts.of("writes.torn") if not is_tool(f.file)],
        lambda f: (
            f"{f['function']} changes {f['second']} apart from {f['first']} (line {f['at']}), "
            + ("past the transaction around both" if f.get("past") else "outside of any transaction")
        ),
    )


RULE = Rule(
    id="DTC-007",
    item="data_consistency",
    kind="defect",
    severity=Severity.WARNING,
    title="Writes torn apart",
    why=(
        "Each statement is kept as soon as it is made. What fails or dies between the two leaves an order "
        "without its lines, or deletes what it was about to write anew, and nobody will notice."
    ),
    remedy="Make both by one transaction: by what it hands out, where it hands out something.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # what is there before anything else is
            "object/init_data.go": """
                package object
                import "github.com/xorm-io/core"
                func defineOrganization(organization *Organization) {
                    _, err := ormer.Engine.ID(core.PK{organization.Name}).Delete(organization)
                    check(err)
                    _, err = ormer.Engine.Insert(organization)
                    check(err)
                }
            """,
        }),
        Sample("typescript", {  # made by the transaction, by what comes from it, or by what is written in it
            "users.ts": """
                import { createRoleQueries } from './roles';
                export const createUsers = (pool) => {
                  const insertUser = async (data) => {
                    return pool.transaction(async (connection) => {
                      const { insertUser: add } = createUserQueries(connection);
                      const user = await add(data);
                      const { insertRoles } = createRoleQueries(connection);
                      const insertLater = async (id) => insertRoles(id);
                      await insertRoles(user.id);
                      await insertLater(user.id);
                      return user;
                    });
                  };
                  return { insertUser };
                };
            """,
            "roles.ts": """
                export const createRoleQueries = (pool) => {
                  const insertRoles = async (id) => pool.query('INSERT INTO roles (id) VALUES ($1)', [id]);
                  return { insertRoles };
                };
            """,
        }),
        Sample("typescript", {  # what an object will change later
            "queries.ts": """
                import { inserting, deleting } from './build';
                export class Queries {
                  constructor(pool) {
                    this.insert = inserting(pool);
                    this.remove = deleting(pool);
                  }
                }
            """,
            "build.ts": """
                export const inserting = (pool) => async (id) => pool.query('INSERT INTO orders (id) VALUES ($1)', [id]);
                export const deleting = (pool) => async (id) => pool.query('DELETE FROM lines WHERE id = $1', [id]);
            """,
        }),
        Sample("java", {  # a transaction runs it, and hands it what reaches further in
            "Payments.java": """
                import org.springframework.data.jpa.repository.JpaRepository;
                interface PaymentRepository extends JpaRepository<Payment, Long> {}
                interface AttemptRepository extends JpaRepository<Attempt, Long> {}
                class Payments {
                  private final PaymentRepository paymentRepository;
                  private final AttemptRepository attemptRepository;
                  void keep(Payment payment) {
                    dao.execute(new Work<Void>() {
                      public Void inTransaction(Handle handle) {
                        paymentRepository.save(payment);
                        attemptRepository.save(payment.attempt());
                        return null;
                      }
                    });
                  }
                }
                class Refunds {
                  private final PaymentRepository paymentRepository;
                  private final AttemptRepository attemptRepository;
                  void refund(Payment payment, Handle handle) {
                    paymentRepository.save(payment);
                    attemptRepository.save(payment.attempt());
                  }
                }
            """,
        }),
        Sample("typescript", {  # two handlers of one router, one thing twice, and what is done when the first fails
            "routes.ts": """
                import { db } from './db';
                export async function routes(app) {
                  app.put('/orders', async (request) => {
                    await db.query('INSERT INTO orders (id) VALUES ($1)', [request.id]);
                  });
                  app.put('/lines', async (request) => {
                    await db.query('INSERT INTO lines (id) VALUES ($1)', [request.id]);
                  });
                }
                export async function send(order) {
                  await db.query('INSERT INTO orders (id) VALUES ($1)', [order.id]).catch(async () => {
                    await db.query('INSERT INTO failures (id) VALUES ($1)', [order.id]);
                  });
                }
                async function keep(order) {
                  await db.query('BEGIN');
                  await db.query('INSERT INTO orders (id) VALUES ($1)', [order.id]);
                  await db.query('INSERT INTO lines (id) VALUES ($1)', [order.line]);
                  await db.query('COMMIT');
                }
                export async function twice(order) {
                  await keep(order);
                  await keep(order.next);
                }
            """,
        }),
        Sample("java", {  # what is left of it the next run expunges
            "Old.java": """
                class Old {
                  private OrderRepository orderRepository;
                  private InviteRepository inviteRepository;
                  void expungeOld(Instant before) {
                    inviteRepository.deleteByDateBefore(before);
                    orderRepository.deleteByDateBefore(before);
                  }
                }
            """,
        }),
        Sample("typescript", {
            "polls.ts": """
                import { prisma } from './prisma';
                export const router = {
                  reopen: procedure.mutation(async ({ id }) => {
                    await prisma.$transaction(async (tx) => {
                      await tx.poll.update({ where: { id }, data: { status: 'open' } });
                      await tx.event.delete({ where: { poll: id } });
                    });
                    await prisma.$transaction([
                      prisma.poll.update({ where: { id }, data: { status: 'open' } }),
                      prisma.event.delete({ where: { poll: id } }),
                    ]);
                  }),
                };
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "gorm.io/gorm"
                func (s *Store) Open(campaign *Campaign, result Result) error {
                    tx := db.Begin()
                    if err := tx.Save(campaign).Error; err != nil {
                        tx.Rollback()
                        return err
                    }
                    if err := tx.Save(result).Error; err != nil {
                        tx.Rollback()
                        return err
                    }
                    return tx.Commit().Error
                }
            """,
        }),
        Sample("typescript", {
            "users.js": """
                import { database } from './database.js';
                export function remove(id, heir) {
                  const users = database();
                  users.mutate('BEGIN TRANSACTION');
                  users.mutate('UPDATE orders SET owner = ? WHERE owner = ?', [heir, id]);
                  users.mutate('DELETE FROM users WHERE id = ?', [id]);
                  users.mutate('COMMIT');
                }
                export function tell(users, page) {
                  page.show('UPDATE your profile');
                  users.mutate('DELETE FROM users WHERE id = ?', [page.id]);
                }
                export function hint(users, page) {
                  users.mutate('UPDATE orders SET seen = 1 WHERE id = ?', [page.id]);
                  page.show('DELETE FROM the list what you do not need');
                }
            """,
        }),
        Sample("go", {  # done again at every start
            "start.go": """
                package start
                func prepare(users UserRepository, settings SettingRepository) error {
                    if err := ensureUser(users); err != nil {
                        return err
                    }
                    return ensureSettings(settings)
                }
                func ensureUser(users UserRepository) error { return users.Create(admin) }
                func ensureSettings(settings SettingRepository) error { return settings.Create(usual) }
            """,
        }),
        Sample("go", {  # a context that takes the transaction along
            "repo.go": """
                package repo
                func (r *Repo) Replace(ctx context.Context, row Row) error {
                    if _, err := r.of(ctx).ExecContext(ctx, "DELETE FROM entities WHERE kind = ?", r.kind); err != nil {
                        return err
                    }
                    _, err := r.of(ctx).ExecContext(ctx, "INSERT INTO entities (id) VALUES (?)", row.ID)
                    return err
                }
                func (s *Service) Replace(ctx context.Context, row Row) error {
                    tx, err := s.db.BeginTx(ctx, nil)
                    if err != nil {
                        return err
                    }
                    defer tx.Rollback()
                    if err := s.repo.Replace(context.WithValue(ctx, txKey, tx), row); err != nil {
                        return err
                    }
                    return tx.Commit()
                }
            """,
        }),
        Sample("typescript", {  # in its caller's transaction: it is handed the connection
            "orders.ts": """
                import type { PoolClient } from 'pg';
                export async function placed(client: PoolClient, order: Order) {
                  await client.query('INSERT INTO orders (id) VALUES ($1)', [order.id]);
                  await client.query('INSERT INTO lines (id) VALUES ($1)', [order.id]);
                }
            """,
        }),
        Sample("typescript", {
            "orders.ts": """
                import { insert } from './query-builder';
                export async function placed(order, connection) {
                  await insert('orders').given(order).execute(connection);
                  await insert('lines').given(order.line).execute(connection);
                }
            """,
        }),
        Sample("typescript", {  # what a job does, whoever defines it does not do
            "jobs.ts": """
                import { prisma } from './prisma';
                export function addExpire(agenda: Agenda) {
                  agenda.define('expire', async () => {
                    await prisma.order.deleteMany({ where: { old: true } });
                  });
                }
                export function addClose(agenda: Agenda) {
                  agenda.define('close', async () => {
                    await prisma.basket.deleteMany({ where: { old: true } });
                  });
                }
                export function jobs(agenda: Agenda) {
                  addExpire(agenda);
                  addClose(agenda);
                }
            """,
        }),
        Sample("typescript", {  # a counter by which copies are told to be old
            "tags.ts": """
                import { prisma } from './prisma';
                const bump = async (org: string) => prisma.definitionsVersion.update({ where: { org }, data: { n: { increment: 1 } } });
                export async function rename(org: string, tag: string) {
                  await prisma.tag.update({ where: { org }, data: { tag } });
                  await bump(org);
                }
            """,
        }),
        Sample("typescript", {  # by a decorator
            "orders.ts": """
                export class Orders {
                  constructor(private prisma: PrismaService) {}
                  @Transaction()
                  async place(order: Order) {
                    await this.prisma.order.create({ data: order });
                    await this.prisma.line.createMany({ data: order.lines });
                  }
                }
            """,
        }),
        Sample("java", {
            "Products.java": """
                @Service
                class Products {
                  private ProductRepository products;
                  private OptionRepository options;
                  @Transactional
                  public void create(ProductVm vm) {
                    Product product = products.save(vm.product());
                    options.saveAll(vm.options(product));
                  }
                }
            """,
            "Shops.java": """
                class Shops {
                  private ShopRepository shops;
                  public void rename(Shop store, String name) {
                    store.setName(name);
                    shops.save(store);
                  }
                }
            """,
            "Inner.java": """
                class Inner {
                  private ProductRepository products;
                  private OptionRepository options;
                  void create(ProductVm vm) {
                    products.save(vm.product());
                    options.saveAll(vm.options());
                  }
                }
                class Outer {
                  private Inner inner;
                  @Transactional
                  public void create(ProductVm vm) {
                    inner.create(vm);
                  }
                }
            """,
        }),
        Sample("python", {
            "views.py": """
                from django.db import transaction
                from .models import Plan, Meal
                @transaction.atomic
                def copy(request, pk):
                    plan = Plan.objects.create(owner=request.user)
                    for meal in request.data:
                        Meal.objects.create(plan=plan, meal=meal)
                def either(request, pk):
                    if request.paid:
                        Plan.objects.filter(pk=pk).delete()
                    else:
                        Meal.objects.create(plan=pk)
                def several(request):
                    with transaction.atomic():
                        plan = Plan.objects.create(owner=request.user)
                        Meal.objects.create(plan=plan)
                def refresh(request):
                    Plan.objects.update_or_create(owner=request.user)
                    Meal.objects.create(plan=request.plan)
            """,
        }),
        Sample("python", {
            "settings.py": """
                DATABASES = {"default": {"ATOMIC_REQUESTS": True}}
            """,
            "views.py": """
                from .models import Plan, Meal
                def copy(request, pk):
                    plan = Plan.objects.create(owner=request.user)
                    Meal.objects.create(plan=plan)
            """,
        }),
        Sample("typescript", {
            "orders.ts": """
                export class Orders {
                  constructor(private prisma: PrismaService) {}
                  async place(order: Order) {
                    await this.prisma.$transaction(async (tx) => {
                      await tx.order.create({ data: order });
                      await tx.line.createMany({ data: order.lines });
                    });
                  }
                  async within(ctx: RequestContext, order: Order) {
                    await this.connection.getRepository(ctx, Order).save(order);
                    await this.connection.getRepository(ctx, Line).save(order.lines);
                  }
                }
            """,
        }),
        Sample("go", {
            "orders.go": """
                package orders
                import "gorm.io/gorm"
                func place(db *gorm.DB, order Order) error {
                    return db.Transaction(func(tx *gorm.DB) error {
                        if err := tx.Create(&order).Error; err != nil {
                            return err
                        }
                        return tx.Create(&lines).Error
                    })
                }
            """,
        }),
    ),
    invalid=(
        Sample("go", {  # an engine that the whole package shares
            "payment.go": """
                package object
                import "github.com/xorm-io/core"
                func notify(payment *Payment, order *Order) error {
                    payment.State = "Paid"
                    if _, err := ormer.Engine.ID(core.PK{payment.Name}).AllCols().Update(payment); err != nil {
                        return err
                    }
                    _, err := ormer.Engine.ID(core.PK{order.Name}).Update(order) // <-
                    return err
                }
            """,
        }),
        Sample("typescript", {  # asked of the client, while the transaction does the rest
            "users.ts": """
                import { createRoleQueries } from './roles';
                export const createUsers = (queries) => {
                  const { pool, users: { insertUser: insertUserQuery } } = queries;
                  const insertUser = async (data) => {
                    return pool.transaction(async (connection) => {
                      const user = await insertUserQuery(data); // <-
                      const { insertRoles } = createRoleQueries(connection);
                      await insertRoles(user.id);
                      return user;
                    });
                  };
                  return { insertUser };
                };
            """,
            "roles.ts": """
                export const createRoleQueries = (pool) => {
                  const insertRoles = async (id) => pool.query('INSERT INTO roles (id) VALUES ($1)', [id]);
                  return { insertRoles };
                };
            """,
        }),
        Sample("typescript", {  # what another file made, taken out of an object by its name
            "routes.ts": """
                export function routes(router, { queries }) {
                  const { roles: { deleteRoleOfUser, insertRoleOfUser: give } } = queries;
                  router.put('/users/:id/role', async (request) => {
                    await deleteRoleOfUser(request.id);
                    await give(request.id, request.role); // <-
                  });
                }
            """,
            "roles.ts": """
                export const createRoleQueries = (pool) => {
                  const deleteRoleOfUser = async (id) => pool.query('DELETE FROM roles WHERE id = $1', [id]);
                  const insertRoleOfUser = async (id, role) => pool.query('INSERT INTO roles (id) VALUES ($1)', [id, role]);
                  return { deleteRoleOfUser, insertRoleOfUser };
                };
            """,
        }),
        Sample("go", {  # each of the two is whole, and both together are not
            "a.go": """
                package a
                import "database/sql"
                func (a *Accounts) open(account Account, deposit Transfer) error {
                    if err := a.accounts.create(account); err != nil {
                        return err
                    }
                    return a.transfers.post(deposit) // <-
                }
                func (r *accounts) create(account Account) error {
                    _, err := r.db.Exec("INSERT INTO accounts (id) VALUES (?)", account.ID)
                    return err
                }
                func (r *transfers) post(transfer Transfer) error {
                    tx, err := r.db.Begin()
                    if err != nil {
                        return err
                    }
                    if _, err := tx.Exec("INSERT INTO transfers (id) VALUES (?)", transfer.ID); err != nil {
                        tx.Rollback()
                        return err
                    }
                    return tx.Commit()
                }
            """,
        }),
        Sample("go", {  # bun's builders
            "a.go": """
                package a
                import "github.com/uptrace/bun"
                func (s *Service) Settle(ctx context.Context, entry Entry, invoice Invoice) error {
                    _, err := s.DB.NewInsert().Model(&entry).Exec(ctx)
                    if err != nil {
                        return err
                    }
                    _, err = s.DB.NewUpdate().Model(&invoice).WherePK().Exec(ctx) // <-
                    return err
                }
            """,
        }),
        Sample("typescript", {  # the transaction is opened, and nobody uses it
            "polls.ts": """
                import { prisma } from './prisma';
                export const router = {
                  reopen: procedure.mutation(async ({ id }) => {
                    await prisma.$transaction(async () => {
                      await prisma.poll.update({ where: { id }, data: { status: 'open' } });
                      await prisma.event.delete({ where: { poll: id } }); // <-
                    });
                  }),
                };
            """,
        }),
        Sample("go", {  # the first is kept, whatever becomes of the transaction for the rest
            "a.go": """
                package a
                import "gorm.io/gorm"
                func Post(db *gorm.DB, campaign *Campaign, results []Result) error {
                    return nil
                }
                func (s *Store) Open(campaign *Campaign, result Result) error {
                    err := db.Save(campaign).Error
                    if err != nil {
                        return err
                    }
                    tx := db.Begin()
                    err = tx.Save(result).Error // <-
                    if err != nil {
                        tx.Rollback()
                        return err
                    }
                    return tx.Commit().Error
                }
            """,
        }),
        Sample("typescript", {  # a statement is one whatever it is handed to
            "users.js": """
                import { database } from './database.js';
                export function remove(id, heir) {
                  const users = database();
                  users.mutate('UPDATE orders SET owner = ? WHERE owner = ?', [heir, id]);
                  users.mutate('DELETE FROM users WHERE id = ?', [id]); // <-
                }
            """,
        }),
        Sample("go", {  # two repositories of one name, and a return that leaves for another reason
            "customers.go": """
                package customers
                func create(repo CustomerRepository, secrets *secretStorage) http.HandlerFunc {
                    return func(w http.ResponseWriter, r *http.Request) {
                        customer, secret := read(r)
                        if secret != nil {
                            err := secrets.repo.saveSecret(secret)
                            if err != nil {
                                problem(w, err)
                                return
                            }
                        }
                        if err := repo.CreateCustomer(customer); err != nil { // <-
                            problem(w, err)
                            return
                        }
                    }
                }
            """,
        }),
        Sample("typescript", {  # documents of two tables
            "checkout.js": """
                const AWS = require('aws-sdk');
                const dynamoDb = new AWS.DynamoDB.DocumentClient();
                exports.handler = async (event) => {
                  const params = { TableName: process.env.ORDERS_TABLE, Item: event.order };
                  await dynamoDb.put(params).promise();
                  await dynamoDb.delete({ TableName: process.env.CART_TABLE, Key: event.key }).promise();  // <-
                };
            """,
        }),
        Sample("python", {  # rows that save themselves
            "models.py": """
                from django.db import models
                class Base(models.Model):
                    pass
                class Order(Base):
                    pass
                class Line(Base):
                    pass
            """,
            "views.py": """
                from models import Line, Order
                def place(request):
                    order = Order(number=request.number)
                    order.save()
                    Line(order=order, item=request.item).save()  # <-
            """,
        }),
        Sample("go", {  # a context takes no transaction along where nobody puts one into it
            "repo.go": """
                package repo
                func (r *Repo) Replace(ctx context.Context, rows []Row) error {
                    if _, err := r.db.ExecContext(ctx, "DELETE FROM entities WHERE kind = ?", r.kind); err != nil {
                        return err
                    }
                    for _, row := range rows {
                        if _, err := r.db.ExecContext(ctx, "INSERT INTO entities (id) VALUES (?)", row.ID); err != nil { // <-
                            return err
                        }
                    }
                    return nil
                }
            """,
        }),
        Sample("typescript", {  # one is taken away in a function, and another added in a function
            "cart.ts": """
                import { pool } from './pool';
                async function drop(id: string) {
                  await pool.query('DELETE FROM cart_lines WHERE id = $1', [id]);
                }
                async function put(id: string) {
                  await pool.query('INSERT INTO cart_lines (id) VALUES ($1)', [id]);
                }
                export async function replace(id: string) {
                  await drop(id);
                  await put(id);  // <-
                }
            """,
        }),
        Sample("typescript", {  # query builders
            "orders.ts": """
                import { db } from './db';
                export async function placed(order: Order) {
                  await db.insertInto('orders').values(order).execute();
                  await db.insertInto('lines').values(order.lines).execute();  // <-
                }
            """,
        }),
        Sample("typescript", {
            "orders.ts": """
                import { insert } from './query-builder';
                import { pool } from './pool';
                export async function placed(order) {
                  await insert('orders').given(order).execute(pool);
                  await insert('lines').given(order.line).execute(pool);  // <-
                }
            """,
        }),
        Sample("typescript", {  # imported from the folder that the settings of TypeScript begin at
            "tsconfig.json": '{"compilerOptions": {"baseUrl": "."}}',
            "models/team.ts": """
                import { prisma } from 'lib/prisma';
                export const createTeam = async (name: string) => prisma.team.create({ data: { name } });
            """,
            "models/user.ts": """
                import { prisma } from 'lib/prisma';
                export const createUser = async (name: string) => prisma.user.create({ data: { name } });
            """,
            "pages/api/join.ts": """
                import { createTeam } from 'models/team';
                import { createUser } from 'models/user';
                export async function join(req: Request) {
                  const user = await createUser(req.body.name);
                  await createTeam(req.body.team);  // <-
                  return user;
                }
            """,
            "scripts/models/user.ts": """
                export const createUser = async (name: string) => console.log(name);
            """,
        }),
        Sample("java", {
            "Products.java": """
                @Service
                class Products {
                  private ProductRepository products;
                  private OptionRepository options;
                  public void create(ProductVm vm) {
                    Product product = products.save(vm.product());
                    options.saveAll(vm.options(product));  // <-
                  }
                  public void change(ProductVm vm) {
                    options.deleteAllByProduct(vm.id());
                    for (OptionVm option : vm.options()) {
                      options.save(option.toModel());  // <-
                    }
                  }
                }
            """,
        }),
        Sample("python", {
            "views.py": """
                from .models import Plan, Meal
                def copy(request, pk):
                    plan = Plan.objects.create(owner=request.user)
                    for meal in request.data:
                        Meal.objects.create(plan=plan, meal=meal)  # <-
                def replace(request, plan):
                    Meal.objects.filter(plan=plan).delete()
                    for meal in request.data:
                        m = Meal(plan=plan)
                        m.name = meal
                        m.save()  # <-
            """,
        }),
        Sample("typescript", {
            "orders.ts": """
                export class Orders {
                  constructor(private prisma: PrismaService) {}
                  async place(order: Order) {
                    await this.prisma.order.create({ data: order });
                    await this.prisma.line.createMany({ data: order.lines });  // <-
                  }
                }
            """,
        }),
        Sample("go", {
            "orders.go": """
                package orders
                import "gorm.io/gorm"
                type Orders struct { db *gorm.DB }
                func (o *Orders) Place(order *Order, bill *Bill) error {
                    if err := o.db.Create(order).Error; err != nil {
                        return err
                    }
                    return o.db.Create(bill).Error  // <-
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
