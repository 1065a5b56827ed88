"""Messages sent to a broker, and handlers that listen to one."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("publisher"), lambda f: f"message sent by {f['what']}") + hits(
        facts.of("consumer"), lambda f: f"messages are handled: {f['what']}"
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
        Sample("python", {"a.py": "import nats\nasync def f(js):\n    await js.publish('x', b'')  # <-\n"}),
        Sample("typescript", {"a.ts": "import * as amqp from 'amqplib';\nasync function f(channel) {\n  channel.publish(ex, '', body); // <-\n}\n"}),
        Sample("go", {"a.go": "package a\nimport \"github.com/nats-io/nats.go\"\nfunc F(nc *nats.Conn) { nc.Publish(s, b) } // <-\n"}),
        Sample("java", {"A.java": "import org.springframework.kafka.annotation.KafkaListener;\nclass A {\n  @KafkaListener(topics=\"x\") void on(String m) { } // <-\n}\n"}),
    ),
    invalid=(
        Sample("python", {"a.py": "class Post:\n    def publish(self): self.public = True\n# js.publish('x')\n", "requirements.txt": "nats-py\n"}),
        Sample("typescript", {"a.ts": "import { EventEmitter } from 'events';\nconst e = new EventEmitter();\ne.emit('x', 1);\n", "package.json": "{\"dependencies\": {\"amqplib\": \"1\"}}"}),
        Sample("go", {"a_test.go": "package a\nfunc TestX() { nc.Publish(s, b) }\n"}),
        Sample("java", {"A.java": "class A { ApplicationEventPublisher applicationEventPublisher; void f() { applicationEventPublisher.publishEvent(e); } }\n"}),
    ),
    check=check,
)  # fmt: skip
