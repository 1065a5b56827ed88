"""Names → identifiers."""

from __future__ import annotations

import keyword
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen.spec import names
from archgen.spec.identifiers import NAME, TYPE_NAME
from archgen.spec.reserved import PYTHON, PYTHON_MODULES


@pytest.mark.parametrize(
    ("name", "snake", "pascal", "kebab", "camel"),
    [
        ("order", "order", "Order", "order", "order"),
        ("OrderItem", "order_item", "OrderItem", "order-item", "orderItem"),
        ("order_item", "order_item", "OrderItem", "order-item", "orderItem"),
        ("HTTPServer", "http_server", "HttpServer", "http-server", "httpServer"),
        ("order.item_added", "order_item_added", "OrderItemAdded", "order-item-added", "orderItemAdded"),
    ],
)
def test_cases(name: str, snake: str, pascal: str, kebab: str, camel: str) -> None:
    assert names.snake(name) == snake
    assert names.pascal(name) == pascal
    assert names.kebab(name) == kebab
    assert names.camel(name) == camel


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("order", "orders"),
        ("category", "categories"),
        ("day", "days"),
        ("box", "boxes"),
        ("address", "addresses"),
    ],
)
def test_plural(one: str, many: str) -> None:
    assert names.plural(one) == many


def test_the_url_of_an_aggregate() -> None:
    assert names.collection("StockReservation") == "stock-reservations"


@given(st.from_regex(NAME, fullmatch=True))
def test_a_name_is_an_identifier_of_python_everywhere(name: str) -> None:
    for identifier in (names.python_name(name), names.python_module(name), names.pascal(name)):
        assert identifier.isidentifier()
    assert not keyword.iskeyword(names.python_name(name))


@given(st.from_regex(NAME, fullmatch=True))
def test_snake_case_keeps_a_name(name: str) -> None:
    assert names.snake(name) == name


@given(st.from_regex(TYPE_NAME, fullmatch=True))
def test_snake_case_of_a_type_is_a_name(name: str) -> None:
    assert names.snake(names.snake(name)) == names.snake(name)


@pytest.mark.parametrize("service", ["json", "email", "queue", "chassis", "tests", "class", "select", "nats"])
def test_a_service_never_hides_a_module(service: str) -> None:
    assert names.python_module(service) == f"{service}_service"


def test_the_words_of_this_python_are_known() -> None:
    assert set(keyword.kwlist) <= PYTHON
    assert {name for name in sys.stdlib_module_names if not name.startswith("_")} - {
        "cProfile"
    } <= PYTHON_MODULES
