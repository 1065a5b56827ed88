"""How a service's parts are joined: aggregates, use cases, views, and the service as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.escape import py
from archgen.languages.python_agents import agents_of
from archgen.languages.python_format import call, dict_of, tuple_of
from archgen.languages.python_grpc import served
from archgen.languages.python_history import UPCASTERS, made_from_state, upcast, upcasters_import
from archgen.languages.python_imports import Import
from archgen.languages.python_jobs import definitions
from archgen.languages.python_layout import Layout
from archgen.languages.python_sagas import reaction
from archgen.plan_types import Code
from archgen.spec.analysis import CommandFacts
from archgen.spec.calls import peers
from archgen.spec.model import Policy, Via
from archgen.spec.names import python_name, snake, unique


def packages(layout: Layout) -> Iterator[tuple[str, str]]:
    """The packages of yours that the service needs, each with the docstring of its __init__."""
    yield "domain", "Aggregates: pure decisions, no I/O."
    yield "commands", "Use cases: one file per command."
    if layout.service.views:
        yield "views", "Projections: events to rows, pure."
    if layout.orchestrations or layout.choreographies:
        yield "sagas", "Sagas: what this service starts, and what it does in others."


def _verb(command: CommandFacts) -> str:
    return command.name.partition(".")[2]


def constant(aggregate: str) -> str:
    return snake(aggregate).upper()


def aggregates(layout: Layout) -> dict[str, object]:
    """The context of generated/aggregates.py."""
    wanted: set[Import] = {("chassis.domain", "AggregateType")}
    entries = []
    modules = {snake(name) for name in layout.service.aggregates}
    for name, described in layout.service.aggregates.items():
        module = snake(name)
        domain = unique(f"{module}_domain", modules, "_")
        events = [f"{module}.{layout.event_class(event)}" for event in layout.events_of(layout.name, name)]
        wanted.add((f"{layout.package}.domain", f"{module} as {domain}"))
        wanted.add((f"{layout.package}.generated", module))
        type = call(
            "AggregateType",
            [
                ("name", py(name)),
                ("state", f"{domain}.{name}"),
                ("id_field", py(described.id)),
                ("decide", f"{domain}.decide"),
                ("evolve", f"{domain}.evolve"),
                ("events", tuple_of(events)),
                ("event_sourced", py(described.event_sourced)),
                *([("snapshot_every", py(described.snapshot_every))] if described.event_sourced else []),
                *([("upcasters", UPCASTERS)] if upcast(layout) else []),
                *([("owner", py(described.owned_by))] if described.owned_by else []),
            ],
        )
        entries.append((constant(name), type))
    if upcast(layout):
        wanted.add(upcasters_import(layout))
    return {"imports": layout.imports(wanted), "aggregates": entries}


def use_cases(layout: Layout) -> dict[str, object]:
    """The context of generated/use_cases.py."""
    wanted: set[Import] = {("chassis.domain", "UseCase")}
    entries = []
    taken = {snake(name) for name in layout.service.aggregates}
    for facts in layout.own_commands:
        command = _verb(facts)
        function, module = python_name(command), snake(facts.aggregate)
        taken.add(alias := unique(function, taken, "_use_case"))
        name = function if alias == function else f"{function} as {alias}"
        wanted.add((f"{layout.package}.commands.{function}", name))
        wanted.add((f"{layout.package}.generated", module))
        entries.append(
            (command.upper(), call("UseCase", [("", f"{module}.{layout.command_class(facts)}"), ("", alias)]))
        )
    return {"imports": layout.imports(wanted), "use_cases": entries}


def main(layout: Layout) -> dict[str, object]:
    """The context of __main__.py."""
    package = layout.package
    wanted: set[Import] = {
        ("pathlib", "Path"),
        ("chassis.http", "run"),
        (f"{package}.generated", "wiring"),
        (f"{package}.generated.routes", "router"),
    }
    return {"imports": layout.imports(wanted)}


# Putting it together


def wiring(layout: Layout) -> dict[str, object]:
    """The context of generated/wiring.py."""
    package = layout.package
    wanted: set[Import] = {("chassis.policy", "Policy"), ("chassis.service", "Service")}
    wanted |= {(f"{package}.generated", "aggregates"), (f"{package}.generated", "use_cases")}
    reactions = [
        reaction(layout, event, bound.do, set(layout.service.on[event].with_), wanted)
        for event, bound in layout.analysis.reactions[layout.name].items()
    ]
    views = [_view(layout, name, wanted) for name in layout.service.views]
    for saga in (*layout.orchestrations, *layout.choreographies):
        wanted.add((f"{package}.sagas.{python_name(saga)}", layout.saga(saga)))
    arguments: list[tuple[str, str]] = [
        ("system", py(layout.system.system)),
        ("name", py(layout.name)),
        ("aggregates", tuple_of([f"aggregates.{constant(name)}" for name in layout.service.aggregates])),
        ("use_cases", tuple_of([f"use_cases.{_verb(facts).upper()}" for facts in layout.own_commands])),
    ]
    assigned: list[tuple[str, Code]] = []
    if reactions:
        wanted.add(("chassis.reactions", "Reaction"))
        assigned.append(("REACTIONS", tuple_of(reactions)))
    if views:
        assigned.append(("VIEWS", tuple_of(views)))
        arguments.append(("views", "VIEWS"))
    if layout.choreographies:
        parts = [
            *(["*REACTIONS"] if reactions else []),
            *(f"*{layout.saga(saga)}" for saga in layout.choreographies),
        ]
        arguments.append(("reactions", tuple_of(parts)))
    elif reactions:
        arguments.append(("reactions", "REACTIONS"))
    if layout.orchestrations:
        arguments.append(("sagas", tuple_of([layout.saga(saga) for saga in layout.orchestrations])))
    for name, via in (("peers", Via.REST), ("grpc_peers", Via.GRPC)):
        if asked := peers(layout.service, via):
            arguments.append((name, tuple_of([py(peer) for peer in asked])))
    if answers := served(layout, wanted):
        arguments.append(("rpcs", answers))
    if layout.service.jobs:
        assigned.append(("JOBS", definitions(layout, wanted)))
        arguments.append(("jobs", "JOBS"))
    if upcast(layout):
        wanted.add(upcasters_import(layout))
        arguments.append(("upcasters", UPCASTERS))
    if layout.service.agents:
        arguments.append(("agents", agents_of(layout, wanted)))
    if layout.system.auth is not None:
        wanted.add((f"{package}.generated", "access"))
        arguments.append(("security", "access.SECURITY"))
    assigned.append(("SERVICE", call("Service", arguments)))
    policies = dict_of({peer: _policy(layout, peer, wanted) for peer in layout.peers})
    assigned.append((Code("POLICIES: dict[str, Policy]"), policies))
    return {"imports": layout.imports(wanted), "assigned": assigned}


def _view(layout: Layout, name: str, wanted: set[Import]) -> Code:
    of = layout.service.views[name].of
    module, needed = layout.messages(layout.name, of)
    alias = unique(f"{name}_view", set(layout.modules.values()), "_")
    wanted |= {
        ("chassis.views", "View"),
        (f"{layout.package}.views", f"{python_name(name)} as {alias}"),
        needed,
    }
    events = [f"{module}.{layout.event_class(event)}" for event in layout.events_of(layout.name, of)]
    return call(
        "View",
        [
            ("name", py(name)),
            ("row", f"{alias}.{layout.row_class(name)}"),
            ("events", tuple_of(events)),
            ("project", f"{alias}.project"),
            ("of", f"aggregates.{constant(of)}"),
            *([("from_state", f"{alias}.from_state")] if made_from_state(layout, name) else []),
            *([("owner", py(owner))] if (owner := layout.service.aggregates[of].owned_by) else []),
        ],
    )


def _policy(layout: Layout, peer: str, wanted: set[Import]) -> Code:
    """The policy of the first call to `peer`; a breaker is per peer, so all its calls share one."""
    name = next(call.policy for key, call in layout.service.calls.items() if key.partition(".")[0] == peer)
    policy = layout.system.policies.get(name, Policy())
    wanted |= {("chassis.policy", "BreakerPolicy"), ("chassis.retry", "Retry")}
    retry = [
        ("attempts", py(policy.retry.attempts)),
        ("backoff", py(policy.retry.backoff.value)),
        ("delay", py(policy.retry.delay)),
    ]
    breaker = [("failures", py(policy.breaker.failures)), ("reset", py(policy.breaker.reset))]
    return call(
        "Policy",
        [
            ("timeout", py(policy.timeout)),
            ("retry", call("Retry", retry)),
            ("breaker", call("BreakerPolicy", breaker)),
        ],
    )
