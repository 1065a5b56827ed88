"""A message is acknowledged before its handler has finished."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("ack_early"), lambda f: f"{f['function']} acknowledges {f['why']}")


RULE = Rule(
    id="JOB-002",
    item="job_queues",
    kind="defect",
    severity=Severity.ERROR,
    title="Acknowledged before it is done",
    why="A crash in between loses the work: the broker was told that it is done.",
    remedy="Await the handler and commit, then acknowledge.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                import nats
                async def on(msg, handler):
                    await handler(msg)
                    await msg.ack()
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function f(channel, handler: (m: any) => Promise<void>) {
                  channel.consume('q', async (m) => { await handler(m); channel.ack(m); });
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import amqp "github.com/rabbitmq/amqp091-go"
                func F(msgs chan amqp.Delivery) {
                    for msg := range msgs {
                        if err := handle(msg); err != nil {
                            msg.Nack(false, true)
                            continue
                        }
                        msg.Ack(false)
                    }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class A {
                  @KafkaListener(topics = "x")
                  void on(String m, Acknowledgment ack) {
                    handler.handle(m);
                    ack.acknowledge();
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func F(msg *nats.Msg) {
                    if err := apply(msg); err != nil {
                        msg.Nak()
                        return
                    }
                    msg.Ack()
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                import nats
                async def on(msg, handler):
                    await msg.ack()  # <-
                    await handler(msg)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function f(channel, handler: (m: any) => Promise<void>) {
                  channel.consume('q', (m) => {
                    handler(m); // <-
                    channel.ack(m);
                  });
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import amqp "github.com/rabbitmq/amqp091-go"
                func F(msgs chan amqp.Delivery) {
                    for msg := range msgs {
                        msg.Ack(false) // <-
                        handle(msg)
                    }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class A {
                  @KafkaListener(topics = "x")
                  void on(String m, Acknowledgment ack) {
                    ack.acknowledge(); // <-
                    handler.handle(m);
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func F(msg *nats.Msg) {
                    err := apply(msg)
                    if err != nil {
                        if err := msg.Nak(); err != nil {
                            return
                        }
                    }
                    msg.Ack() // <-
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
