"""What is declared can be built: aggregates have a beginning and an id, types end, nothing is there twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from archgen.spec.document import Path
from archgen.spec.facts import UUID, aggregates, carriable, id_type
from archgen.spec.fieldtypes import FieldType, Scalar
from archgen.spec.grpc import over_grpc_unfit
from archgen.spec.issue import Issue
from archgen.spec.model import Aggregate, Service, System
from archgen.spec.names import collection, kebab, pascal, python_module, snake
from archgen.spec.suggest import choice

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: the bounds of the buckets of `http_request_duration_seconds`."""

RESERVED_PATHS = ("health", "metrics", "docs")
"""First segments of URLs that every service answers by itself."""


def inconsistent(system: System) -> Iterator[Issue]:
    """What contradicts itself or something else in the description."""
    if not system.services:
        message = "a system needs at least one service"
        yield Issue(("services",), message, "add it under `services`", code="empty", about=("services",))
    for _, name, aggregate, path in aggregates(system):
        yield from _identity(name, aggregate, path)
        yield from _commands(name, aggregate, path)
        yield from _narrowing(aggregate, path)
        yield from _history(aggregate, path)
    yield from _type_cycles(system)
    yield from _events(system)
    yield from _ports(system)
    yield from over_grpc_unfit(system)
    yield from _modules(system)
    for name, service in system.services.items():
        signs_in = system.auth is not None and system.auth.service == name
        yield from _service(service, system, ("services", name), signs_in=signs_in)


def _identity(name: str, aggregate: Aggregate, path: Path) -> Iterator[Issue]:
    here: Path = (*path, "id")
    if aggregate.id not in aggregate.fields and aggregate.id != f"{snake(name)}_id":
        remedy = choice(aggregate.id, aggregate.fields) or "declare it under `fields`"
        yield Issue(here, f"`{name}` has no field `{aggregate.id}`", remedy, about=(*path, "fields"))
    kind = id_type(aggregate)
    if kind not in (UUID, FieldType(scalar=Scalar.STRING)):
        yield Issue(here, f"the id `{aggregate.id}` is `{kind}`", "an id is a uuid or a string", "type")
    for command, described in aggregate.commands.items():
        taken = described.takes.get(aggregate.id, kind)
        if taken != kind:
            at: Path = (*path, "commands", command, "takes", aggregate.id)
            yield Issue(at, f"`{aggregate.id}` is the id, which is `{kind}`", "leave it out", "type")


def _commands(name: str, aggregate: Aggregate, path: Path) -> Iterator[Issue]:
    creating = [command for command, described in aggregate.commands.items() if described.creates]
    if not aggregate.commands:
        yield Issue(path, f"`{name}` has no command, so there can never be one", "", "commands", key=True)
    elif not creating:
        message = f"no command creates `{name}`"
        yield Issue((*path, "commands"), message, "give one `creates: true`", "creates", key=True)
    for command in creating[1:]:
        message = f"`{creating[0]}` creates `{name}` already"
        at: Path = (*path, "commands", command, "creates")
        yield Issue(at, message, "one command creates an aggregate", "creates")
    for command, described in aggregate.commands.items():
        if described.emits == described.fails:
            message = f"`{described.fails}` would say both that it was done and that it failed"
            yield Issue((*path, "commands", command, "fails"), message, "", "event")


def _narrowing(aggregate: Aggregate, path: Path) -> Iterator[Issue]:
    emitted = {event for each in aggregate.commands.values() for event in (each.emits, each.fails) if event}
    for event, fields in aggregate.events.items():
        if event not in emitted:
            remedy = choice(event, emitted)
            at: Path = (*path, "events", event)
            yield Issue(at, f"no command of this aggregate emits `{event}`", remedy, key=True, about=path)
            continue
        known = carriable(aggregate, event)
        for index, field in enumerate(fields):
            if field not in known:
                remedy = choice(field, known)
                message = f"neither the aggregate nor every command that emits it has `{field}`"
                yield Issue((*path, "events", event, index), message, remedy, about=path)


def _history(aggregate: Aggregate, path: Path) -> Iterator[Issue]:
    emitted = {event for each in aggregate.commands.values() for event in (each.emits, each.fails) if event}
    for event in aggregate.versions:
        if event not in emitted:
            at: Path = (*path, "versions", event)
            remedy = choice(event, emitted)
            yield Issue(at, f"no command of this aggregate emits `{event}`", remedy, key=True, about=path)
    if "snapshot_every" in aggregate.model_fields_set and not aggregate.event_sourced:
        message = "`snapshot_every` is for an aggregate that keeps its events"
        yield Issue(
            (*path, "snapshot_every"), message, "add `event_sourced: true`, or leave it out", key=True
        )


def _type_cycles(system: System) -> Iterator[Issue]:
    reported: set[str] = set()
    for name in system.types:
        cycle = _cycle(system, name)
        if cycle and not reported & set(cycle):
            reported |= set(cycle)
            message = f"a value can't contain itself: {' → '.join(cycle)}"
            yield Issue(("types", name), message, "refer to the inner one by an id", "cycle", key=True)


def _cycle(system: System, start: str) -> list[str]:
    """The names from `start` back to `start`, or nothing."""
    trail = {start: [start]}
    waiting = [start]
    while waiting:
        current = waiting.pop()
        for kind in system.types.get(current, {}).values():
            if kind.named == start:
                return [*trail[current], start]
            if kind.named and kind.named not in trail:
                trail[kind.named] = [*trail[current], kind.named]
                waiting.append(kind.named)
    return []


def _events(system: System) -> Iterator[Issue]:
    owners: dict[str, tuple[str, str, str]] = {}
    for service, name, aggregate, path in aggregates(system):
        places: dict[str, Path] = {}
        for command, described in aggregate.commands.items():
            for key, event in (("emits", described.emits), ("fails", described.fails)):
                mine = (service, name, key)
                first = owners.setdefault(event, mine) if event else mine
                at: Path = (*path, "commands", command, key)
                if event:
                    places.setdefault(event, at)
                if first[:2] != mine[:2]:
                    message = f"`{event}` comes from {first[1]} of `{first[0]}` already"
                    yield Issue(at, message, "an event has one source; rename one of them", "event")
                elif first != mine and described.emits != described.fails:
                    message = f"`{event}` tells of a success in one command and of a failure in another"
                    yield Issue(at, message, "rename one of them", "event")
        yield from _distinct(places, _happened, "event")


def _happened(event: str) -> str:
    """What names an event within its aggregate: `Created` for `order.created`."""
    return pascal(event.partition(".")[2])


def _ports(system: System) -> Iterator[Issue]:
    owners: dict[int, str] = {}
    for name, service in system.services.items():
        if service.port and owners.setdefault(service.port, name) != name:
            message = f"port {service.port} belongs to `{owners[service.port]}` already"
            yield Issue(("services", name, "port"), message, "leave it out for a free one", "port")


def _modules(system: System) -> Iterator[Issue]:
    yield from _distinct({name: ("services", name) for name in system.services}, python_module, "package")


def _service(service: Service, system: System, path: Path, *, signs_in: bool) -> Iterator[Issue]:
    commands: dict[str, str] = {}
    for name, aggregate in service.aggregates.items():
        here: Path = (*path, "aggregates", name)
        if name in system.types:
            yield Issue(here, f"`{name}` is the name of a type too", "rename one of them", "twice", key=True)
        for command in aggregate.commands:
            if commands.setdefault(command, name) != name:
                message = f"{commands[command]} of this service has a command `{command}` already"
                yield Issue((*here, "commands", command), message, "rename one of them", "twice", key=True)
        yield from _distinct(
            {each: (*here, "commands", each) for each in aggregate.commands}, pascal, "command"
        )
    yield from _distinct({name: (*path, "aggregates", name) for name in service.aggregates}, snake, "file")
    yield from _slo(service, path)
    yield from _jobs(service, system, path)
    yield from _urls(service, path, signs_in=signs_in)


def _slo(service: Service, path: Path) -> Iterator[Issue]:
    """Whether a promised latency is one that is measured: a bound of a histogram's bucket."""
    latency = service.slo.latency
    if latency is not None and latency not in LATENCIES:
        nearest = min(LATENCIES, key=lambda bound: abs(bound - latency))
        message = f"{latency * 1000:g} ms is not a step of the histogram that latency is read from"
        remedy = f"the nearest is `{nearest * 1000:g}ms`"
        yield Issue((*path, "slo", "latency"), message, remedy, "slo")


def _jobs(service: Service, system: System, path: Path) -> Iterator[Issue]:
    yield from _distinct({name: (*path, "jobs", name) for name in service.jobs}, pascal, "job")
    worker = f"{path[-1]}_worker"
    if service.jobs and worker in system.services:
        message = f"`{worker}` is also the worker of `{path[-1]}`, which does its jobs"
        yield Issue(("services", worker), message, "rename one of them", "twice", key=True)
    for name, job in service.jobs.items():
        if job.schedule and job.takes:
            message = f"`{name}` has a schedule, and then nobody is there to say what it takes"
            remedy = "leave `takes` out; it is told the time it is due for"
            yield Issue((*path, "jobs", name, "takes"), message, remedy, "schedule", key=True)


def _urls(service: Service, path: Path, *, signs_in: bool) -> Iterator[Issue]:
    taken = dict.fromkeys(RESERVED_PATHS, "every service")
    if service.agents:
        taken["agents"] = "its agents"
    if service.jobs:
        taken["jobs"] = "its job queue"
    if signs_in:
        taken["auth"] = "signing in"
    named = [(collection(name), "aggregates", name) for name in service.aggregates]
    named += [(kebab(name), "views", name) for name in service.views]
    for url, section, name in named:
        if taken.setdefault(url, f"`{name}`") != f"`{name}`":
            message = f"`/{url}` is the URL of {taken[url]} already"
            yield Issue((*path, section, name), message, "rename one of them", "twice", key=True)


def _distinct(names: Mapping[str, Path], become: Callable[[str], str], what: str) -> Iterator[Issue]:
    """An issue for each name, at its path, that becomes the same identifier as an earlier one."""
    first: dict[str, str] = {}
    for name, path in names.items():
        identifier = become(name)
        if first.setdefault(identifier, name) != name:
            message = f"`{name}` and `{first[identifier]}` would both be the {what} `{identifier}`"
            yield Issue(path, message, "rename one of them", "twice", key=True)
