from __future__ import annotations

from typing import Any

import pytest

from archgen.contracts import openapi
from archgen.spec import loads

SYSTEM = loads("""
archgen: 1
system: shop
services:
  orders:
    aggregates:
      OrderItem:
        fields: {customer_id: uuid, note: optional string, price: money}
        commands:
          create: {takes: {customer_id: uuid, note: optional string}, emits: item.created}
          approve: {emits: item.approved, fails: item.rejected}
          change: {takes: {note: optional string}, emits: item.changed}
      Stock:
        id: sku
        fields: {sku: string}
        commands: {receive: {emits: stock.received}}
    views: {item_list: {of: OrderItem, from: [item.*]}}
""")
DOCUMENT = openapi(SYSTEM, "orders")


def operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method]
    return found


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name]
    return found


def test_the_paths_are_those_that_a_service_serves() -> None:
    assert {path: list(item) for path, item in DOCUMENT["paths"].items()} == {
        "/order-items": ["post"],
        "/order-items/{order_item_id}/approve": ["post"],
        "/order-items/{order_item_id}/change": ["post"],
        "/order-items/{order_item_id}": ["get"],
        "/stocks": ["post"],
        "/stocks/{sku}": ["get"],
        "/item-list": ["get"],
        "/item-list/{order_item_id}": ["get"],
        "/health/live": ["get"],
        "/health/ready": ["get"],
        "/metrics": ["get"],
    }


def test_an_id_is_optional_only_where_the_service_can_choose_one() -> None:
    assert schema("OrderItem.create")["required"] == ["customer_id"]
    assert schema("Stock.receive")["required"] == ["sku"]


def test_a_command_answers_with_id_and_version() -> None:
    assert "201" in operation("post", "/order-items")["responses"]
    assert "200" in operation("post", "/order-items/{order_item_id}/approve")["responses"]
    assert schema("OrderItem.accepted")["required"] == ["order_item_id", "version"]


def test_a_command_that_takes_nothing_has_no_body() -> None:
    assert "requestBody" not in operation("post", "/order-items/{order_item_id}/approve")
    assert operation("post", "/order-items/{order_item_id}/change")["requestBody"]["required"] is False


def test_every_post_honours_an_idempotency_key_and_no_get_does() -> None:
    key = {"$ref": "#/components/parameters/idempotency_key"}
    for item in DOCUMENT["paths"].values():
        for method, found in item.items():
            assert (key in found.get("parameters", [])) == (method == "post")


@pytest.mark.parametrize("status", ["400", "404", "409", "422", "500", "503"])
def test_errors_are_problems(status: str) -> None:
    reference = operation("post", "/order-items/{order_item_id}/approve")["responses"][status]["$ref"]
    response = DOCUMENT["components"]["responses"][reference.rpartition("/")[2]]
    assert list(response["content"]) == ["application/problem+json"]


def test_fields_that_may_be_missing_may_be_null_too() -> None:
    assert schema("OrderItem.create")["properties"]["note"] == {"type": ["string", "null"]}
