"""Messages sent to a broker, and handlers that listen to one."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("publisher"), lambda f: f"message sent by {f['what']}") + hits(
        [f for f in facts.of("consumer") if not f.get("own")], lambda f: f"messages are handled: {f['what']}"
    )


RULE = Rule(
    id="COM-E02",
    item="communication_patterns",
    kind="evidence",
    severity=Severity.NOTE,
    title="Asynchronous messages",
    why="A message lets the sender go on while the receiver is slow or down.",
    remedy="Send news of what happened through a broker.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                import nats
                async def f(js):
                    await js.publish('x', b'')  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import * as amqp from 'amqplib';
                async function f(channel) {
                  channel.publish(ex, '', body); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func F(nc *nats.Conn) { nc.Publish(s, b) } // <-
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
    invalid=(
        Sample("python", {
            "a.py": """
                class Post:
                    def publish(self): self.public = True
                # js.publish('x')
            """,
            "requirements.txt": "nats-py\n",
        }),
        Sample("typescript", {
            "a.ts": """
                import { EventEmitter } from 'events';
                const e = new EventEmitter();
                e.emit('x', 1);
            """,
            "package.json": "{\"dependencies\": {\"amqplib\": \"1\"}}",
        }),
        Sample("go", {
            "a_test.go": """
                package a
                func TestX() { nc.Publish(s, b) }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { ApplicationEventPublisher applicationEventPublisher; void f() {
                  applicationEventPublisher.publishEvent(e); } }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class Projects {
                  created(project) { this.config.eventBus.emit('project-created', project); }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
