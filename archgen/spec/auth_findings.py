"""What can be said of who may reach what: too little, too much, or only half of it."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.spec.analysis import Analysis
from archgen.spec.auth import LOGIN, ROLES, Permission, permissions, registration
from archgen.spec.constrained import PUBLIC
from archgen.spec.document import Path
from archgen.spec.facts import aggregates
from archgen.spec.judgement import Judgement, Severity
from archgen.spec.model import Agent, Auth, Service, System
from archgen.spec.unused import sent


def auth_findings(system: System, analysis: Analysis) -> Iterator[Judgement]:
    """Findings on `auth`, `allow` and `owned_by`."""
    auth = system.auth
    if auth is None:
        message = "there is no `auth`, so whoever reaches a service may do everything"
        remedy = "add `auth:`, or keep the services where only you reach them"
        yield Judgement("auth-missing", "notice", message, ("system",), remedy, key=True)
        return
    yield from _closed(system)
    yield from _roles(system, auth)
    yield from _changes(system, auth)
    for permission in permissions(system):
        if permission.kind == "command" and permission.allow == (PUBLIC,):
            message = f"anybody may give `{permission.name}`, signed in or not"
            yield Judgement("command-public", "notice", message, (*permission.path, "allow"), key=True)
        if permission.kind == "view" and permission.owned_by:
            yield from _rows_without_owner(system, analysis, auth, permission)
    for name, service in system.services.items():
        for agent_name, agent in service.agents.items():
            path: Path = ("services", name, "agents", agent_name)
            yield from _agent(system, auth, service, agent_name, agent, path)


def _closed(system: System) -> Iterator[Judgement]:
    """What neither people nor the system itself can reach."""
    given = sent(system)
    registers = registration(system)
    called = {call for service in system.services.values() for call in service.calls}
    for permission in permissions(system):
        name = f"{permission.service}.{permission.name}"
        if permission.allow or (registers and name == registers[0]):
            continue
        if permission.kind == "command" and name not in given:
            message = f"nobody may give `{name}` over HTTP, and no saga, reaction or agent does"
            remedy = "say with `allow` who may"
            jobs = system.services[permission.service].jobs
            if jobs:  # what a job does is said in its code
                message, remedy = f"{message}; perhaps a job does", ""
            severity: Severity = "notice" if jobs else "warning"
            yield Judgement("command-unreachable", severity, message, permission.path, remedy, key=True)
        if permission.kind == "view" and name not in called and name not in given:
            message = f"nobody may read `{name}`, and no service calls it"
            remedy = "say with `allow` who may"
            yield Judgement("view-unreachable", "notice", message, permission.path, remedy, key=True)


def _roles(system: System, auth: Auth) -> Iterator[Judgement]:
    allowed = {role for permission in permissions(system) for role in permission.allow}
    for index, role in enumerate(auth.roles):
        if role not in allowed:
            message = f"the role `{role}` is allowed nothing"
            yield Judgement("role-unused", "notice", message, ("auth", "roles", index))
    registers = registration(system)
    known = registers[1].fields.get(ROLES) if registers else None
    for index, role in enumerate(auth.roles if known else ()):
        if known and role not in known.enum:
            message = f"no account can have the role `{role}`"
            remedy = f"add it to `{ROLES}` of `{auth.account}`"
            yield Judgement("role-unheld", "warning", message, ("auth", "roles", index), remedy)


def _changes(system: System, auth: Auth) -> Iterator[Judgement]:
    """Commands that change whose something is, or what is known of an account apart from its login."""
    for service, name, aggregate, path in aggregates(system):
        for command, described in aggregate.commands.items():
            if described.creates:
                continue
            at: Path = (*path, "commands", command, "takes")
            if aggregate.owned_by and aggregate.owned_by in described.takes and described.allow:
                message = f"`{command}` can hand over a `{name}` to anybody"
                remedy = "sound only where that is what it is for"
                yield Judgement(
                    "owner-changes", "warning", message, (*at, aggregate.owned_by), remedy, key=True
                )
            if (service, name) == (auth.service, auth.account) and LOGIN in described.takes:
                message = f"`{command}` changes the `{LOGIN}`, and one still signs in with the old one"
                remedy = f"leave `{LOGIN}` as it was registered"
                yield Judgement("login-differs", "warning", message, (*at, LOGIN), remedy, key=True)


def _rows_without_owner(
    system: System, analysis: Analysis, auth: Auth, permission: Permission
) -> Iterator[Judgement]:
    if not set(permission.allow) - set(auth.staff):
        return
    view = system.services[permission.service].views[permission.name]
    aggregate = system.services[permission.service].aggregates[view.of]
    owner = aggregate.owned_by
    subjects = {source.partition(".")[0] for source in view.sources if source.endswith(".*")}
    for command in aggregate.commands.values():
        if not command.creates:
            continue
        heard = command.emits in view.sources or command.emits.partition(".")[0] in subjects
        if not heard or owner not in analysis.events[command.emits].fields:
            message = f"its rows have no `{owner}`, so their owners don't see them"
            remedy = f"let `{command.emits}` carry it, and the view hear that"
            yield Judgement("owner-unknown", "error", message, permission.path, remedy, key=True)


def _agent(
    system: System, auth: Auth, service: Service, name: str, agent: Agent, path: Path
) -> Iterator[Judgement]:
    if not agent.allow:
        remedy = "say with `allow` who may"
        yield Judgement("agent-closed", "warning", f"nobody may give `{name}` a task", path, remedy, key=True)
    commands = {
        command: described for of in service.aggregates.values() for command, described in of.commands.items()
    }
    others = [role for role in agent.allow if role not in auth.staff]
    for index, tool in enumerate(agent.tools):
        at: Path = (*path, "tools", index)
        if tool in commands and not commands[tool].allow:
            message = f"`{tool}` is allowed to nobody, so nobody can let `{name}` do it"
            yield Judgement("agent-tool-closed", "warning", message, at, "say with `allow` who may do it")
        if "." not in tool:
            continue
        peer, _, view_name = tool.partition(".")
        view = system.services[peer].views[view_name]
        if view.allow == (PUBLIC,):
            continue
        further = [role for role in agent.allow if role not in view.allow]
        owned = system.services[peer].aggregates[view.of].owned_by
        if further or (owned and others):
            who = (further or others)[0]
            message = f"through `{name}` a `{who}` reads of `{tool}` what they may not read themselves"
            yield Judgement("agent-reaches-further", "warning", message, at, "take the tool or the role away")
