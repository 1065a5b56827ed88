"""What the environment says about agents: the model, its API, and prices.

    ANTHROPIC_API_KEY     the key; a secret
    ANTHROPIC_BASE_URL    where the API is, if not at its usual address
    AGENT_MODEL           the id of the model
    <AGENT>_MODEL         the same for one agent, such as ORDER_ADVISOR_MODEL
    AGENT_PRICES          JSON: {"<model>": {"input": 3, "output": 15}}, per million tokens

In dev, what is missing makes the agents answer 503 and nothing else; prod does not start.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chassis.agents.usage import KINDS, Prices
from chassis.jsons import loads
from chassis.settings import SettingsError, is_placeholder

ADDRESS = "https://api.anthropic.com"
KEY = "ANTHROPIC_API_KEY"
MODEL = "AGENT_MODEL"


@dataclass(frozen=True)
class AgentSettings:
    """`models` has the model of each agent that has one."""

    base_url: str
    models: Mapping[str, str]
    prices: Prices
    key: str = field(repr=False)

    @classmethod
    def from_env(cls, agents: Iterable[str], env: Mapping[str, str], *, prod: bool) -> AgentSettings:
        """Read the settings. Raises SettingsError for what is malformed and, in prod, for what is missing."""
        given = {name: value.strip() for name, value in env.items()}
        key, base_url = given.get(KEY, ""), given.get("ANTHROPIC_BASE_URL", "") or ADDRESS
        models = {agent: given.get(_variable(agent), "") or given.get(MODEL, "") for agent in agents}
        problems: list[str] = []
        if not base_url.startswith(("http://", "https://")):
            problems.append("ANTHROPIC_BASE_URL must be an http(s) address")
        prices = _prices(given.get("AGENT_PRICES", ""), problems)
        if prod:
            if not key:
                problems.append(f"{KEY} is missing; it is a secret and has no default in prod")
            elif is_placeholder(key):
                problems.append(f"{KEY} holds a placeholder, not a secret")
            problems += [
                f"{MODEL} (or {_variable(agent)}) is missing; prod has no default for it"
                for agent, model in models.items()
                if not model
            ]
        if problems:
            raise SettingsError(problems)
        return cls(base_url, {agent: model for agent, model in models.items() if model}, prices, key)

    def missing(self, agent: str) -> tuple[str, ...]:
        """The variables without which `agent` can't run."""
        return (*([] if self.key else [KEY]), *([] if agent in self.models else [MODEL]))


def _variable(agent: str) -> str:
    return f"{agent.upper()}_MODEL"


def _prices(text: str, problems: list[str]) -> Prices:
    if not text:
        return {}
    try:
        table = loads(text)
    except ValueError:
        table = None
    if not isinstance(table, dict) or not all(_is_price(price) for price in table.values()):
        problems.append(
            'AGENT_PRICES must be JSON such as {"<model>": {"input": 3, "output": 15}}, '
            f"by million tokens, of the kinds {', '.join(KINDS)}"
        )
        return {}
    return table


def _is_price(price: Any) -> bool:
    return isinstance(price, dict) and all(
        kind in KINDS
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value >= 0
        for kind, value in price.items()
    )
