"""A message whose form is nowhere written down."""

import re
from collections.abc import Iterable

from archgen.evidence.code.model import Call, Module
from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity

# A body put together on the spot, whose form is in no type.
_LOOSE = re.compile(
    r"^\s*(\{|json\.dumps\(\s*(\{|dict\()|JSON\.stringify\(\s*\{|Buffer\.from\(\s*JSON\.stringify\(\s*\{|dict\()"
)
_SAID = re.compile(
    r"""["'`]?(schema|version|dataschema|specversion|type|event_type|eventType)["'`]?\s*[:=]|\.v\d+\b|schema_registry"""
)


def check(facts: Facts) -> Iterable[Hit]:
    lacking = list(facts.of("async.formless", at_least=Strength.DECLARED))
    for file in sorted({f.file for f in lacking}):
        first, *rest = (f for f in lacking if f.file == file)
        others = f" and {len(rest)} more" if rest else ""
        yield Hit(file, first.line, f"the contract does not say what is in {first['message']}{others}")
    if facts.has("async.operation", "message.schema", at_least=Strength.CLAIMED):
        return
    told: set[str] = set()
    for module, function in facts.program.functions():
        for effect in function.effects:
            service = facts.service_of(module.path)
            home = service.name if service else ""
            if effect.kind in ("publish", "outbox") and home not in told and _loose(effect.call, module):
                told.add(home)
                yield Hit(
                    module.path,
                    effect.call.line,
                    f"{function.title or 'the module'} sends a message of no written form and no version",
                )


def _loose(call: Call, module: Module) -> bool:
    return module.language in ("python", "typescript") and any(
        _LOOSE.match(text) and not _SAID.search(call.text()) for text in (*call.args, *call.keywords.values())
    )


RULE = Rule(
    id="COM-006",
    item="communication_patterns",
    kind="defect",
    severity=Severity.NOTE,
    title="Event without schema or version",
    why="Who receives it finds out by an error what changed, and nobody can tell old messages from new.",
    remedy="Describe the message (AsyncAPI, Avro, JSON Schema) and send its type with a version.",
    languages=("python", "typescript"),
    valid=(
        Sample("python", {
            "a.py": """
                import nats
                async def f(js, order):
                    # await js.publish('x', {'id': 1})
                    await js.publish('orders.created', encode(order))
                    await js.publish('orders', {'type': 'order.created.v1', 'id': order.id})
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import * as amqp from 'amqplib';
                export async function f(channel, order) {
                  channel.publish('orders', '', new OrderCreated(order));
                }
            """,
        }),
        Sample("python", {
            "asyncapi.yaml": """
                asyncapi: 3.0.0
                info: {title: a, version: 1.0.0}
                channels:
                  orders: {address: orders, messages: {a: {payload: {type: object}}}}
                operations:
                  send: {action: send, channel: {$ref: '#/channels/orders'}}
            """,
            "a.py": """
                import nats
                async def f(js, order):
                    await js.publish('orders', {'id': order.id})
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "asyncapi.yaml": """
                asyncapi: 3.0.0
                info: {title: a, version: 1.0.0}
                channels:
                  orders: {address: orders, messages: {a: {$ref: '#/components/messages/a'}}}
                components:
                  messages:
                    a:  # <-
                      title: something
                operations:
                  send: {action: send, channel: {$ref: '#/channels/orders'}}
            """,
        }),
        Sample("python", {
            "a.py": """
                import nats, json
                async def f(js, order):
                    await js.publish('orders', json.dumps({'id': order.id}))  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import * as amqp from 'amqplib';
                export async function f(channel, order) {
                  channel.sendToQueue('orders', Buffer.from(JSON.stringify({ id: order.id }))); // <-
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
