"""Broken descriptions, each with its messages: names that are none: paths, quotes, templates, shell, keywords."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads
from tests.spec.samples import BASE

CASES = [
    pytest.param(
        BASE.replace("system: shop", "system: ../shop"),
        [
            "2:9: system: '../shop' is not a name: expected lower-case words joined by `_` (for example `shop`)"
        ],
        id="a path as the system",
    ),
    pytest.param(
        BASE.replace("  orders:", "  ../../etc/passwd:"),
        [
            "4:3: services[../../etc/passwd]: '../../etc/passwd' is not a name: expected lower-case words joined by `_` (for example `etc_passwd`)"
        ],
        id="a path as a service",
    ),
    pytest.param(
        BASE.replace("  orders:", "  /etc/passwd:"),
        [
            "4:3: services[/etc/passwd]: '/etc/passwd' is not a name: expected lower-case words joined by `_` (for example `etc_passwd`)"
        ],
        id="an absolute path",
    ),
    pytest.param(
        BASE.replace("Order:", "Order/../../x:"),
        [
            "6:7: services.orders.aggregates[Order/../../x]: 'Order/../../x' is not a type name: expected words that start with a capital, joined (for example `OrderX`)"
        ],
        id="a path as an aggregate",
    ),
    pytest.param(
        BASE.replace("pay:", "../pay:"),
        [
            "10:11: services.orders.aggregates.Order.commands[../pay]: '../pay' is not a name: expected lower-case words joined by `_` (for example `pay`)"
        ],
        id="a path as a command",
    ),
    pytest.param(
        BASE + "sagas: {../s: {owner: orders, when: order.created, steps: [{do: orders.pay}]}}\n",
        [
            "11:9: sagas[../s]: '../s' is not a name: expected lower-case words joined by `_` (for example `s`)"
        ],
        id="a path as a saga",
    ),
    pytest.param(
        BASE + "    views: {a/b: {of: Order, from: [order.*]}}\n",
        [
            "11:13: services.orders.views[a/b]: 'a/b' is not a name: expected lower-case words joined by `_` (for example `a_b`)"
        ],
        id="a path as a view",
    ),
    pytest.param(
        BASE.replace("order.paid", "../order.paid"),
        [
            "10:24: services.orders.aggregates.Order.commands.pay.emits: '../order.paid' is not an event: expected `subject.what_happened`"
        ],
        id="a path as an event",
    ),
    pytest.param(
        BASE + "decisions: {../../x: {because: I can.}}\n",
        [
            "11:13: decisions[../../x]: '../../x' is not a name: expected lower-case words joined by `_` (for example `x`)"
        ],
        id="a path as a decision",
    ),
    pytest.param(
        BASE.replace("system: shop", "system: 'c:\\shop'"),
        [
            "2:9: system: 'c:\\\\shop' is not a name: expected lower-case words joined by `_` (for example `c_shop`)"
        ],
        id="a drive",
    ),
    pytest.param(
        BASE.replace("system: shop", """system: 'a"b'"""),
        ["2:9: system: 'a\"b' is not a name: expected lower-case words joined by `_` (for example `a_b`)"],
        id="quotes",
    ),
    pytest.param(
        BASE.replace("system: shop", 'system: "a\\nb"'),
        ["2:9: system: 'a\\nb' is not a name: expected lower-case words joined by `_` (for example `a_b`)"],
        id="a newline",
    ),
    pytest.param(
        BASE.replace("system: shop", "system: '{{ 7*7 }}'"),
        ["2:9: system: '{{ 7*7 }}' is not a name: expected lower-case words joined by `_`"],
        id="template syntax",
    ),
    pytest.param(
        BASE.replace("{amount: money,", "{'{{ self }}': money,"),
        [
            "7:18: services.orders.aggregates.Order.fields[{{ self }}]: '{{ self }}' is not a field name: expected lower-case words joined by `_` (for example `self`)"
        ],
        id="template syntax in a field",
    ),
    pytest.param(
        BASE.replace("unpaid|paid", "'{{ x }}|paid'"),
        [
            "7:41: services.orders.aggregates.Order.fields.status: '{{ x }}|paid' is not a list of values (lower-case words, for example `created|confirmed`)"
        ],
        id="template syntax in an enum",
    ),
    pytest.param(
        BASE.replace("  orders:", "  $(reboot):"),
        [
            "4:3: services[$(reboot)]: '$(reboot)' is not a name: expected lower-case words joined by `_` (for example `reboot`)"
        ],
        id="shell syntax",
    ),
    pytest.param(
        BASE.replace("pay:", "'; rm -rf /':"),
        [
            "10:11: services.orders.aggregates.Order.commands[; rm -rf /]: '; rm -rf /' is not a name: expected lower-case words joined by `_` (for example `rm_rf`)"
        ],
        id="shell syntax in a command",
    ),
    pytest.param(
        BASE.replace("{amount: money,", "{'amount; drop table': money,"),
        [
            "7:18: services.orders.aggregates.Order.fields[amount; drop table]: 'amount; drop table' is not a field name: expected lower-case words joined by `_` (for example `amount_drop_table`)"
        ],
        id="sql syntax in a field",
    ),
    pytest.param(
        BASE.replace("  orders:", "  OrderService:"),
        [
            "4:3: services.OrderService: 'OrderService' is not a name: expected lower-case words joined by `_` (for example `order_service`)"
        ],
        id="capitals",
    ),
    pytest.param(
        BASE.replace("  orders:", "  order-service:"),
        [
            "4:3: services.order-service: 'order-service' is not a name: expected lower-case words joined by `_` (for example `order_service`)"
        ],
        id="a hyphen",
    ),
    pytest.param(
        BASE.replace("Order:", "order:"),
        [
            "6:7: services.orders.aggregates.order: 'order' is not a type name: expected words that start with a capital, joined (for example `Order`)"
        ],
        id="a small aggregate",
    ),
    pytest.param(
        BASE.replace("pay:", "2pay:"),
        [
            "10:11: services.orders.aggregates.Order.commands.2pay: '2pay' is not a name: expected lower-case words joined by `_`"
        ],
        id="a leading digit",
    ),
    pytest.param(
        BASE.replace("pay:", "_pay:"),
        [
            "10:11: services.orders.aggregates.Order.commands._pay: '_pay' is not a name: expected lower-case words joined by `_` (for example `pay`)"
        ],
        id="a leading underscore",
    ),
    pytest.param(
        BASE.replace("pay:", "'':"),
        [
            "10:11: services.orders.aggregates.Order.commands[]: '' is not a name: expected lower-case words joined by `_`"
        ],
        id="no name",
    ),
    pytest.param(
        BASE.replace("system: shop", "system: magasin_réel"),
        [
            "2:9: system: 'magasin_réel' is not a name: expected lower-case words joined by `_` (for example `magasin_reel`)"
        ],
        id="accents",
    ),
    pytest.param(
        BASE.replace("system: shop", "system: " + "a" * 41),
        ["2:9: system: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is longer than 40 characters"],
        id="too long",
    ),
    pytest.param(
        BASE.replace("{amount: money,", "{from: money,"),
        [
            "7:18: services.orders.aggregates.Order.fields.from: `from` is a keyword of Python (add a word, such as `from_value`)"
        ],
        id="a keyword of Python as a field",
    ),
    pytest.param(
        BASE.replace("{amount: money,", "{function: money,"),
        [
            "7:18: services.orders.aggregates.Order.fields.function: `function` is a keyword of TypeScript (add a word, such as `function_value`)"
        ],
        id="a keyword of TypeScript as a field",
    ),
    pytest.param(
        BASE.replace("{amount: money,", "{native: money,"),
        [
            "7:18: services.orders.aggregates.Order.fields.native: `native` is a keyword of Java (add a word, such as `native_value`)"
        ],
        id="a keyword of Java as a field",
    ),
    pytest.param(
        BASE.replace("{amount: money,", "{date: money,"),
        [
            "7:18: services.orders.aggregates.Order.fields.date: `date` is a type in Python (add a word, such as `date_value`)"
        ],
        id="a type of Python as a field",
    ),
    pytest.param(
        BASE.replace("pay:", "return:"),
        [
            "10:11: services.orders.aggregates.Order.commands.return: `return` is a keyword of Python (say what it does to what, such as `return_order`)"
        ],
        id="a keyword as a command",
    ),
    pytest.param(
        BASE.replace("Order:", "None:"),
        [
            "6:7: services.orders.aggregates.None: `None` has a meaning of its own in generated code (add a word, such as `NoneRecord`)"
        ],
        id="a keyword as an aggregate",
    ),
    pytest.param(
        BASE.replace("Order:", "Event:"),
        [
            "6:7: services.orders.aggregates.Event: `Event` has a meaning of its own in generated code (add a word, such as `EventRecord`)"
        ],
        id="a word of the chassis as an aggregate",
    ),
    pytest.param(
        BASE.replace("Order:", "Class:"),
        [
            "6:7: services.orders.aggregates.Class: `Class` has a meaning of its own in generated code (add a word, such as `ClassRecord`)"
        ],
        id="a class of Python's keyword as an aggregate",
    ),
    pytest.param(
        BASE.replace("order.paid", "paid"),
        [
            "10:24: services.orders.aggregates.Order.commands.pay.emits: 'paid' is not an event: expected `subject.what_happened`"
        ],
        id="an event without a subject",
    ),
    pytest.param(
        BASE.replace("order.paid", "shop.order.paid"),
        [
            "10:24: services.orders.aggregates.Order.commands.pay.emits: 'shop.order.paid' is not an event: expected `subject.what_happened`"
        ],
        id="an event of three words",
    ),
    pytest.param(
        BASE + "sagas: {s: {owner: orders, when: order.created, steps: [{do: pay}]}}\n",
        ["11:62: sagas.s.steps[0].do: 'pay' is not a command: expected `service.command`"],
        id="a command without a service",
    ),
    pytest.param(
        BASE + "    views: {all: {of: Order, from: ['*.created']}}\n",
        [
            "11:37: services.orders.views.all.from[0]: '*.created' is not an event: expected `subject.what_happened` or `subject.*`"
        ],
        id="a pattern in the middle",
    ),
]


@pytest.mark.parametrize(("text", "problems"), CASES)
def test_broken(text: str, problems: list[str]) -> None:
    with pytest.raises(SpecError) as refusal:
        loads(text, "s.yaml")
    assert [str(problem).removeprefix("s.yaml:").strip() for problem in refusal.value.problems] == problems
