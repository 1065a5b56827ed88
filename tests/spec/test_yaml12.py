"""YAML by the 1.2 core schema, and its bounds."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen.errors import SpecError
from archgen.spec import loads
from archgen.spec.yaml12 import MAX_DEPTH, parse, resolve
from tests.spec.samples import BASE


@pytest.mark.parametrize(
    "text",
    ["on", "off", "yes", "no", "y", "n", "1:30", "2026-01-31", "1_000", "0b1", "<<", "=", "tRue", "-", "."],
)
def test_what_yaml_1_1_takes_for_something_else_is_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-12", -12),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
    ],
)
def test_core_schema(text: str, value: object) -> None:
    found = resolve(text)
    assert (found, type(found)) == (value, type(value))


@given(st.text())
def test_resolving_never_fails_on_what_is_short(text: str) -> None:
    resolve(text[:40])


def test_on_is_a_key() -> None:
    system = loads(BASE + "    on: {order.created: {do: pay}}\n")
    assert system.services["orders"].on["order.created"].do == "pay"


def test_own_keys_are_ignored_wherever_they_stand() -> None:
    text = BASE.replace("system: shop", "system: shop\nx-any: {a: [1, 2]}") + "    x-more: 5\n"
    assert loads(text.replace("amount: money,", "x-y: 1, amount: money,")) == loads(BASE)


def test_an_alias_stands_for_its_value() -> None:
    text = "x-fields: &fields {amount: money, status: unpaid|paid}\n" + BASE.replace(
        "{amount: money, status: unpaid|paid}", "*fields"
    )
    assert loads(text) == loads(BASE)


def test_a_problem_in_an_alias_is_at_its_anchor() -> None:
    text = "x-fields: &fields {amount: monney}\n" + BASE.replace(
        "{amount: money, status: unpaid|paid}", "*fields"
    )
    with pytest.raises(SpecError) as refused:
        loads(text, "s.yaml")
    assert str(refused.value).startswith("s.yaml:1:28: services.orders.aggregates.Order.fields.amount:")


def test_a_billion_laughs() -> None:
    lines = ["x-0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    for level in range(1, 12):
        lines.append(f"x-{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")
    started = time.perf_counter()
    with pytest.raises(SpecError, match="the aliases of this file stand for more than 10,000 values"):
        loads("\n".join(lines))
    assert time.perf_counter() - started < 2


def test_deep_nesting() -> None:
    with pytest.raises(SpecError, match=f"nested deeper than {MAX_DEPTH} levels"):
        loads("x-deep: " + "[" * 100_000)


def test_depth_within_the_limit() -> None:
    depth = MAX_DEPTH - 1
    assert parse(f"a: {'[' * depth}{']' * depth}", "s.yaml").keys(()) == ("a",)
