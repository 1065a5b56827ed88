"""An agent as data: its goal, its tools and its limits.

    order_advisor = Agent(
        name="order_advisor",
        goal="Analyse an order and suggest optimisations.",
        tools=(tools.ORDER_DETAILS, tools.CANCEL),
        limits=Limits(turns=8, tokens=20_000, seconds=60),
    )

The model sees the tools of this list and gets nothing done but through them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from chassis.domain import AggregateType, UseCase
from chassis.jsons import loads

if TYPE_CHECKING:
    from chassis.agents.desk import Desk

Read = Callable[["Desk", Mapping[str, Any]], Awaitable[Any]]
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Limits:
    """Where a run ends whatever the model wants.

    `turns` are answers of the model, `tokens` all that is read and written in them together, `seconds`
    the time spent working (waiting for a person is not counted). `runs` is how many may be under way
    at once in one process.
    """

    turns: int = 8
    tokens: int = 20_000
    seconds: float = 60.0
    runs: int = 4


@dataclass(frozen=True)
class Described:
    """What the model is told of a tool: its name, what it is for, the JSON Schema of its arguments."""

    name: str
    about: str
    schema: Schema

    @cached_property
    def validator(self) -> Draft202012Validator:
        return Draft202012Validator(dict(self.schema), format_checker=Draft202012Validator.FORMAT_CHECKER)

    def faults(self, arguments: object) -> list[str]:
        """What is wrong with `arguments`, for the model to mend; empty when they fit."""
        found = sorted(self.validator.iter_errors(arguments), key=lambda error: error.json_path)
        return [f"{error.json_path}: {error.message[:200]}" for error in found[:5]]


@dataclass(frozen=True)
class ReadTool:
    """Looks something up and changes nothing."""

    described: Described
    read: Read


@dataclass(frozen=True)
class CommandTool:
    """Has a command of this service carried out, in one transaction."""

    described: Described
    use_case: UseCase


Tool = ReadTool | CommandTool


@dataclass(frozen=True)
class Agent:
    """`unconfirmed` names the commands that may be carried out on the model's word alone.

    Every other command waits until a person has seen its arguments and said yes. `of` is the kind
    of aggregate that `analyse` looks at; `instructions` is the system prompt's part that is yours.
    """

    name: str
    goal: str
    instructions: str = ""
    tools: tuple[Tool, ...] = ()
    unconfirmed: frozenset[str] = frozenset()
    limits: Limits = Limits()
    of: AggregateType[Any] | None = None

    @cached_property
    def by_name(self) -> Mapping[str, Tool]:
        return {tool.described.name: tool for tool in self.tools}

    def needs_confirmation(self, tool: Tool) -> bool:
        return isinstance(tool, CommandTool) and tool.described.name not in self.unconfirmed


def described(path: Path) -> dict[str, Described]:
    """The tools of the contract file `path`, by name."""
    contract = loads(path.read_text("utf-8"))
    return {
        each["name"]: Described(each["name"], each["description"], each["input_schema"]) for each in contract
    }
