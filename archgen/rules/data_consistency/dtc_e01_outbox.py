"""Messages that commit with the change that causes them."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("outbox"), lambda f: f"messages commit with the change: {f['what']}") + hits(
        facts.of("outbox.relay"), lambda f: f"{f['what']} by {f['function']}"
    )


_PY = """from sqlalchemy import insert, select, delete
from tables import pending

def place(conn, order):
    conn.execute(insert(pending), [{"body": order}])  # <-

async def relay(engine, js):
    rows = engine.execute(select(pending)).all()
    for row in rows:
        await js.publish(row.subject, row.body)  # <-
    engine.execute(delete(pending))
"""
RULE = Rule(
    id="DTC-E01",
    item="data_consistency",
    kind="evidence",
    severity=Severity.NOTE,
    title="Transactional outbox",
    why=(
        "A process that dies between its commit and its publish loses the message, unless the "
        "message was committed too."
    ),
    remedy=(
        "Write outgoing messages to a table in the same transaction, and let a relay publish and "
        "remove them."
    ),
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("java", {
            "outbox_connector.json": """
                {
                  "name": "orders",
                  "config": {
                    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",  <-
                    "table.include.list": "public.out_box",
                    "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter"
                  }
                }
            """,
            "Orders.java": """
                class Orders {
                  private OrderRepository orders;
                  private OutBoxRepository outBoxRepository;
                  @Transactional
                  void place(Order order) {
                    orders.save(order);
                    outBoxRepository.save(new OutBox(order)); // <-
                  }
                }
            """,
        }),
        Sample("java", {
            "OrderEventService.java": """
                import org.springframework.amqp.rabbit.core.RabbitTemplate;
                class OrderEventService {
                  OrderEventRepository orderEventRepository; RabbitTemplate rabbit;
                  void save(OrderEventEntity event) {
                    this.orderEventRepository.save(event); // <-
                  }
                  void publishAll() {
                    for (OrderEventEntity event : orderEventRepository.findAll(sort)) {
                      rabbit.convertAndSend("orders", event); // <-
                      orderEventRepository.delete(event);
                    }
                  }
                }
            """,
        }),
        Sample("python", {"a.py": _PY}),
        Sample("typescript", {"a.ts": """export class Store {
  async save(tx, order) {
    await tx.query('insert into outbox (body) values ($1)', [order]); // <-
  }
  async drain(db, channel) {
    const rows = await db.query('select * from outbox order by id');
    for (const row of rows) {
      channel.publish('x', '', row.body); // <-
      await db.query('delete from outbox where id = $1', [row.id]);
    }
  }
}
"""}),
        Sample("go", {"a.go": """package a
func Save(ctx context.Context, tx *sql.Tx, o Order) error {
    _, err := tx.ExecContext(ctx, "INSERT INTO outbox (body) VALUES ($1)", o) // <-
    return err
}
func Relay(ctx context.Context, db *sql.DB, nc *nats.Conn) {
    rows, _ := db.QueryContext(ctx, "SELECT id, body FROM outbox")
    for rows.Next() {
        nc.Publish(subject, body) // <-
        db.ExecContext(ctx, "DELETE FROM outbox WHERE id = $1", id)
    }
}
"""}),
        Sample("java", {"A.java": """import io.eventuate.tram.events.publisher.DomainEventPublisher;
class A {
  DomainEventPublisher domainEventPublisher;
  @Transactional void f(Order o) { domainEventPublisher.publish(Order.class, o.id(), events); } // <-
}
"""}),
    ),
    invalid=(
        Sample("java", {
            "Actions.java": """
                import org.springframework.amqp.rabbit.core.RabbitTemplate;
                class Actions {
                  ActionRepository actionRepository; RabbitTemplate rabbit;
                  void place(Action action) { actionRepository.save(action); }
                  void tell(Action action) {
                    getAction(action.id()); deleteOld(action); rabbit.convertAndSend("x", action);
                  }
                }
            """,
        }),
        # what only sends again commits with no change
        Sample("python", {"a.py": _PY.replace("def place", "def send_again").replace("  # <-", "")}),
        Sample("python", {"a.py": _PY.split("async def relay")[0], "README.md": "We use an outbox.\n"}),
        Sample("typescript", {
            "a.ts": """
                // await tx.query('insert into outbox')
                channel.publish('x', '', b);
            """,
        }),
        Sample("go", {"a.go": "package a\nfunc F(nc *nats.Conn) { nc.Publish(s, b) }\n"}),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.core.KafkaTemplate;
                class A { KafkaTemplate kafkaTemplate; void f() { kafkaTemplate.send(t, m); } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
