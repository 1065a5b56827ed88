"""Tracing is set up, and messages leave without the trace context."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for lost in facts.of("trace.lost"):
        yield Hit(lost.file, lost.line, f"{lost['function']} {lost['why']}", lost.strength)
    carried = [
        f for f in facts.of("trace.carried") if f["by"] in ("traceparent", "propagation", "correlation")
    ]
    if carried or not facts.has("trace.provider"):
        return
    for publisher in facts.of("publisher"):
        if not publisher["outbox"] and re.search(
            r"(channel|producer|js|nc|client|conn|connection|broker)\.\w+$", str(publisher["what"])
        ):
            yield Hit(
                publisher.file,
                publisher.line,
                f"{publisher['function']} sends a message without trace context",
                publisher.strength,
            )


RULE = Rule(
    id="OBS-002",
    item="observability",
    kind="defect",
    severity=Severity.WARNING,
    title="Trace lost in messages",
    why="The trace ends at the broker, which is where the interesting half begins.",
    remedy="Put traceparent into the headers of every message, and continue it in the consumer.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("typescript", {
            "migrations/001.ts": """
                import { NodeSDK } from '@opentelemetry/sdk-node';
                const sdk = new NodeSDK({});
                exports.up = function up(db) {
                  db.runSql('SELECT floor(extract(epoch FROM ts) / 300)');
                };
            """,
        }),
        Sample("python", {
            "a.py": """
                from opentelemetry import trace, propagate
                trace.set_tracer_provider(p)
                async def f(js):
                    headers = {}
                    propagate.inject(headers)
                    await js.publish('x', b, headers=headers)
                def age(column):
                    return f"floor(extract(epoch from {column}))"
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { NodeSDK } from '@opentelemetry/sdk-node';
                import { context, propagation } from '@opentelemetry/api';
                import amqp from 'amqplib';
                const sdk = new NodeSDK({});
                export function f(channel) {
                  const headers = {};
                  propagation.inject(context.active(), headers);
                  channel.publish('ex', '', Buffer.from('x'), { headers });
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import (
                    "github.com/nats-io/nats.go"
                    "go.opentelemetry.io/otel"
                )
                func Start() { otel.SetTracerProvider(tp) }
                func Send(ctx context.Context, nc *nats.Conn) error {
                    msg := nats.NewMsg("x")
                    otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(msg.Header))
                    return nc.PublishMsg(msg)
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import com.rabbitmq.client.Channel;
                class A {
                  void start() { GlobalOpenTelemetry.set(SdkTracerProvider.builder().build()); }
                  void send(Channel channel, TextMapPropagator propagator) {
                    propagator.inject(Context.current(), headers, setter);
                    channel.basicPublish("ex", "", props(headers), body);
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                import httpx
                from opentelemetry.trace import SpanKind
                class Peer:
                    def __init__(self):
                        self._http = httpx.Client()
                    def ask(self, path):
                        def send():
                            return self._http.get(path, headers={})
                        return self._attempt(Attempt(send))
                    def _attempt(self, attempt):
                        with tracer.start_as_current_span('ask', kind=SpanKind.CLIENT):  # <-
                            return attempt.send()
            """,
        }),
        Sample("python", {
            "a.py": """
                from opentelemetry import trace
                trace.set_tracer_provider(p)
                async def f(js):
                    await js.publish('x', b, headers={})  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { NodeSDK } from '@opentelemetry/sdk-node';
                import amqp from 'amqplib';
                const sdk = new NodeSDK({});
                export function f(channel) {
                  channel.publish('ex', '', Buffer.from('x')); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import (
                    "github.com/nats-io/nats.go"
                    "go.opentelemetry.io/otel"
                )
                func Start() { otel.SetTracerProvider(tp) }
                func Send(nc *nats.Conn) error {
                    return nc.Publish("x", nil) // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import com.rabbitmq.client.Channel;
                class A {
                  void start() { GlobalOpenTelemetry.set(SdkTracerProvider.builder().build()); }
                  void send(Channel channel) {
                    channel.basicPublish("ex", "", null, body); // <-
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
