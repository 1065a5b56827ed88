"""The Python of an agent: the goal comes out as it went in, tools are listed, commands wait."""

from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgen.languages.python_agents import _text
from archgen.languages.python_format import WIDTH
from archgen.plan import plan
from archgen.render import render
from archgen.spec import loads
from tests.spec.samples import AGENT, BASE

SOURCE = "services/cards/src/cards/"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    recovery = 'recovery: {rpo: 5m, rto: 30m, backup: "0 2 * * *"}\n'
    return {file.path: file.contents.decode() for file in render(plan(loads(AGENT + recovery)))}


def test_the_agent_is_data(files: dict[str, str]) -> None:
    code = files[f"{SOURCE}agents/advisor.py"]
    assert 'GOAL = "Look after cards."' in code
    assert "tools=(tools.CHARGES, tools.ORDERS__DETAILS, tools.REFUND, tools.CHARGE)" in code
    assert 'unconfirmed=frozenset({"refund"})' in code
    assert "limits=Limits(turns=3, tokens=5000, seconds=20, runs=2)" in code
    assert "of=aggregates.CARD" in code


def test_tools_are_what_the_contract_lists(files: dict[str, str]) -> None:
    told = [tool["name"] for tool in json.loads(files[f"{SOURCE}generated/tools.json"])]
    code = files[f"{SOURCE}generated/tools.py"]
    assert told == ["charges", "orders__details", "refund", "charge"]
    assert all(f'_contract["{name}"]' in code for name in told)
    assert 'peer_view("orders", clients.orders_details, key="order_id")' in code
    assert 'REFUND = CommandTool(_contract["refund"], use_cases.REFUND)' in code


def test_it_is_wired_and_reached(files: dict[str, str]) -> None:
    assert "agents=(advisor_agent.advisor,)" in files[f"{SOURCE}generated/wiring.py"]
    routes = files[f"{SOURCE}generated/routes.py"]
    assert "add_agent(router, advisor_agent.advisor)" in routes
    assert 'add_analysis(router, advisor_agent.advisor, "/cards/{card_id}/analyse")' in routes
    assert "AGENT_MODEL=" in files[".env.example"]
    assert "services/cards/tests/test_agent_advisor.py" in files


def test_a_system_without_agents_has_nothing_of_them() -> None:
    recovery = 'recovery: {rpo: 5m, rto: 30m, backup: "0 2 * * *"}\n'
    files = {file.path: file.contents.decode() for file in render(plan(loads(BASE + recovery)))}
    assert not [path for path in files if "agent" in path and not path.startswith("chassis/")]
    assert "AGENT_MODEL" not in files[".env.example"]


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=400))
def test_a_goal_reads_back_as_it_was(goal: str) -> None:
    code = _text("GOAL", goal)
    scope: dict[str, str] = {}
    exec(code, scope)
    assert scope["GOAL"] == goal
    assert all(len(line) <= WIDTH for line in code.splitlines())
    assert isinstance(ast.parse(code).body[0], ast.Assign)
