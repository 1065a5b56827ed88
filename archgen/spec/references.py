"""Every name in a description stands for something that exists in it."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.spec.agents import agent_references
from archgen.spec.auth import auth_references
from archgen.spec.document import Path
from archgen.spec.facts import Facts, aggregates, id_type
from archgen.spec.fieldtypes import FieldType
from archgen.spec.issue import Issue
from archgen.spec.model import Orchestration, Saga, Service, System
from archgen.spec.suggest import choice, nearest


def unresolved(system: System, facts: Facts) -> Iterator[Issue]:
    """The names that stand for nothing."""
    yield from _types(system)
    views = {f"{name}.{view}" for name, service in system.services.items() for view in service.views}
    for name, service in system.services.items():
        path: Path = ("services", name)
        yield from _views(name, service, facts, path)
        yield from _calls(name, service, system, views, path)
        yield from _reactions(name, service, facts, path)
        yield from agent_references(name, service, system, path)
    yield from auth_references(system)
    for name, saga in system.sagas.items():
        yield from _saga(saga, system, facts, ("sagas", name))
    yield from _decisions(system)


def saga_names(saga: Saga) -> Iterator[tuple[str, str, Path]]:
    """The names that a saga refers to: `command` or `event`, the name, and the path within the saga."""
    if isinstance(saga, Orchestration):
        yield "event", saga.when, ("when",)
        for index, step in enumerate(saga.steps):
            yield "command", step.do, ("steps", index, "do")
            if step.undo:
                yield "command", step.undo, ("steps", index, "undo")
        for key, name in (("then", saga.then), ("else", saga.otherwise)):
            if name:
                yield "command", name, (key,)
    else:
        for index, reaction in enumerate(saga.steps):
            yield "event", reaction.when, ("steps", index, "when")
            yield "command", reaction.do, ("steps", index, "do")


def _types(system: System) -> Iterator[Issue]:
    for path, kind in _field_types(system):
        if kind.named and kind.named not in system.types:
            owner = next((service for service, name, _, _ in aggregates(system) if name == kind.named), "")
            if owner:
                message = f"`{kind.named}` is an aggregate of `{owner}`, not a type"
                yield Issue(path, message, "refer to it by its id, as a uuid")
            else:
                remedy = choice(kind.named, system.types) or "declare it under `types`"
                yield Issue(path, f"no type `{kind.named[:60]}`", remedy, about=("types", kind.named))


def _field_types(system: System) -> Iterator[tuple[Path, FieldType]]:
    for name, fields in system.types.items():
        for field, kind in fields.items():
            yield ("types", name, field), kind
    for _, _, aggregate, path in aggregates(system):
        for field, kind in aggregate.fields.items():
            yield (*path, "fields", field), kind
        for command, described in aggregate.commands.items():
            for field, kind in described.takes.items():
                yield (*path, "commands", command, "takes", field), kind
    for service, described_service in system.services.items():
        for job, described_job in described_service.jobs.items():
            for field, kind in described_job.takes.items():
                yield ("services", service, "jobs", job, "takes", field), kind


def _views(name: str, service: Service, facts: Facts, path: Path) -> Iterator[Issue]:
    for view_name, view in service.views.items():
        here: Path = (*path, "views", view_name)
        for index, pattern in enumerate(view.sources):
            if not facts.matching(pattern):
                subjects = {f"{event.partition('.')[0]}.*" for event in facts.events}
                remedy = choice(pattern, {*facts.events, *subjects})
                yield Issue(
                    (*here, "from", index), f"no event matches `{pattern}`", remedy, about=("services",)
                )
        aggregate = service.aggregates.get(view.of)
        if aggregate is None:
            remedy = choice(view.of, service.aggregates) or "a view stands beside its aggregate"
            message = f"`{name}` has no aggregate `{view.of}`"
            yield Issue((*here, "of"), message, remedy, about=(*path, "aggregates"))
            continue
        for index, pattern in enumerate(view.sources):
            without = [
                event
                for event in facts.matching(pattern)
                if event.fields.get(aggregate.id) != id_type(aggregate)
            ]
            if without:
                message = f"`{without[0].name}` has no `{aggregate.id}` to find the {view.of} by"
                remedy = f"carry `{aggregate.id}` in it, or leave it out"
                about = ("services", without[0].service, "aggregates", without[0].aggregate)
                yield Issue((*here, "from", index), message, remedy, about=about)


def _calls(name: str, service: Service, system: System, views: set[str], path: Path) -> Iterator[Issue]:
    for reference, call in service.calls.items():
        here: Path = (*path, "calls", reference)
        peer = reference.partition(".")[0]
        if peer == name:
            message = f"`{reference}` is a view of this service itself"
            yield Issue(here, message, "read the view instead of calling it", key=True)
        elif reference not in views:
            remedy = choice(reference, views) or "a call asks a view of another service"
            about: Path = ("services", peer, "views") if peer in system.services else ("services", peer)
            yield Issue(here, f"no view `{reference}`", remedy, key=True, about=about)
        policies = {*system.policies, "default"}
        if call.policy not in policies:
            remedy = choice(call.policy, policies)
            message = f"no policy `{call.policy}`"
            yield Issue((*here, "policy"), message, remedy, about=("policies", call.policy))


def _reactions(name: str, service: Service, facts: Facts, path: Path) -> Iterator[Issue]:
    commands = {command for aggregate in service.aggregates.values() for command in aggregate.commands}
    for event, reaction in service.on.items():
        if event not in facts.events:
            remedy = nearest(event, facts.events)
            yield Issue((*path, "on", event), f"no event `{event}`", remedy, key=True, about=("services",))
        if reaction.do not in commands:
            remedy = choice(reaction.do, commands) or "a reaction does a command of its own service"
            message = f"`{name}` has no command `{reaction.do}`"
            yield Issue((*path, "on", event, "do"), message, remedy, about=(*path, "aggregates"))


def _saga(saga: Saga, system: System, facts: Facts, path: Path) -> Iterator[Issue]:
    if saga.owner and saga.owner not in system.services:
        remedy = choice(saga.owner, system.services)
        message = f"no service `{saga.owner}`"
        yield Issue((*path, "owner"), message, remedy, about=("services", saga.owner))
    for kind, name, inside in saga_names(saga):
        known = facts.commands if kind == "command" else facts.events
        if name not in known:
            service = name.partition(".")[0]
            about: Path = ("services", service) if kind == "command" else ("services",)
            if kind == "command" and service in system.services:
                about = ("services", service, "aggregates")
            yield Issue((*path, *inside), f"no {kind} `{name}`", nearest(name, known), about=about)


def _decisions(system: System) -> Iterator[Issue]:
    declared = {system.system, *system.services, *system.sagas, *system.types, *system.policies}
    for service in system.services.values():
        declared |= {*service.aggregates, *service.views, *service.jobs, *service.agents}
    for name, decision in system.decisions.items():
        for index, adopted in enumerate(decision.adopted_for):
            if adopted not in declared:
                message = f"nothing is called `{adopted[:60]}`"
                remedy = choice(adopted, declared)
                yield Issue(("decisions", name, "adopted_for", index), message, remedy, about=("services",))
