"""What agents refer to: tools that exist, and commands that may be done without a person's yes."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.spec.document import Path
from archgen.spec.issue import Issue
from archgen.spec.judgement import Judgement
from archgen.spec.model import Agent, Service, System
from archgen.spec.suggest import choice

ANALYSE = "analyse"
"""The last part of the URL at which an agent looks at one aggregate."""


def agent_references(name: str, service: Service, system: System, path: Path) -> Iterator[Issue]:
    """The names of a service's agents that stand for nothing, or for two things."""
    looked_at: dict[str, str] = {}
    for agent_name, agent in service.agents.items():
        here: Path = (*path, "agents", agent_name)
        yield from _tools(name, service, system, agent, here)
        yield from _unconfirmed(service, agent, here)
        if agent.of:
            yield from _of(name, service, agent, looked_at, here)
            looked_at.setdefault(agent.of, agent_name)


def _tools(name: str, service: Service, system: System, agent: Agent, here: Path) -> Iterator[Issue]:
    commands = _commands(service)
    for index, tool in enumerate(agent.tools):
        at: Path = (*here, "tools", index)
        if tool in agent.tools[:index]:
            yield Issue(at, f"`{tool}` is listed twice", "once is enough", "twice")
        elif "." in tool:
            yield from _call(name, service, system, tool, at)
        elif tool in commands and tool in service.views:
            yield Issue(
                at, f"`{tool}` is a view and a command of `{name}`", "rename one of them", "ambiguous"
            )
        elif tool not in commands and tool not in service.views:
            known = {*commands, *service.views, *service.calls}
            remedy = choice(tool, known) or "a tool is a view, a command or a call of this service"
            message = f"`{name}` has no view, command or call `{tool}`"
            yield Issue(at, message, remedy, about=path_of(name))


def _call(name: str, service: Service, system: System, tool: str, at: Path) -> Iterator[Issue]:
    if tool in service.calls:
        return
    peer, _, view = tool.partition(".")
    if peer == name and view in {*service.views, *_commands(service)}:
        yield Issue(at, f"`{tool}` is of this service itself", f"write `{view}`")
    elif peer in system.services and view in system.services[peer].views:
        yield Issue(at, f"`{name}` does not call `{tool}`", f"add `{tool}: {{}}` to `calls`")
    else:
        remedy = choice(tool, service.calls) or "a tool of another service is one of `calls`"
        yield Issue(at, f"no call `{tool}`", remedy, about=(*path_of(name), "calls"))


def _unconfirmed(service: Service, agent: Agent, here: Path) -> Iterator[Issue]:
    offered = {tool for tool in agent.tools if tool in _commands(service)}
    for index, command in enumerate(agent.unconfirmed):
        if command not in offered:
            remedy = choice(command, offered) or "it names commands of `tools`; all others wait for a person"
            message = f"`{command}` is no command among its tools"
            yield Issue((*here, "unconfirmed", index), message, remedy)


def _of(name: str, service: Service, agent: Agent, looked_at: dict[str, str], here: Path) -> Iterator[Issue]:
    at: Path = (*here, "of")
    if agent.of not in service.aggregates:
        remedy = choice(agent.of, service.aggregates) or "an agent looks at aggregates of its own service"
        message = f"`{name}` has no aggregate `{agent.of}`"
        yield Issue(at, message, remedy, about=(*path_of(name), "aggregates"))
    elif agent.of in looked_at:
        message = f"`{looked_at[agent.of]}` looks at `{agent.of}` already"
        yield Issue(at, message, "one agent per aggregate has the URL `analyse`", "twice")
    elif ANALYSE in service.aggregates[agent.of].commands:
        message = f"`{ANALYSE}` is also a command of `{agent.of}`, at the same URL"
        yield Issue(at, message, "rename the command", "twice")


def agent_findings(system: System) -> Iterator[Judgement]:
    """Agents that can do nothing, and commands that a model's word is enough for."""
    for name, service in system.services.items():
        for agent_name, agent in service.agents.items():
            path: Path = (*path_of(name), "agents", agent_name)
            if not agent.tools and not agent.of:
                message = f"`{agent_name}` has no tools, so it can only talk"
                yield Judgement("agent-idle", "notice", message, path, "list views or calls", key=True)
            for index, command in enumerate(agent.unconfirmed):
                message = f"`{agent_name}` does `{command}` on the model's word alone"
                remedy = "sound only where doing it wrongly does no harm"
                yield Judgement("agent-unconfirmed", "notice", message, (*path, "unconfirmed", index), remedy)


def path_of(service: str) -> Path:
    return ("services", service)


def _commands(service: Service) -> set[str]:
    return {command for aggregate in service.aggregates.values() for command in aggregate.commands}
