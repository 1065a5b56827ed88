"""Broken descriptions, each with its messages: names that stand for nothing."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads
from tests.spec.samples import BASE, PEER

CASES = [
    pytest.param(
        BASE.replace("amount: money,", "items: [Item], amount: money,"),
        ["7:25: services.orders.aggregates.Order.fields.items: no type `Item` (declare it under `types`)"],
        id="a type",
    ),
    pytest.param(
        BASE + "    jobs: {sweep: {takes: {items: [Item]}}}\n",
        ["11:35: services.orders.jobs.sweep.takes.items: no type `Item` (declare it under `types`)"],
        id="the type of a job's argument",
    ),
    pytest.param(
        "types: {Item: {sku: string}}\n" + BASE.replace("amount: money,", "items: [Itm], amount: money,"),
        ["8:25: services.orders.aggregates.Order.fields.items: no type `Itm` (did you mean `Item`?)"],
        id="a type with a neighbour",
    ),
    pytest.param(
        BASE.replace("amount: money,", "parent: Order, amount: money,"),
        [
            "7:26: services.orders.aggregates.Order.fields.parent: `Order` is an aggregate of `orders`, not a type (refer to it by its id, as a uuid)"
        ],
        id="an aggregate as a type",
    ),
    pytest.param(
        BASE + "    views: {all: {of: Ordr, from: [order.*]}}\n",
        ["11:23: services.orders.views.all.of: `orders` has no aggregate `Ordr` (did you mean `Order`?)"],
        id="a view of an unknown aggregate",
    ),
    pytest.param(
        PEER + "    views: {all: {of: Order, from: [order.*]}}\n",
        ["18:23: services.cards.views.all.of: `cards` has no aggregate `Order` (one of `Card`)"],
        id="a view of another service's aggregate",
    ),
    pytest.param(
        BASE + "    views: {all: {of: Order, from: [ordr.*]}}\n",
        ["11:37: services.orders.views.all.from[0]: no event matches `ordr.*` (did you mean `order.*`?)"],
        id="a view's pattern",
    ),
    pytest.param(
        BASE + "    views: {all: {of: Order, from: [order.payed]}}\n",
        [
            "11:37: services.orders.views.all.from[0]: no event matches `order.payed` (did you mean `order.paid`?)"
        ],
        id="a view's event",
    ),
    pytest.param(
        PEER.replace("fields: {order_id: uuid, amount: money}", "fields: {amount: money}").replace(
            "  cards:", "    views: {all: {of: Order, from: [order.*, card.*]}}\n  cards:"
        ),
        [
            "11:46: services.orders.views.all.from[1]: `card.charged` has no `order_id` to find the Order by (carry `order_id` in it, or leave it out)"
        ],
        id="a view's event without the id",
    ),
    pytest.param(
        PEER + "    calls: {orders.details: {}}\n",
        [
            "18:13: services.cards.calls[orders.details]: no view `orders.details` (a call asks a view of another service)"
        ],
        id="a call",
    ),
    pytest.param(
        BASE + "    views: {all: {of: Order, from: [order.*]}}\n    calls: {orders.all: {}}\n",
        [
            "12:13: services.orders.calls[orders.all]: `orders.all` is a view of this service itself (read the view instead of calling it)"
        ],
        id="a call of its own view",
    ),
    pytest.param(
        PEER + "    calls: {orders.all: {policy: slow}}\n".replace("  calls", "  calls"),
        [
            "18:13: services.cards.calls[orders.all]: no view `orders.all` (a call asks a view of another service)",
            "18:34: services.cards.calls[orders.all].policy: no policy `slow` (one of `default`)",
        ],
        id="a policy",
    ),
    pytest.param(
        BASE + "    on: {order.payed: {do: pay}}\n",
        ["11:10: services.orders.on[order.payed]: no event `order.payed` (did you mean `order.paid`?)"],
        id="an event to react to",
    ),
    pytest.param(
        BASE + "    on: {order.created: {do: pya}}\n",
        ["11:30: services.orders.on[order.created].do: `orders` has no command `pya` (did you mean `pay`?)"],
        id="a command to react with",
    ),
    pytest.param(
        BASE + "sagas: {s: {owner: order, when: order.created, steps: [{do: orders.pay}]}}\n",
        ["11:20: sagas.s.owner: no service `order` (did you mean `orders`?)"],
        id="a saga's owner",
    ),
    pytest.param(
        BASE + "sagas: {s: {owner: orders, when: order.create, steps: [{do: orders.pay}]}}\n",
        ["11:34: sagas.s.when: no event `order.create` (did you mean `order.created`?)"],
        id="a saga's trigger",
    ),
    pytest.param(
        BASE + "sagas: {s: {owner: orders, when: order.created, steps: [{do: order.pay}]}}\n",
        ["11:62: sagas.s.steps[0].do: no command `order.pay` (did you mean `orders.pay`?)"],
        id="a saga's step",
    ),
    pytest.param(
        BASE
        + "sagas: {s: {owner: orders, when: order.created, steps: [{do: orders.pay, undo: orders.unpay}]}}\n",
        ["11:80: sagas.s.steps[0].undo: no command `orders.unpay` (did you mean `orders.pay`?)"],
        id="a saga's undo",
    ),
    pytest.param(
        BASE
        + "sagas: {s: {owner: orders, when: order.created, steps: [{do: orders.pay}], then: orders.a, else: cards.b}}\n",
        [
            "11:82: sagas.s.then: no command `orders.a` (did you mean `orders.pay`?)",
            "11:98: sagas.s.else: no command `cards.b`",
        ],
        id="a saga's ends",
    ),
    pytest.param(
        BASE + "sagas: {s: {style: choreography, steps: [{when: order.creatd, do: orders.pai}]}}\n",
        [
            "11:49: sagas.s.steps[0].when: no event `order.creatd` (did you mean `order.created`?)",
            "11:67: sagas.s.steps[0].do: no command `orders.pai` (did you mean `orders.pay`?)",
        ],
        id="a choreographed step",
    ),
    pytest.param(
        BASE + "decisions: {cqrs: {adopted_for: [Ordr], because: Reads differ.}}\n",
        ["11:34: decisions.cqrs.adopted_for[0]: nothing is called `Ordr` (did you mean `Order`?)"],
        id="a decision",
    ),
]


@pytest.mark.parametrize(("text", "problems"), CASES)
def test_broken(text: str, problems: list[str]) -> None:
    with pytest.raises(SpecError) as refusal:
        loads(text, "s.yaml")
    assert [str(problem).removeprefix("s.yaml:").strip() for problem in refusal.value.problems] == problems


def test_one_broken_step_hides_nothing_of_the_others() -> None:
    text = PEER + (
        "sagas:\n  s:\n    owner: orders\n    when: order.created\n    steps:\n"
        "      - {do: cards.charge, timeout: 3}\n      - {do: orders.payy, undo: cards.refnd}\n      - 7\n"
        "  t:\n    style: choreography\n    steps:\n"
        "      - {when: order.created, doo: cards.charge}\n      - {when: order.createdd, do: orders.payy}\n"
    )
    with pytest.raises(SpecError) as refused:
        loads(text, "s.yaml")
    assert [each.key for each in refused.value.problems] == [
        "sagas.s.steps[0].timeout",
        "sagas.s.steps[1].do",
        "sagas.s.steps[1].undo",
        "sagas.s.steps[2]",
        "sagas.t.steps[0]",
        "sagas.t.steps[0].doo",
        "sagas.t.steps[1].when",
        "sagas.t.steps[1].do",
    ]


def test_arguments_are_looked_at_although_something_else_is_wrong() -> None:
    text = PEER.replace("charge: {takes: {", "charge: {takes: {voucher: string, ") + (
        "    port: many\npolicies: {p: {timeout: 3}}\n"
        "sagas:\n  s:\n    owner: orders\n    when: order.created\n    steps:\n"
        "      - {do: cards.charge, undo: cards.refnd, attempts: 0}\n"
    )
    with pytest.raises(SpecError) as refused:
        loads(text, "s.yaml")
    assert [each.key for each in refused.value.problems] == [
        "services.cards.port",
        "policies.p.timeout",
        "sagas.s.steps[0].do",
        "sagas.s.steps[0].undo",
        "sagas.s.steps[0].attempts",
    ]
    assert "`voucher` (string) of `cards.charge` has no source" in str(refused.value)


def test_what_comes_after_a_dangling_name_is_not_guessed_at() -> None:
    text = PEER.replace("refund: {", "refund: {takes: {order_id: uuid, amount: money}, ").replace(
        "create: {takes: {amount: money}", "create: {takes: {}"
    ) + (
        "sagas:\n  s:\n    owner: orders\n    when: order.created\n    steps:\n"
        "      - {do: cards.chrge}\n      - {do: cards.refund}\n"
    )
    with pytest.raises(SpecError) as refused:
        loads(text, "s.yaml")
    assert [each.key for each in refused.value.problems] == ["sagas.s.steps[0].do"]
