"""Agents of a service: what is loaded, what their tools may be, and what check has to say."""

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads, loads_with_marks
from archgen.spec.findings import check
from tests.spec.samples import AGENT, BASE


def told(text: str) -> list[str]:
    with pytest.raises(SpecError) as raised:
        loads(text, "s.yaml")
    return [f"{each.key}: {each.message} ({each.remedy})" for each in raised.value.problems]


def test_what_is_said_and_what_is_not() -> None:
    agent = loads(AGENT).services["cards"].agents["advisor"]
    assert (agent.goal, agent.of, agent.unconfirmed) == ("Look after cards.", "Card", ("refund",))
    assert agent.tools == ("charges", "orders.details", "refund", "charge")
    assert agent.limits.model_dump() == {"turns": 3, "tokens": 5000, "seconds": 20, "runs": 2}
    plain = loads(BASE + "    agents: {helper: {goal: Help.}}\n").services["orders"].agents["helper"]
    assert (plain.of, plain.tools, plain.unconfirmed) == ("", (), ())
    assert plain.limits.model_dump() == {"turns": 8, "tokens": 20_000, "seconds": 60, "runs": 4}


AT = "services.cards.agents.advisor"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "[charges,",
            "[charge_list,",
            f"{AT}.tools[0]: `cards` has no view, command or call `charge_list` (did you mean `charges`?)",
        ),
        (
            "orders.details, refund",
            "orders.detail, refund",
            f"{AT}.tools[1]: no call `orders.detail` (did you mean `orders.details`?)",
        ),
        (
            "      orders.details: {}",
            "      {}",
            f"{AT}.tools[1]: `cards` does not call `orders.details` (add `orders.details: {{}}` to `calls`)",
        ),
        (
            "orders.details, refund",
            "cards.charges, refund",
            f"{AT}.tools[1]: `cards.charges` is of this service itself (write `charges`)",
        ),
        (
            "refund, charge]",
            "refund, refund]",
            f"{AT}.tools[3]: `refund` is listed twice (once is enough)",
        ),
        (
            "      charges: {of",
            "      charge: {of",
            f"{AT}.tools[3]: `charge` is a view and a command of `cards` (rename one of them)",
        ),
        (
            "unconfirmed: [refund]",
            "unconfirmed: [refunds]",
            f"{AT}.unconfirmed[0]: `refunds` is no command among its tools (did you mean `refund`?)",
        ),
        (
            "unconfirmed: [refund]",
            "unconfirmed: [charges]",
            f"{AT}.unconfirmed[0]: `charges` is no command among its tools (did you mean `charge`?)",
        ),
        ("of: Card\n", "of: Cart\n", f"{AT}.of: `cards` has no aggregate `Cart` (did you mean `Card`?)"),
        (
            "refund: {emits",
            "analyse: {emits: card.looked_at}\n          refund: {emits",
            f"{AT}.of: `analyse` is also a command of `Card`, at the same URL (rename the command)",
        ),
        (
            "      advisor:",
            "      first: {goal: Look., of: Card}\n      advisor:",
            f"{AT}.of: `first` looks at `Card` already (one agent per aggregate has the URL `analyse`)",
        ),
        (
            "      charges: {of",
            "      agents: {of: Card, from: [card.*]}\n      charges: {of",
            "services.cards.views.agents: `/agents` is the URL of its agents already (rename one of them)",
        ),
    ],
)
def test_what_stands_for_nothing_is_told(before: str, after: str, message: str) -> None:
    assert before in AGENT
    assert message in told(AGENT.replace(before, after, 1))


def test_a_tool_sends_its_command() -> None:
    loaded = loads_with_marks(AGENT, "s.yaml")
    found = {(each.code, each.key) for each in check(loaded.system, loaded.document)}
    assert ("command-unsent", "services.cards.aggregates.Card.commands.refund") not in found
    assert ("agent-unconfirmed", f"{AT}.unconfirmed[0]") in found


def test_an_agent_that_can_do_nothing() -> None:
    loaded = loads_with_marks(BASE + "    agents: {helper: {goal: Help.}}\n", "s.yaml")
    found = {each.code: each.message for each in check(loaded.system, loaded.document)}
    assert found["agent-idle"] == "`helper` has no tools, so it can only talk"
