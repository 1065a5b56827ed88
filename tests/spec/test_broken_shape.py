"""Broken descriptions, each with its messages: keys and values that no description has."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads
from tests.spec.samples import BASE, PEER

CASES = [
    pytest.param(
        "archgen: 1\n",
        [
            "1:1: services: a system needs at least one service (add it under `services`)",
            "1:1: the key `system` is missing (The system's name.)",
        ],
        id="nothing but a version",
    ),
    pytest.param(
        BASE.replace("archgen: 1\n", ""),
        ["1:1: the key `archgen` is missing (The version of this format.)"],
        id="no version",
    ),
    pytest.param(
        BASE.replace("archgen: 1", "archgen: 2"),
        ["1:10: archgen: expected 1, found the number 2"],
        id="a later version",
    ),
    pytest.param(
        BASE.replace("archgen: 1", "archgen: '1'"),
        ["1:10: archgen: expected 1, found the text '1' (did you mean `1`?)"],
        id="a version as text",
    ),
    pytest.param(
        BASE.replace("archgen: 1", "archgen: true"),
        ["1:10: archgen: expected 1, found the boolean true"],
        id="a version as boolean",
    ),
    pytest.param(
        "archgen: 1\nsystem: shop\n",
        ["1:1: services: a system needs at least one service (add it under `services`)"],
        id="no services",
    ),
    pytest.param(
        "archgen: 1\nsystem: shop\nservices: {}\n",
        ["3:11: services: a system needs at least one service (add it under `services`)"],
        id="empty services",
    ),
    pytest.param(
        "archgen: 1\nsystem: shop\nservices:\n",
        ["3:10: services: expected a mapping, found nothing"],
        id="services are nothing",
    ),
    pytest.param(
        "archgen: 1\nsystem: shop\nservices: [orders]\n",
        ["3:11: services: expected a mapping, found a list"],
        id="services as a list",
    ),
    pytest.param(
        "archgen: 1\nsystem: shop\nservices: {orders: python}\n",
        ["3:20: services.orders: expected a mapping, found the text 'python'"],
        id="a service as text",
    ),
    pytest.param(
        BASE + "    langage: python\n",
        ["11:5: services.orders.langage: unknown key 'langage' (did you mean `language`?)"],
        id="unknown key",
    ),
    pytest.param(
        BASE + "    wibble: 1\n",
        ["11:5: services.orders.wibble: unknown key 'wibble' (keys of your own start with `x-`)"],
        id="unknown key without a neighbour",
    ),
    pytest.param(
        BASE + "    agents: {helper: {goal: '', tools: [Order, a.b.c], limits: {turns: 0, tokens: 8k}}}\n",
        [
            "11:29: services.orders.agents.helper.goal: expected some text, found the text ''",
            "11:41: services.orders.agents.helper.tools[0]: 'Order' is not a tool: expected `view`, `command` or `service.view` (for example `order`)",
            "11:48: services.orders.agents.helper.tools[1]: 'a.b.c' is not a tool: expected `view`, `command` or `service.view`",
            "11:72: services.orders.agents.helper.limits.turns: expected a number of at least 1, found the number 0",
            "11:83: services.orders.agents.helper.limits.tokens: expected a whole number, found the text '8k'",
        ],
        id="an agent",
    ),
    pytest.param(
        BASE + "    agents: {class: {tools: []}, helper: {goal: Help., model: best}}\n",
        [
            "11:14: services.orders.agents.class: `class` is a keyword of Python (say what it does to what, such as `class_order`)",
            "11:14: services.orders.agents.class: the key `goal` is missing (What it is for; the model reads it.)",
            "11:56: services.orders.agents.helper.model: unknown key 'model' (one of `allow`, `goal`, `limits`, `of`, `tools`, `unconfirmed`)",
        ],
        id="an agent's name and keys",
    ),
    pytest.param(
        BASE + "    jobs: {sweep: {schedule: '0 25 * * *'}}\n",
        [
            "11:30: services.orders.jobs.sweep.schedule: '25' is not a hour of a cron line "
            "(0 to 23, `*` or `*/5`)"
        ],
        id="a job's schedule",
    ),
    pytest.param(
        BASE + "    jobs: {sweep: {priority: urgent, attempts: 0}}\n",
        [
            "11:30: services.orders.jobs.sweep.priority: expected `high`, `normal` or `low`, found the text 'urgent'",
            "11:48: services.orders.jobs.sweep.attempts: expected a number of at least 1, found the number 0",
        ],
        id="a job's policy",
    ),
    pytest.param(
        PEER + "    views: {c: {of: Card, from: [card.*]}}\n    calls: {orders.x: {via: soap}}\n",
        [
            "19:13: services.cards.calls[orders.x]: no view `orders.x` (one of `cards.c`)",
            "19:29: services.cards.calls[orders.x].via: expected `rest` or `grpc`, found the text 'soap'",
        ],
        id="a call over something else",
    ),
    pytest.param(
        BASE + "    port: '8001'\n",
        ["11:11: services.orders.port: expected a whole number, found the text '8001'"],
        id="text for a number",
    ),
    pytest.param(
        BASE + "    port: 80.5\n",
        ["11:11: services.orders.port: expected a whole number, found the number 80.5"],
        id="a fraction for a number",
    ),
    pytest.param(
        BASE + "    port: true\n",
        ["11:11: services.orders.port: expected a whole number, found the boolean true"],
        id="a boolean for a number",
    ),
    pytest.param(
        BASE + "    port: 65536\n",
        ["11:11: services.orders.port: expected a number of at most 65535, found the number 65536"],
        id="a port too high",
    ),
    pytest.param(
        BASE + "    owner: 5\n",
        ["11:12: services.orders.owner: expected text, found the number 5 (put it in quotes if it is text)"],
        id="a number for text",
    ),
    pytest.param(
        BASE.replace("        fields", "        event_sourced: yes\n        fields"),
        [
            "7:24: services.orders.aggregates.Order.event_sourced: expected true or false, found the text 'yes'"
        ],
        id="yes is text",
    ),
    pytest.param(
        BASE + "    language: pyhton\n",
        [
            "11:15: services.orders.language: expected `python`, `typescript`, `go` or `java`, found the text 'pyhton' (did you mean `python`?)"
        ],
        id="unknown language",
    ),
    pytest.param(
        BASE + "broker: nuts\n",
        [
            "11:9: broker: expected `nats`, `rabbitmq`, `kafka` or `redis`, found the text 'nuts' (did you mean `nats`?)"
        ],
        id="unknown broker",
    ),
    pytest.param(
        BASE + "    store: oracle\n",
        ["11:12: services.orders.store: expected `sqlite` or `postgres`, found the text 'oracle'"],
        id="unknown store",
    ),
    pytest.param(
        BASE + "policies: {slow: {timeout: 5}}\n",
        [
            "11:28: policies.slow.timeout: expected a duration with its unit (for example `200ms`, `2s`, `5m`, `1h`)"
        ],
        id="a duration without unit",
    ),
    pytest.param(
        BASE + "policies: {slow: {timeout: 5 seconds}}\n",
        [
            "11:28: policies.slow.timeout: '5 seconds' is not a duration (for example `200ms`, `2s`, `5m`, `1h`)"
        ],
        id="a duration in words",
    ),
    pytest.param(
        BASE + "policies: {slow: {timeout: 0s}}\n",
        ["11:28: policies.slow.timeout: '0s' is not between 1ms and 366d"],
        id="a duration of nothing",
    ),
    pytest.param(
        BASE + "policies: {slow: {retry: {attempts: 1001}}}\n",
        ["11:37: policies.slow.retry.attempts: expected a number of at most 1000, found the number 1001"],
        id="too many attempts",
    ),
    pytest.param(
        BASE + "policies: {slow: {retry: {attempts: 0}}}\n",
        ["11:37: policies.slow.retry.attempts: expected a number of at least 1, found the number 0"],
        id="no attempts",
    ),
    pytest.param(
        BASE + "recovery: {backup: '0 0 2 * * *'}\n",
        [
            "11:20: recovery.backup: '0 0 2 * * *' is not a cron line: expected 5 fields, found 6 (minute hour day month weekday, for example `0 3 * * *`)"
        ],
        id="a cron line of six fields",
    ),
    pytest.param(
        BASE + "recovery: {backup: '60 2 * * *'}\n",
        ["11:20: recovery.backup: '60' is not a minute of a cron line (0 to 59, `*` or `*/5`)"],
        id="a minute too late",
    ),
    pytest.param(
        BASE + "recovery: {backup: '0 2 30 feb *'}\n",
        ["11:20: recovery.backup: '0 2 30 feb *' never fires: no such day in that month"],
        id="a day that never comes",
    ),
    pytest.param(
        BASE + "decisions: {cqrs: {adopted_for: [Order]}}\n",
        ["11:13: decisions.cqrs: the key `because` is missing (The reason.)"],
        id="a decision without a reason",
    ),
    pytest.param(
        BASE + "      Item: {commands: {add: {}}}\n",
        [
            "11:25: services.orders.aggregates.Item.commands.add: the key `emits` is missing (The event that says it was done.)"
        ],
        id="a command that emits nothing",
    ),
    pytest.param(
        BASE + "    views: {all: {of: Order, from: []}}\n",
        ["11:36: services.orders.views.all.from: expected at least one item, found an empty list"],
        id="a view that hears nothing",
    ),
    pytest.param(
        BASE + "    views: {all: {of: Order, from: order.created}}\n",
        ["11:36: services.orders.views.all.from: expected a list, found the text 'order.created'"],
        id="a view with text for a list",
    ),
    pytest.param(
        BASE + "sagas: {s: {style: choreografy, steps: [{when: order.created, do: orders.pay}]}}\n",
        [
            "11:20: sagas.s.style: expected `orchestration` or `choreography`, found the text 'choreografy' (did you mean `choreography`?)"
        ],
        id="a saga of unknown style",
    ),
    pytest.param(
        BASE + "sagas: {s: {owner: orders, when: order.created, steps: []}}\n",
        ["11:56: sagas.s.steps: expected at least one item, found an empty list"],
        id="a saga without steps",
    ),
    pytest.param(
        BASE
        + "sagas: {s: {style: choreography, steps: [{when: order.created, do: orders.pay}], then: orders.pay}}\n",
        ["11:82: sagas.s.then: unknown key 'then' (one of `about`, `owner`, `steps`, `style`)"],
        id="a choreography with then",
    ),
    pytest.param(
        BASE
        + "sagas: {s: {owner: orders, when: order.created, steps: [{do: orders.pay}], otherwise: orders.pay}}\n",
        ["11:76: sagas.s.otherwise: unknown key 'otherwise' (keys of your own start with `x-`)"],
        id="the Python name of a key",
    ),
    pytest.param(
        BASE.replace("amount: money,", "amount: monney,"),
        [
            "7:26: services.orders.aggregates.Order.fields.amount: 'monney' is not a field type (did you mean `money`?)"
        ],
        id="unknown field type",
    ),
    pytest.param(
        BASE.replace("amount: money,", "amount: {scalar: money},"),
        [
            "7:26: services.orders.aggregates.Order.fields.amount: expected a field type (for example `uuid`, `[Item]`, `created|confirmed`, `optional string`)"
        ],
        id="a field type as a mapping",
    ),
    pytest.param(
        BASE.replace("amount: money,", "amount: [money, string],"),
        [
            "7:26: services.orders.aggregates.Order.fields.amount: a list type has one type between its brackets (for example `[Item]`)"
        ],
        id="a list of two types",
    ),
    pytest.param(
        BASE.replace("amount: money,", "amount: [[money]],"),
        [
            "7:26: services.orders.aggregates.Order.fields.amount: a list type has one type between its brackets (for example `[Item]`)"
        ],
        id="a list of lists",
    ),
    pytest.param(
        BASE.replace("amount: money,", "amount: optional,"),
        [
            "7:26: services.orders.aggregates.Order.fields.amount: 'optional' is not a field type (for example `uuid`, `[Item]`, `created|confirmed`, `optional string`)"
        ],
        id="optional alone",
    ),
    pytest.param(
        BASE.replace("unpaid|paid", "Unpaid|Paid"),
        [
            "7:41: services.orders.aggregates.Order.fields.status: 'Unpaid|Paid' is not a list of values (lower-case words, for example `created|confirmed`)"
        ],
        id="an enum of capitals",
    ),
    pytest.param(
        BASE.replace("unpaid|paid", "paid|paid"),
        ["7:41: services.orders.aggregates.Order.fields.status: `paid` is listed twice"],
        id="an enum with a value twice",
    ),
]


@pytest.mark.parametrize(("text", "problems"), CASES)
def test_broken(text: str, problems: list[str]) -> None:
    with pytest.raises(SpecError) as refusal:
        loads(text, "s.yaml")
    assert [str(problem).removeprefix("s.yaml:").strip() for problem in refusal.value.problems] == problems
