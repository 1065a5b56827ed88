"""Agents in the contracts: what callers may say over HTTP, and what the model is told of its tools."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from archgen.contracts.agents import tool_contract, tools
from archgen.contracts.openapi import openapi
from archgen.spec import loads
from tests.spec.samples import AGENT, BASE

SYSTEM = loads(AGENT)
FOUND = {tool.name: tool for tool in tools(SYSTEM, "cards")}


def fits(tool: str, arguments: Any) -> bool:
    return Draft202012Validator(FOUND[tool].schema).is_valid(arguments)


def test_every_tool_is_told_once_and_as_the_api_wants_it() -> None:
    assert list(FOUND) == ["charges", "orders__details", "refund", "charge"]
    assert [tool.kind for tool in FOUND.values()] == ["view", "call", "command", "command"]
    for told in tool_contract(tuple(FOUND.values())):
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", told["name"])
        assert told["description"]
        Draft202012Validator.check_schema(told["input_schema"])
        assert told["input_schema"]["type"] == "object"


ID = "0f000000-0000-4000-8000-00000000000f"
MONEY = {"amount": "1.00", "currency": "EUR"}


@pytest.mark.parametrize(
    ("tool", "arguments", "good"),
    [
        ("charges", {"card_id": ID}, True),
        ("charges", {"card_id": "7"}, False),
        ("charges", {"card_id": ID, "all": True}, False),
        ("orders__details", {"order_id": ID}, True),
        ("refund", {"card_id": ID}, True),
        ("refund", {}, False),
        # The service chooses the id of what is created, as it does over HTTP.
        ("charge", {"order_id": ID, "amount": MONEY}, True),
        ("charge", {"order_id": ID, "amount": 1.0}, False),
        ("charge", {"order_id": ID, "amount": MONEY, "card_id": ID}, True),
    ],
)
def test_arguments_are_what_the_contract_says(tool: str, arguments: Any, good: bool) -> None:
    assert fits(tool, arguments) is good


def test_the_document_is_sound_and_has_every_operation() -> None:
    document = openapi(SYSTEM, "cards")
    validate(document)
    runs = "/agents/advisor/runs"
    assert document["paths"][runs].keys() == {"post"}
    assert document["paths"][f"{runs}/{{run_id}}"].keys() == {"get"}
    assert document["paths"][f"{runs}/{{run_id}}/confirm"].keys() == {"post"}
    assert document["paths"]["/cards/{card_id}/analyse"].keys() == {"post"}
    assert "agents" in {tag["name"] for tag in document["tags"]}


def test_what_is_posted_by_way_of_example_fits() -> None:
    document = openapi(SYSTEM, "cards")
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        if path.startswith("/agents") and "requestBody" in item.get("post", {}):
            media = item["post"]["requestBody"]["content"]["application/json"]
            name = media["schema"]["$ref"].rpartition("/")[2]
            Draft202012Validator(schemas[name]).validate(media["examples"]["typical"]["value"])


@pytest.mark.parametrize(
    ("task", "good"), [("Look.", True), ("", False), (" \n", False), ("x" * 8001, False)]
)
def test_a_task_says_something(task: str, good: bool) -> None:
    schema = openapi(SYSTEM, "cards")["components"]["schemas"]["agent.task"]
    assert Draft202012Validator(schema).is_valid({"task": task}) is good


def test_a_service_without_agents_has_nothing_of_it() -> None:
    document = openapi(loads(BASE), "orders")
    assert not any("agent" in name for name in document["components"]["schemas"])
    assert not any("agent" in path for path in document["paths"])
