"""Messages that come twice are noticed."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    """A record of messages seen; or a write on a consumer's way that a repeat does not change."""
    found = hits(facts.of("inbox"), lambda f: f"what was handled is recorded: {f['what']}")
    found += hits(
        [f for f in facts.of("idempotent") if f["heard"]], lambda f: f"a repeat changes nothing: {f['what']}"
    )
    return found


RULE = Rule(
    id="DTC-E02",
    item="data_consistency",
    kind="evidence",
    severity=Severity.NOTE,
    title="Idempotent consumers",
    why="Every broker that loses nothing delivers some messages twice.",
    remedy=(
        "Record each message's id in the transaction of its effects, or write so that a repeat "
        "changes nothing."
    ),
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("java", {
            "Config.java": """
                import io.eventuate.tram.consumer.common.DuplicateMessageDetector; // <-
                class Config {
                  DuplicateMessageDetector detector() { return new Jdbc(); }
                }
            """,
        }),
        Sample("java", {
            "Notes.java": """
                import org.springframework.amqp.rabbit.annotation.RabbitListener;
                class Notes {
                  OrderEventRepository seen;
                  @RabbitListener(queues = "orders")
                  void handle(OrderCreated event) {
                    if (seen.existsByEventId(event.eventId())) { // <-
                      return;
                    }
                    mail(event);
                    seen.save(new OrderEventEntity(event.eventId()));
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                from sqlalchemy import insert
                from t import inbox
                def on(conn, m):
                    conn.execute(insert(inbox), {'id': m.id})  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                async function on(db, m) {
                  await db.query('insert into processed_messages (id) values ($1)', [m.id]); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func On(tx *sql.Tx, m Msg) {
                  tx.Exec("INSERT INTO processed_messages (id) VALUES ($1)", m.ID) } // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { ProcessedMessageRepository processedMessageRepository; void on(M m) {
                  processedMessageRepository.save(new ProcessedMessage(m.id())); // <-
                } }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                # conn.execute(insert(inbox))
                def on(conn, m):
                    orders.add(m)
            """,
        }),
        Sample("typescript", {
            "a.ts": "const inbox = []; inbox.push(m);\n",
        }),
        Sample("go", {
            "a.go": """
                package a
                func On(tx *sql.Tx, m Msg) { tx.Exec("INSERT INTO orders (id) VALUES ($1)", m.ID) }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { OrderRepository orderRepository; void on(M m) { orderRepository.save(o); } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
