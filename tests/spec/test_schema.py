"""The JSON Schema as editors see it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from archgen.spec.schema import schema
from archgen.spec.yaml12 import parse
from tests.spec.samples import AGENT, BASE, CHOREOGRAPHED_SHOP, SHOP

VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("text", [SHOP, CHOREOGRAPHED_SHOP, AGENT, BASE + "x-own: {any: thing}\n"])
def test_it_accepts(text: str) -> None:
    VALIDATOR.validate(parse(text, "s.yaml").plain())
    VALIDATOR.validate({**_data(text), "x-own": [1]})


@pytest.mark.parametrize(
    "text",
    [
        BASE + "    langage: python\n",
        BASE + "    template: mine\n",
        BASE + "    agents: {helper: {}}\n",
        BASE + "    agents: {helper: {goal: Help., tools: [Order]}}\n",
        BASE + "    port: '1'\n",
        BASE + "policies: {slow: {timeout: 5}}\n",
        BASE + "sagas: {s: {steps: [{when: order.created, do: orders.pay}]}}\n",
        BASE
        + "sagas: {s: {style: choreography, when: a.b, steps: [{when: order.created, do: orders.pay}]}}\n",
        BASE.replace("  orders:", "  Orders:"),
        BASE.replace("amount: money,", "amount: monney,"),
    ],
)
def test_it_refuses(text: str) -> None:
    assert not VALIDATOR.is_valid(_data(text))


def test_every_key_is_explained_or_explains_itself() -> None:
    silent = {
        f"{name}.{key}"
        for name, part in schema()["$defs"].items()
        for key, described in part.get("properties", {}).items()
        if "description" not in described and "$ref" not in described
    }
    assert silent == {"Orchestration.style", "Choreography.style", "Service.aggregates"}


def test_defaults_are_written_as_in_a_file() -> None:
    policy = schema()["$defs"]["Policy"]["properties"]
    assert policy["timeout"]["default"] == "2s"
    assert schema()["$defs"]["Retry"]["properties"]["delay"]["default"] == "200ms"


def _data(text: str) -> dict[str, Any]:
    data = parse(text, "s.yaml").plain()
    assert isinstance(data, dict)
    return data
