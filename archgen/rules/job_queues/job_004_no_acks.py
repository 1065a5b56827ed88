"""Messages count as handled the moment they are delivered."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("queue.unacked"),
        lambda f: f"{f['function']} consumes without acknowledgements ({f['call']})",
    )


RULE = Rule(
    id="JOB-004",
    item="job_queues",
    kind="defect",
    severity=Severity.ERROR,
    title="Acknowledgements disabled",
    why="Whatever the consumer held in its hands when it died is lost.",
    remedy="Turn automatic acknowledgement off, and acknowledge after the work.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                import pika
                def f(ch):
                    ch.basic_consume('q', on, auto_ack=False)
            """,
        }),
        Sample("typescript", {
            "a.ts": "async function f(ch) { ch.consume('q', on, { noAck: false }); }\n",
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(ch *amqp.Channel) { ch.Consume("q", "", false, false, false, false, nil) }
            """,
        }),
        Sample("java", {
            "A.java": """
                import com.rabbitmq.client.Channel;
                class A {
                  void f(Channel channel) {
                    channel.basicConsume("q", false, on);
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                import pika
                def f(ch):
                    ch.basic_consume('q', on, auto_ack=True)  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                async function f(ch) {
                  ch.consume('q', on, { noAck: true }); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(ch *amqp.Channel) {
                    ch.Consume("q", "", true, false, false, false, nil) // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import com.rabbitmq.client.Channel;
                class A {
                  void f(Channel channel) {
                    channel.basicConsume("q", true, on); // <-
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
