"""What is declared and used by nobody: perhaps on purpose, perhaps a slip."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.spec.analysis import Analysis
from archgen.spec.facts import aggregates
from archgen.spec.fieldtypes import FieldType
from archgen.spec.judgement import Judgement
from archgen.spec.model import Orchestration, System
from archgen.spec.references import saga_names


def unused(system: System, analysis: Analysis) -> Iterator[Judgement]:
    """Events nobody consumes, commands nobody sends, types and policies nobody names."""
    given = sent(system)
    replies = _awaited(system, analysis)
    for service, _, aggregate, path in aggregates(system):
        told: set[str] = set()
        for name, command in aggregate.commands.items():
            for key, event in (("emits", command.emits), ("fails", command.fails)):
                if event and event not in told and not analysis.consumers[event] and event not in replies:
                    told.add(event)
                    message = f"nobody consumes `{event}`"
                    yield Judgement("event-unused", "notice", message, (*path, "commands", name, key))
            over_http = system.auth is None or bool(command.allow)
            if over_http and not command.creates and f"{service}.{name}" not in given:
                message = f"no saga and no reaction sends `{service}.{name}`; it is reached over HTTP only"
                yield Judgement("command-unsent", "notice", message, (*path, "commands", name), key=True)
    named = {kind.named for kind in _field_types(system)}
    for name in system.types:
        if name not in named:
            yield Judgement("type-unused", "notice", f"no field is a `{name}`", ("types", name), key=True)
    policies = {call.policy for service in system.services.values() for call in service.calls.values()}
    for name in system.policies:
        if name not in policies | {"default"}:
            message = f"no call follows the policy `{name}`"
            yield Judgement("policy-unused", "notice", message, ("policies", name), key=True)


def sent(system: System) -> set[str]:
    """What sagas, reactions and agents do or look at, as `service.command` or `service.view`."""
    found = {
        name for saga in system.sagas.values() for kind, name, _ in saga_names(saga) if kind == "command"
    }
    for service, described in system.services.items():
        found |= {f"{service}.{reaction.do}" for reaction in described.on.values()}
        found |= {f"{service}.{tool}" for agent in described.agents.values() for tool in agent.tools}
    return found


def _awaited(system: System, analysis: Analysis) -> set[str]:
    """The events that an orchestrated saga hears of as replies to its commands."""
    commands = [
        analysis.commands[name]
        for saga in system.sagas.values()
        if isinstance(saga, Orchestration)
        for kind, name, _ in saga_names(saga)
        if kind == "command"
    ]
    return {event for command in commands for event in (command.emits, command.fails)}


def _field_types(system: System) -> Iterator[FieldType]:
    for fields in system.types.values():
        yield from fields.values()
    for _, _, aggregate, _ in aggregates(system):
        yield from aggregate.fields.values()
        for command in aggregate.commands.values():
            yield from command.takes.values()
    for service in system.services.values():
        for job in service.jobs.values():
            yield from job.takes.values()
