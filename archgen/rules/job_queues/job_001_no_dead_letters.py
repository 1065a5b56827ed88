"""Messages are handled, and none is ever put aside."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    if not facts.has("dead_letters"):
        first = next(facts.of("consumer"), None)
        if first is not None:
            yield Hit(
                first.file, first.line, "messages are handled, and none is ever put aside", first.strength
            )


RULE = Rule(
    id="JOB-001",
    item="job_queues",
    kind="defect",
    severity=Severity.WARNING,
    title="No dead letters",
    why=(
        "A message that cannot be handled is either delivered for ever, blocking the rest, or "
        "dropped without a trace."
    ),
    remedy="Limit the deliveries, and keep what failed with its reason.",
    languages=("python", "java",),
    valid=(
        Sample("python", {
            "a.py": """
                import pika
                def f(ch):
                    ch.queue_declare('q', arguments={'x-dead-letter-exchange': 'dlx'})
                    ch.basic_consume('q', on)
            """,
        }),
        Sample("java", {
            "A.java": "class A { void f() { tick(); } }\n",
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                import pika
                def f(ch):
                    ch.basic_consume('q', on)  # <-
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class A {
                  @KafkaListener(topics="x") void on(String m) { } // <-
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
