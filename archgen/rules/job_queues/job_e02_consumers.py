"""Handlers of a broker's messages."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.communication_patterns import com_e02_async
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("consumer"), lambda f: f"messages are handled: {f['what']}")


RULE = Rule(
    id="JOB-E02",
    item="job_queues",
    kind="evidence",
    severity=Severity.NOTE,
    title="Message consumers",
    why="A consumer that acknowledges after its work does work in the background without losing it.",
    remedy="Use a durable queue and acknowledge after the work is committed.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nsqio/go-nsq"
                func Hear(c *nsq.Config) {
                    consumer, _ := nsq.NewConsumer("orders", "mail", c)
                    consumer.AddConcurrentHandlers(h, 4) // <-
                }
            """,
        }),
        Sample(
            "python", {"a.py": "import pika\ndef f(channel):\n    channel.basic_consume('q', on)  # <-\n"}
        ),
        com_e02_async.RULE.valid[3],
        Sample("typescript", {
            "a.ts": """
                import { Kafka } from 'kafkajs';
                export async function f(consumer) {
                  await consumer.subscribe({ topic: 'x' }); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func F(nc *nats.Conn) {
                    nc.QueueSubscribe("orders.*", "mailer", handle) // <-
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "client.py": """
                from aiohttp import ClientSession
                class Client:
                    async def listen(self):
                        while True:
                            handle(await self.connection.receive_message())
            """,
        }),
        Sample("python", {"a.py": "import pika\n# channel.basic_consume('q', on)\n"}),
        com_e02_async.RULE.invalid[3],
        Sample("typescript", {
            "a.ts": """
                // await consumer.subscribe({ topic: 'x' });
                export const f = (store) => store.subscribe(() => render());
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(bus *EventEmitter) {
                    // nc.Subscribe("orders.*", handle)
                    bus.Subscribe("x", handle)
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
