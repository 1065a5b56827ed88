from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from archgen.contracts import contract_files
from archgen.contracts.examples import example
from archgen.spec import loads
from archgen.spec.fieldtypes import parse

SYSTEM = loads("""
archgen: 1
system: shop
types:
  Item: {sku: string, quantity: integer, price: money}
services:
  orders:
    aggregates:
      Order:
        fields: {items: [Item], reason: optional string, status: created|cancelled, due: date}
        commands:
          create: {takes: {items: [Item]}, emits: order.created}
          cancel: {takes: {reason: optional string}, emits: order.cancelled}
        events: {order.cancelled: [reason]}
""")
FILES = {path: text for path, text in contract_files(SYSTEM) if path.endswith(".json")}
ID = "0192f0c1-7d3a-7cc3-98c4-dc0c0c07398f"
PRICE = {"amount": "19.99", "currency": "EUR"}


def accepts(path: str, value: Any) -> bool:
    schema = json.loads(FILES[f"contracts/schemas/{path}"])
    return bool(Draft202012Validator(schema, format_checker=FormatChecker()).is_valid(value))


def test_there_is_one_file_per_event_and_command() -> None:
    assert sorted(FILES) == [
        "contracts/schemas/commands/orders.cancel.json",
        "contracts/schemas/commands/orders.create.json",
        "contracts/schemas/events/order.cancelled.json",
        "contracts/schemas/events/order.created.json",
    ]


def test_an_event_carries_the_id_and_what_the_file_narrows_it_to() -> None:
    schema = json.loads(FILES["contracts/schemas/events/order.cancelled.json"])
    assert list(schema["properties"]) == ["order_id", "reason"]
    assert schema["required"] == ["order_id"]


@pytest.mark.parametrize(
    "item",
    [
        {"sku": "PEN", "quantity": 1, "price": PRICE},
        {"sku": "PEN", "quantity": -1, "price": {"amount": "0.5", "currency": "EUR"}},
    ],
)
def test_what_fits_is_accepted(item: dict[str, Any]) -> None:
    assert accepts("commands/orders.create.json", {"order_id": ID, "items": [item]})


@pytest.mark.parametrize(
    "item",
    [
        {"sku": "PEN", "quantity": 1},
        {"sku": "PEN", "quantity": 1, "price": PRICE, "colour": "blue"},
        {"sku": "PEN", "quantity": 1.5, "price": PRICE},
        {"sku": "PEN", "quantity": 2**53, "price": PRICE},
        {"sku": None, "quantity": 1, "price": PRICE},
        {"sku": "PEN", "quantity": 1, "price": {"amount": 19.99, "currency": "EUR"}},
        {"sku": "PEN", "quantity": 1, "price": {"amount": "1e3", "currency": "EUR"}},
        {"sku": "PEN", "quantity": 1, "price": {"amount": "01.00", "currency": "EUR"}},
        {"sku": "PEN", "quantity": 1, "price": {"amount": "1.00", "currency": "eur"}},
    ],
)
def test_what_does_not_fit_is_not(item: dict[str, Any]) -> None:
    assert not accepts("commands/orders.create.json", {"order_id": ID, "items": [item]})


def test_an_id_is_a_uuid_and_an_optional_field_may_be_null_or_missing() -> None:
    assert accepts("commands/orders.cancel.json", {"order_id": ID})
    assert accepts("commands/orders.cancel.json", {"order_id": ID, "reason": None})
    assert not accepts("commands/orders.cancel.json", {"order_id": "42"})


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("string", "customer_name", "Ada Lovelace"),
        ("string", "first_word", "first word"),
        ("email", "contact", "ada@example.org"),
        ("small|large", "size", "small"),
        ("[money]", "prices", [PRICE]),
        ("Item", "first", {"sku": "SKU-1", "quantity": 2, "price": PRICE}),
    ],
)
def test_examples_speak_and_are_always_the_same(kind: str, name: str, value: object) -> None:
    assert example(SYSTEM, parse(kind), name) == value
