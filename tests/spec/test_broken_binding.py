"""Broken descriptions, each with its messages: arguments of commands that come from nowhere."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads
from tests.spec.samples import CHOREOGRAPHED, ORCHESTRATED, PEER

CASES = [
    pytest.param(
        PEER.replace("order_id: uuid, amount: money}, emits", "order_id: uuid, iban: string}, emits")
        + ORCHESTRATED
        + "      - {do: cards.charge}\n",
        [
            "23:14: sagas.s.steps[0].do: the argument `iban` (string) of `cards.charge` has no source: looked in `order.created` (carry it in the event, or give it: `with: {iban: ...}`)"
        ],
        id="an argument without a source",
    ),
    pytest.param(
        PEER.replace("order_id: uuid, amount: money}, emits", "order_id: uuid, amount: number}, emits")
        + ORCHESTRATED
        + "      - {do: cards.charge}\n",
        [
            "23:14: sagas.s.steps[0].do: `amount` of `cards.charge` is `number`, but `order.created` has it as `money` (carry it in the event, or give it: `with: {amount: ...}`)"
        ],
        id="an argument of another type",
    ),
    pytest.param(
        PEER.replace("refund: {", "refund: {takes: {iban: string}, ").replace(
            "fields: {order_id: uuid,", "fields: {iban: string, order_id: uuid,"
        )
        + ORCHESTRATED
        + "      - {do: cards.charge, undo: cards.refund}\n",
        [
            "23:34: sagas.s.steps[0].undo: the argument `iban` (string) of `cards.refund` has no source: looked in `order.created` (carry it in the event, or give it: `with: {iban: ...}`)"
        ],
        id="an undo with its own step's result",
    ),
    pytest.param(
        PEER.replace(
            "        fields: {order_id: uuid,",
            "        id: iban\n        fields: {iban: string, order_id: uuid,",
        )
        + ORCHESTRATED
        + "      - {do: cards.charge}\n",
        [
            "24:14: sagas.s.steps[0].do: the argument `iban` (string) of `cards.charge` has no source: looked in `order.created`; an id that the saga assigns is a uuid (carry it in the event, or give it: `with: {iban: ...}`)"
        ],
        id="an id that is no uuid",
    ),
    pytest.param(
        PEER + ORCHESTRATED + "      - {do: orders.create}\n",
        [
            "23:14: sagas.s.steps[0].do: `orders.create` creates a new Order, but the `order_id` at hand, in `order.created`, is that of one that exists"
        ],
        id="creating what exists",
    ),
    pytest.param(
        PEER.replace("pay: {", "pay: {takes: {iban: string}, ")
        + ORCHESTRATED
        + "      - {do: cards.charge}\n    then: orders.pay\n",
        [
            "24:11: sagas.s.then: the argument `iban` (string) of `orders.pay` has no source: looked in `order.created`, the result of `cards.charge` (carry it in the event that starts the saga)"
        ],
        id="then without a source",
    ),
    pytest.param(
        PEER + ORCHESTRATED + "      - {do: cards.charge}\n    else: cards.refund\n",
        [
            "24:11: sagas.s.else: the argument `card_id` (uuid) of `cards.refund` has no source: looked in `order.created` (carry it in the event that starts the saga)"
        ],
        id="else from a result",
    ),
    pytest.param(
        PEER + ORCHESTRATED + "      - {do: cards.charge, with: {amont: 5}}\n",
        [
            "23:35: sagas.s.steps[0].with.amont: `cards.charge` takes no argument `amont` (arguments: `amount`, `card_id`, `order_id`)"
        ],
        id="with an unknown argument",
    ),
    pytest.param(
        PEER + ORCHESTRATED + "      - {do: cards.charge, with: {amount: 5}}\n",
        [
            '23:43: sagas.s.steps[0].with.amount: the value for `amount` of `cards.charge` is not of the type `money` (for example `{amount: "19.99", currency: EUR}`)'
        ],
        id="with a literal of another type",
    ),
    pytest.param(
        PEER + ORCHESTRATED + "      - {do: cards.charge, with: {amount: $amont}}\n",
        [
            "23:43: sagas.s.steps[0].with.amount: `$amont`: `order.created` has no such field (did you mean `$amount`?)"
        ],
        id="with an unknown field",
    ),
    pytest.param(
        PEER + ORCHESTRATED + "      - {do: cards.charge, with: {amount: $status}}\n",
        ["23:43: sagas.s.steps[0].with.amount: `$status` is `unpaid|paid`, but `amount` is `money`"],
        id="with a field of another type",
    ),
    pytest.param(
        PEER + ORCHESTRATED + "      - {do: cards.charge, with: {amount: $cards.refund.amount}}\n",
        ["23:43: sagas.s.steps[0].with.amount: `$cards.refund.amount`: no earlier step does `cards.refund`"],
        id="with a later step",
    ),
    pytest.param(
        PEER
        + ORCHESTRATED
        + "      - {do: cards.charge}\n      - {do: cards.refund, with: {card_id: $cards.charge.order_id}}\n",
        [
            "24:44: sagas.s.steps[1].with.card_id: `$cards.charge.order_id`: `order.created` has `order_id` too, and is asked first (rename one of the fields)"
        ],
        id="with a field that the event has too",
    ),
    pytest.param(
        PEER + "    on: {order.paid: {do: refund}}\n",
        [
            "18:27: services.cards.on[order.paid].do: the argument `card_id` (uuid) of `cards.refund` has no source: looked in `order.paid` (carry it in the event, or give it: `with: {card_id: ...}`)"
        ],
        id="a reaction",
    ),
    pytest.param(
        PEER + "    on: {order.paid: {do: charge, with: {order_id: 7}}}\n",
        [
            "18:42: services.cards.on[order.paid].with.order_id: the value for `order_id` of `cards.charge` is not of the type `uuid`"
        ],
        id="a reaction with a wrong literal",
    ),
    pytest.param(
        PEER.replace("{amount: money, status", "{iban: string, amount: money, status")
        .replace("refund: {", "refund: {takes: {iban: string}, ")
        .replace("order.paid}\n", "order.paid}\n        events: {order.paid: [amount]}\n")
        + CHOREOGRAPHED
        + "      - {when: order.created, do: cards.charge}\n      - {when: order.paid, do: cards.charge}\n      - {when: card.charged, do: cards.refund}\n",
        [
            "25:34: sagas.s.steps[2].do: the argument `iban` (string) of `cards.refund` has no source: looked in `card.charged`, what has travelled with the saga (carry it in the event, or give it: `with: {iban: ...}`)"
        ],
        id="a choreographed step that not all paths lead to with the data",
    ),
]


@pytest.mark.parametrize(("text", "problems"), CASES)
def test_broken(text: str, problems: list[str]) -> None:
    with pytest.raises(SpecError) as refusal:
        loads(text, "s.yaml")
    assert [str(problem).removeprefix("s.yaml:").strip() for problem in refusal.value.problems] == problems
