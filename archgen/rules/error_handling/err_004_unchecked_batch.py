"""A call succeeds as a whole while entries of it fail, and nobody looks."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("batch.unchecked"),
        lambda f: f"{f['function'] or 'the module'} does not look at which entries of {f['call']} failed",
    )


RULE = Rule(
    id="ERR-004",
    item="error_handling",
    kind="defect",
    severity=Severity.WARNING,
    title="Batch result unchecked",
    why="The call returns without an error, and the entries that were refused are lost without a trace.",
    remedy="Look at the result of each entry, and send those that failed again.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                import asyncio, boto3
                sqs = boto3.client("sqs")
                def send(entries):
                    answer = sqs.send_message_batch(QueueUrl=URL, Entries=entries)
                    if answer.get("Failed"):
                        raise SomeLost(answer["Failed"])
                async def all(xs):
                    results = await asyncio.gather(*(one(x) for x in xs), return_exceptions=True)
                    for result in results:
                        if isinstance(result, Exception):
                            raise result
                async def plain(xs):
                    await asyncio.gather(*(one(x) for x in xs))
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export async function send(entries) {
                  const results = await Promise.allSettled(entries.map(one));
                  const lost = results.filter((r) => r.status === 'rejected');
                  if (lost.length) throw new Error(`${lost.length} lost`);
                  await Promise.all(entries.map(one));
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/aws/aws-sdk-go-v2/service/sqs"
                func Send(ctx context.Context, client *sqs.Client, in *sqs.SendMessageBatchInput) error {
                    out, err := client.SendMessageBatch(ctx, in)
                    if err == nil && len(out.Failed) > 0 {
                        return lost(out.Failed)
                    }
                    return err
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import software.amazon.awssdk.services.sqs.SqsClient;
                class A {
                  void send(SqsClient sqs, SendMessageBatchRequest request) {
                    SendMessageBatchResponse answer = sqs.sendMessageBatch(request);
                    if (answer.hasFailed()) throw new SomeLost(answer.failed());
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                import asyncio
                async def send(publisher, batch):
                    sent = [publisher.publish(item) for item in batch]
                    try:
                        await asyncio.gather(*sent, return_exceptions=True)  # <-
                    finally:
                        for one in sent:
                            one.cancel()
            """,
        }),
        Sample("python", {
            "a.py": """
                import boto3
                sqs = boto3.client("sqs")
                def send(entries):
                    sqs.send_message_batch(QueueUrl=URL, Entries=entries)  # <-
            """,
        }),
        Sample("python", {
            "a.py": """
                import asyncio
                async def send(all):
                    await asyncio.gather(*(one(x) for x in all), return_exceptions=True)  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
                export async function send(client: SQSClient, Entries) {
                  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries })); // <-
                  await Promise.allSettled(Entries.map(one)); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/aws/aws-sdk-go-v2/service/sqs"
                func Send(ctx context.Context, client *sqs.Client, in *sqs.SendMessageBatchInput) error {
                    _, err := client.SendMessageBatch(ctx, in) // <-
                    return err
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import software.amazon.awssdk.services.sqs.SqsClient;
                class A {
                  void send(SqsClient sqs, SendMessageBatchRequest request) {
                    sqs.sendMessageBatch(request); // <-
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
