"""The agents of a service: themselves, their tools, and tests that speak to a stub of the model."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from pydantic_core import to_json

from archgen.contracts.agents import Tool, analysis_path, tool_contract, tools
from archgen.contracts.examples import example_fields
from archgen.escape import py
from archgen.languages.python_calls import functions
from archgen.languages.python_format import WIDTH, call, tuple_of
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.plan_types import Code, Item, Text
from archgen.spec.facts import id_type
from archgen.spec.model import Agent
from archgen.spec.names import collection, python_name, snake, unique

FileOf = Callable[..., Item]


def agent_items(
    layout: Layout, yours: FileOf, generated: FileOf, test_file: Callable[[str], str]
) -> Iterator[Item]:
    """The files that a service has because it has agents."""
    source = f"services/{layout.name}/src/{layout.package}"
    found = tools(layout.system, layout.name)
    contract = to_json(tool_contract(found), indent=2).decode() + "\n"
    yield Text(f"{source}/generated/tools.json", contract, kind="generated")
    yield generated("tools.py", "tools.py.jinja", **_tools(layout, found))
    yield yours(f"{source}/agents/__init__.py", "agents/package.py.jinja")
    for name, agent in layout.service.agents.items():
        module = python_name(name)
        yield yours(
            f"{source}/agents/{module}.py", "agents/agent.py.jinja", **_agent(layout, name, agent, found)
        )
        if closed(layout, agent):
            continue  # what nobody may run can't be shown to run
        test = _test(layout, name, agent, found)
        yield yours(test_file(f"agent_{module}"), "agents/test_agent.py.jinja", **test)


def closed(layout: Layout, agent: Agent) -> bool:
    """Whether nobody may give the agent a task."""
    return layout.system.auth is not None and not agent.allow


def named(layout: Layout, name: str, taken: set[str], wanted: set[Import]) -> Code:
    """How a module that has the names `taken` refers to the agent; what it must import is `wanted`."""
    module = python_name(name)
    taken.add(alias := unique(f"{module}_agent", taken, "_"))
    wanted.add((f"{layout.package}.agents", f"{module} as {alias}"))
    return Code(f"{alias}.{_variable(name)}")


def agents_of(layout: Layout, wanted: set[Import]) -> Code:
    """All agents as a tuple, for generated/wiring.py."""
    taken = {layout.saga(saga) for saga in (*layout.orchestrations, *layout.choreographies)}
    return tuple_of([named(layout, name, taken, wanted) for name in layout.service.agents])


def agent_routes(layout: Layout, taken: set[str], wanted: set[Import]) -> list[Code]:
    """The statements that put the routes of all agents onto the router of generated/routes.py."""
    found = []
    for name, agent in layout.service.agents.items():
        reference = named(layout, name, taken, wanted)
        wanted.add(("chassis.agents.http", "add_agent"))
        found.append(call("add_agent", [("", "router"), ("", reference)]))
        if agent.of:
            wanted.add(("chassis.agents.http", "add_analysis"))
            path = py(analysis_path(layout.service, agent))
            found.append(call("add_analysis", [("", "router"), ("", reference), ("", path)]))
    return found


def _variable(name: str) -> str:
    return unique(python_name(name), {"tools", "aggregates"}, "_agent")


def _constant(tool: Tool) -> str:
    return tool.name.upper()


def _tools(layout: Layout, found: tuple[Tool, ...]) -> dict[str, object]:
    wanted: set[Import] = {("pathlib", "Path"), ("chassis.agents", "described")}
    entries = []
    for tool in found:
        contract = ("", f"_contract[{py(tool.name)}]")
        key = ("key", py(tool.key))
        if tool.kind == "command":
            wanted |= {("chassis.agents", "CommandTool"), (f"{layout.package}.generated", "use_cases")}
            entry = call("CommandTool", [contract, ("", f"use_cases.{tool.subject.upper()}")])
        elif tool.kind == "view":
            wanted |= {("chassis.agents", "ReadTool"), ("chassis.agents", "own_view")}
            entry = call("ReadTool", [contract, ("", call("own_view", [("", py(tool.subject)), key]))])
        else:
            wanted |= {("chassis.agents", "ReadTool"), ("chassis.agents", "peer_view")}
            wanted.add((f"{layout.package}.generated", "clients"))
            ask = f"clients.{functions(layout)[f'{tool.service}.{tool.subject}']}"
            arguments = [("", py(tool.service)), ("", ask), key]
            entry = call("ReadTool", [contract, ("", call("peer_view", arguments))])
        entries.append((_constant(tool), entry))
    return {"imports": layout.imports(wanted), "tools": entries}


def _agent(layout: Layout, name: str, agent: Agent, found: tuple[Tool, ...]) -> dict[str, object]:
    wanted: set[Import] = {("chassis.agents", "Agent"), ("chassis.agents", "Limits")}
    arguments: list[tuple[str, str]] = [
        ("name", py(name)),
        ("goal", "GOAL"),
        ("instructions", "INSTRUCTIONS"),
    ]
    if own := _own(agent, found):
        wanted.add((f"{layout.package}.generated", "tools"))
        arguments.append(("tools", tuple_of([f"tools.{_constant(tool)}" for tool in own])))
    if agent.unconfirmed:
        names = ", ".join(py(command) for command in agent.unconfirmed)
        arguments.append(("unconfirmed", f"frozenset({{{names}}})"))
    limits = agent.limits
    bounds = [(each, py(getattr(limits, each))) for each in ("turns", "tokens", "seconds", "runs")]
    arguments.append(("limits", call("Limits", bounds)))
    if agent.of:
        wanted.add((f"{layout.package}.generated", "aggregates"))
        arguments.append(("of", f"aggregates.{snake(agent.of).upper()}"))
    waiting = [tool.name for tool in own if tool.kind == "command" and tool.name not in agent.unconfirmed]
    return {
        "imports": layout.imports(wanted),
        "about": f"The agent {name}.",
        "goal": _text("GOAL", agent.goal),
        "waiting": bool(waiting),
        "variable": _variable(name),
        "agent": call("Agent", arguments),
    }


def _own(agent: Agent, found: tuple[Tool, ...]) -> list[Tool]:
    """The tools of this agent."""
    known = {tool.reference: tool for tool in found}
    return [known[reference] for reference in agent.tools]


def _text(name: str, text: str) -> Code:
    """`name = "…"`, over as many lines as it takes."""
    whole = f"{name} = {py(text)}"
    if len(whole) <= WIDTH:
        return Code(whole)
    for width in range(WIDTH - 20, 0, -10):
        pieces = textwrap.wrap(
            text, width, drop_whitespace=False, replace_whitespace=False, expand_tabs=False
        )
        lines = [f"    {py(piece)}" for piece in pieces]
        if "".join(pieces) == text and all(len(line) <= WIDTH for line in lines):
            break
    return Code("\n".join([f"{name} = (", *lines, ")"]))


def _test(layout: Layout, name: str, agent: Agent, found: tuple[Tool, ...]) -> dict[str, object]:
    system, package = layout.system, layout.package
    own = _own(agent, found)
    commands = [tool for tool in own if tool.kind == "command"]
    calls = [call("tool", [("", py(tool.name)), ("", py(_sample(layout, tool)))]) for tool in own]
    wanted: set[Import] = {
        ("collections.abc", "AsyncIterator"),
        ("pathlib", "Path"),
        ("httpx", ""),
        ("pytest", ""),
        ("chassis.testing.agents", "serving"),
        ("chassis.testing.llm_stub", "LlmStub"),
        ("chassis.testing.llm_stub", "Say"),
        ("chassis.testing.llm_stub", "tool"),
        ("collections.abc", "Iterator"),
        (f"{package}.__main__", "CONTRACT"),
        (f"{package}.generated", "wiring"),
        (f"{package}.generated.routes", "router"),
    }
    analysis = {}
    aggregate = layout.service.aggregates.get(agent.of)
    creating = (
        next((each for each in aggregate.commands.values() if each.creates), None) if aggregate else None
    )
    if aggregate and creating and (system.auth is None or creating.allow):
        fields = {aggregate.id: id_type(aggregate), **creating.takes}
        body = example_fields(system, fields)
        if system.auth is not None and not system.auth.staff:
            # Only whose it is to be may create it, and who runs the tests is told by their token.
            body.pop(aggregate.owned_by, None)
        analysis = {
            "create": py(f"/{collection(agent.of)}"),
            "body": py(body),
            "analyse": py(
                analysis_path(layout.service, agent).replace(f"{{{aggregate.id}}}", str(body[aggregate.id]))
            ),
            "missing": py(analysis_path(layout.service, agent).replace(f"{{{aggregate.id}}}", _ABSENT)),
        }
    return {
        "imports": layout.imports(wanted),
        "agent": name,
        "runs": py(f"/agents/{name}/runs"),
        "calls": tuple_of(calls),
        "any_calls": bool(calls),
        "waiting": [tool.name for tool in commands if tool.name not in agent.unconfirmed],
        "analysis": analysis,
    }


_ABSENT = "0f000000-0000-4000-8000-00000000000f"


def _sample(layout: Layout, tool: Tool) -> dict[str, object]:
    """Arguments that fit the tool's schema."""
    service = layout.system.services[tool.service]
    if tool.kind == "command":
        facts = layout.analysis.commands[f"{tool.service}.{tool.subject}"]
        return example_fields(layout.system, facts.arguments)
    aggregate = service.aggregates[service.views[tool.subject].of]
    return example_fields(layout.system, {aggregate.id: id_type(aggregate)})
