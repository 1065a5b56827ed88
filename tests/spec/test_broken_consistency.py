"""Broken descriptions, each with its messages: descriptions that contradict themselves."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads
from tests.spec.samples import BASE, PEER

GRPC = PEER.replace("  cards:", "    views: {seen: {of: Order, from: [order.*]}}\n  cards:") + (
    "    calls: {orders.seen: {via: grpc}}\n"
)
CASES = [
    pytest.param(
        GRPC.replace("unpaid|paid", "unspecified|paid|paid_1|paid1"),
        [
            "19:32: services.cards.calls[orders.seen].via: `paid_1` and `paid1` are values of `status` that Protocol Buffers can't tell apart (rename one of them, or ask by rest)",
            "19:32: services.cards.calls[orders.seen].via: `status` can be `unspecified`, which Protocol Buffers says of what is not set (rename one of them, or ask by rest)",
        ],
        id="values that Protocol Buffers has no names for",
    ),
    pytest.param(
        GRPC.replace("fields: {amount: money,", "fields: {line_1: string, line1: string, amount: money,"),
        [
            "19:32: services.cards.calls[orders.seen].via: `line_1` and `line1` are fields that Protocol Buffers can't tell apart (rename one of them, or ask by rest)"
        ],
        id="fields that Protocol Buffers has no names for",
    ),
    pytest.param(
        GRPC.replace("views: {seen:", "views: {seen_1: {of: Order, from: [order.*]}, seen1:").replace(
            "{orders.seen: {via: grpc}}", "{orders.seen_1: {via: grpc}, orders.seen1: {via: grpc}}"
        ),
        [
            "19:61: services.cards.calls[orders.seen1].via: `seen_1` and `seen1` of `orders` would both be the method `GetSeen1` (rename one of them, or ask by rest)",
        ],
        id="methods that become one",
    ),
    pytest.param(
        GRPC + "  orders_grpc: {aggregates: {Desk: {commands: {open_it: {emits: desk.opened}}}}}\n",
        [
            "20:3: services.orders_grpc: `orders_grpc` is also what the gRPC side of `orders` is called (rename one of them)"
        ],
        id="a service that is called like the side of another",
    ),
    pytest.param(
        BASE.replace("        fields", "        id: number\n        fields"),
        [
            "7:13: services.orders.aggregates.Order.id: `Order` has no field `number` (one of `amount`, `status`)"
        ],
        id="an id that is no field",
    ),
    pytest.param(
        BASE.replace("        fields", "        id: amount\n        fields"),
        [
            "7:13: services.orders.aggregates.Order.id: the id `amount` is `money` (an id is a uuid or a string)"
        ],
        id="an id of a wrong type",
    ),
    pytest.param(
        BASE.replace("pay: {", "pay: {takes: {order_id: string}, "),
        [
            "10:35: services.orders.aggregates.Order.commands.pay.takes.order_id: `order_id` is the id, which is `uuid` (leave it out)"
        ],
        id="an argument that contradicts the id",
    ),
    pytest.param(
        BASE + "    jobs: {sweep: {schedule: '0 3 * * *', takes: {day: date}}}\n",
        [
            "11:43: services.orders.jobs.sweep.takes: `sweep` has a schedule, and then nobody is there to say what it takes (leave `takes` out; it is told the time it is due for)"
        ],
        id="arguments of a scheduled job",
    ),
    pytest.param(
        BASE + "    jobs: {sweep_1: {}, sweep1: {}}\n",
        [
            "11:25: services.orders.jobs.sweep1: `sweep1` and `sweep_1` would both be the job `Sweep1` (rename one of them)"
        ],
        id="jobs that become one",
    ),
    pytest.param(
        BASE.replace("Order:", "Job:") + "    jobs: {sweep: {}}\n",
        [
            "6:7: services.orders.aggregates.Job: `/jobs` is the URL of its job queue already (rename one of them)"
        ],
        id="an aggregate where the jobs are",
    ),
    pytest.param(
        BASE + "      Item: {fields: {sku: string}}\n",
        ["11:7: services.orders.aggregates.Item: `Item` has no command, so there can never be one"],
        id="an aggregate without commands",
    ),
    pytest.param(
        BASE.replace("create: {", "create: {creates: false, "),
        [
            "8:9: services.orders.aggregates.Order.commands: no command creates `Order` (give one `creates: true`)"
        ],
        id="nothing creates",
    ),
    pytest.param(
        BASE.replace("create: {", "create: {creates: true, ").replace("pay: {", "pay: {creates: true, "),
        [
            "10:26: services.orders.aggregates.Order.commands.pay.creates: `create` creates `Order` already (one command creates an aggregate)"
        ],
        id="two create",
    ),
    pytest.param(
        BASE.replace("{emits: order.paid}", "{emits: order.paid, fails: order.paid}"),
        [
            "10:43: services.orders.aggregates.Order.commands.pay.fails: `order.paid` would say both that it was done and that it failed"
        ],
        id="done and refused in one",
    ),
    pytest.param(
        BASE.replace("{emits: order.paid}", "{emits: order.paid, fails: order.created}"),
        [
            "10:43: services.orders.aggregates.Order.commands.pay.fails: `order.created` tells of a success in one command and of a failure in another (rename one of them)"
        ],
        id="done here and refused there",
    ),
    pytest.param(
        PEER.replace("card.charged", "order.paid"),
        [
            "16:67: services.cards.aggregates.Card.commands.charge.emits: `order.paid` comes from Order of `orders` already (an event has one source; rename one of them)"
        ],
        id="an event of two aggregates",
    ),
    pytest.param(
        BASE.replace("order.paid", "invoice.created"),
        [
            "10:17: services.orders.aggregates.Order.commands.pay.emits: `invoice.created` and `order.created` would both be the event `Created` (rename one of them)"
        ],
        id="two events of one last word",
    ),
    pytest.param(
        BASE + "        events: {order.payed: [amount]}\n",
        [
            "11:18: services.orders.aggregates.Order.events[order.payed]: no command of this aggregate emits `order.payed` (did you mean `order.paid`?)"
        ],
        id="narrowing an unknown event",
    ),
    pytest.param(
        BASE + "        events: {order.paid: [amont]}\n",
        [
            "11:31: services.orders.aggregates.Order.events[order.paid][0]: neither the aggregate nor every command that emits it has `amont` (did you mean `amount`?)"
        ],
        id="narrowing to an unknown field",
    ),
    pytest.param(
        "types: {Item: {inner: Item}}\n" + BASE,
        ["1:9: types.Item: a value can't contain itself: Item → Item (refer to the inner one by an id)"],
        id="a type in itself",
    ),
    pytest.param(
        "types: {A: {b: B}, B: {c: '[C]'}, C: {a: optional A}}\n" + BASE,
        ["1:9: types.A: a value can't contain itself: A → B → C → A (refer to the inner one by an id)"],
        id="types in a circle",
    ),
    pytest.param(
        PEER.replace("    aggregates", "    port: 8001\n    aggregates"),
        ["13:11: services.cards.port: port 8001 belongs to `orders` already (leave it out for a free one)"],
        id="a port twice",
    ),
    pytest.param(
        BASE + "      Item: {commands: {pay: {emits: item.paid}}}\n",
        [
            "11:25: services.orders.aggregates.Item.commands.pay: Order of this service has a command `pay` already (rename one of them)"
        ],
        id="a command twice in a service",
    ),
    pytest.param(
        "types: {Order: {a: string}}\n" + BASE,
        ["7:7: services.orders.aggregates.Order: `Order` is the name of a type too (rename one of them)"],
        id="an aggregate called like a type",
    ),
    pytest.param(
        BASE + "      ORDER: {commands: {add: {emits: item.added}}}\n",
        [
            "11:7: services.orders.aggregates.ORDER: `/orders` is the URL of `Order` already (rename one of them)",
            "11:7: services.orders.aggregates.ORDER: `ORDER` and `Order` would both be the file `order` (rename one of them)",
        ],
        id="aggregates of one file",
    ),
    pytest.param(
        PEER.replace("  orders:", "  json:").replace("  cards:", "  json_service:"),
        [
            "11:3: services.json_service: `json_service` and `json` would both be the package `json_service` (rename one of them)"
        ],
        id="services of one package",
    ),
    pytest.param(
        BASE + "    views: {orders: {of: Order, from: [order.*]}}\n",
        ["11:13: services.orders.views.orders: `/orders` is the URL of `Order` already (rename one of them)"],
        id="a view at an aggregate's URL",
    ),
    pytest.param(
        BASE + "    views: {health: {of: Order, from: [order.*]}}\n",
        [
            "11:13: services.orders.views.health: `/health` is the URL of every service already (rename one of them)"
        ],
        id="a view at the URL of health",
    ),
]


@pytest.mark.parametrize(("text", "problems"), CASES)
def test_broken(text: str, problems: list[str]) -> None:
    with pytest.raises(SpecError) as refusal:
        loads(text, "s.yaml")
    assert [str(problem).removeprefix("s.yaml:").strip() for problem in refusal.value.problems] == problems
