"""What cannot be handled is put aside with its reason."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("dead_letters"),
        lambda f: f"what cannot be handled is put aside: {f.get('what') or f.get('by')}",
    )


RULE = Rule(
    id="JOB-E03",
    item="job_queues",
    kind="evidence",
    severity=Severity.NOTE,
    title="Dead letters",
    why="One message that can never be handled must not hold up the rest, and must not vanish either.",
    remedy=(
        "After the last attempt, move the message with its reason to where a person can look at it "
        "and send it again."
    ),
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                import pika
                def f(ch):
                    ch.queue_declare('q', arguments={'x-dead-letter-exchange': 'dlx'})  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import amqp from 'amqplib';
                async function f(ch) {
                  await ch.assertQueue('q', { durable: true, deadLetterExchange: 'dlx' }); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import amqp "github.com/rabbitmq/amqp091-go"
                func F(ch *amqp.Channel) {
                    ch.QueueDeclare("q", true, false, false, false, amqp.Table{"x-dead-letter-exchange": "dlx"}) // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  DefaultErrorHandler errors(KafkaTemplate t) {
                    return new DefaultErrorHandler(new DeadLetterPublishingRecoverer(t)); // <-
                  }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                import org.springframework.kafka.annotation.RetryableTopic;
                class A {
                  @RetryableTopic(attempts = "4")
                  @KafkaListener(topics="x") void on(String m) { handle(m); } // <-
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                # arguments={'x-dead-letter-exchange': 'dlx'}
                dead_letter_office = 'Belfast'
            """,
        }),
        Sample("typescript", {
            "a.ts": "logger.info('no dead letter queue yet');\n",
        }),
        Sample("go", {
            "a.go": """
                package a
                // x-dead-letter-exchange
                func F() { log.Println("no dead letter queue yet") }
            """,
        }),
        Sample("java", {
            "A.java": """
                // new DeadLetterPublishingRecoverer(t)
                class A { void f() { log.info("dead letter queue is planned"); } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
