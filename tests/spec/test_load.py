"""All problems of a file at once, each at its place."""

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads, loads_with_marks
from archgen.spec.model import FieldType, Scalar
from tests.spec.samples import BASE, PEER, SHOP


def problems(text: str) -> list[str]:
    with pytest.raises(SpecError) as refused:
        loads(text, "s.yaml")
    return [f"{each.line}: {each.message}" for each in refused.value.problems]


def test_problems_of_all_kinds_come_together_in_the_order_of_the_file() -> None:
    text = (
        BASE.replace("amount: money,", "amount: monney,").replace("system: shop", "system: Shop")
        + "    port: 1\n    port: 2\n"
        + "    views: {all: {of: Ordr, from: [order.*]}}\n"
        + "    template: mine\n"
        + "sagas: {s: {owner: orders, when: order.creatd, steps: [{do: orders.pay}]}}\n"
    )
    assert problems(text) == [
        "2: 'Shop' is not a name: expected lower-case words joined by `_`",
        "7: 'monney' is not a field type",
        "12: the key 'port' is given twice, first in line 11",
        "13: `orders` has no aggregate `Ordr`",
        "14: `template` is not available in this version",
        "15: no event `order.creatd`",
    ]


def test_what_follows_from_a_broken_part_is_not_told() -> None:
    text = PEER.replace("charge: {takes", "charge: {takez") + (
        "    views: {c: {of: Card, from: [card.charged, card.gone]}}\n"
        "sagas: {s: {owner: orders, when: order.created, steps: [{do: cards.charge}, {do: orders.gone}]}}\n"
    )
    assert problems(text) == [
        "16: unknown key 'takez'",
        "18: no event matches `card.gone`",
        "19: no command `orders.gone`",
    ]


def test_names_that_a_broken_part_may_declare_are_not_missed() -> None:
    text = PEER.replace("emits: card.charged", "emitz: card.charged") + (
        "    views: {c: {of: Card, from: [card.charged]}}\n"
        "sagas: {s: {owner: orders, when: order.created, steps: [{do: cards.charge}]}}\n"
    )
    assert problems(text) == ["16: the key `emits` is missing", "16: unknown key 'emitz'"]


def test_types_are_parsed_once() -> None:
    fields = loads(SHOP).services["orders"].aggregates["Order"].fields
    assert fields == {
        "customer_id": FieldType(scalar=Scalar.UUID),
        "items": FieldType(named="Item", many=True),
        "amount": FieldType(scalar=Scalar.MONEY),
        "status": FieldType(enum=("created", "confirmed", "cancelled")),
    }


@pytest.mark.parametrize("text", ["optional string", "[Item]", "optional [Item]", "a|b", "[a|b]", "money"])
def test_types_read_back_as_they_were_written(text: str) -> None:
    types = "types: {Item: {sku: string}}\n"
    system = loads(types + BASE.replace("amount: money,", f"amount: '{text}',"))
    assert str(system.services["orders"].aggregates["Order"].fields["amount"]) == text


def test_the_first_command_creates_and_the_id_is_named_after_the_aggregate() -> None:
    order = loads(BASE).services["orders"].aggregates["Order"]
    assert order.id == "order_id"
    assert [command.creates for command in order.commands.values()] == [True, False]


def test_another_command_may_create() -> None:
    order = loads(BASE.replace("pay: {", "pay: {creates: true, ")).services["orders"].aggregates["Order"]
    assert [command.creates for command in order.commands.values()] == [False, True]


def test_the_document_knows_the_place_of_every_key() -> None:
    document = loads_with_marks(BASE).document
    path = ("services", "orders", "aggregates", "Order", "commands", "pay")
    assert document.place(path, key=True) == (10, 11)
    assert document.place(path) == (10, 16)
    assert document.place((*path, "fails")) == (10, 16)
