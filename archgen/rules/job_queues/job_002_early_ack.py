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
    languages=("python", "typescript",),
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
    ),
    check=check,
)  # fmt: skip
