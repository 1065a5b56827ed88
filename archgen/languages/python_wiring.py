"""How a service's parts are joined: aggregates, use cases, routes, sagas, reactions, clients."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from archgen.contracts.addresses import Kind, Route
from archgen.contracts.addresses import routes as http_routes
from archgen.escape import py
from archgen.languages.python_format import Group, Item, call, data, tuple_of
from archgen.languages.python_format import layout as lay_out
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.languages.python_messages import FieldLine
from archgen.languages.python_types import annotation, imports
from archgen.plan_types import Code
from archgen.spec.analysis import Binding, Source
from archgen.spec.model import Aggregate, Policy
from archgen.spec.names import pascal, python_name, snake


def packages(layout: Layout) -> Iterator[tuple[str, str]]:
    """The packages of yours that the service needs, each with the docstring of its __init__."""
    yield "domain", "Aggregates: pure decisions, no I/O."
    yield "commands", "Use cases: one file per command."
    if layout.service.views:
        yield "views", "Projections: events to rows, pure."
    if layout.orchestrations or layout.choreographies:
        yield "sagas", "Sagas: what this service starts, and what it does in others."


def wrapped(text: str) -> str:
    """`text` in lines short enough for a docstring."""
    return "\n".join(textwrap.fill(line, 100) for line in text.splitlines())


def constant(aggregate: str) -> str:
    return snake(aggregate).upper()


def aggregates(layout: Layout) -> dict[str, object]:
    """The context of generated/aggregates.py."""
    wanted: set[Import] = {("chassis.domain", "AggregateType")}
    entries = []
    for name, described in layout.service.aggregates.items():
        module = snake(name)
        events = [f"{module}.{layout.event_class(event)}" for event in layout.events_of(layout.name, name)]
        wanted.add((f"{layout.package}.domain", f"{module} as {module}_domain"))
        wanted.add((f"{layout.package}.generated", module))
        type = call(
            "AggregateType",
            [
                ("name", py(name)),
                ("state", f"{module}_domain.{name}"),
                ("id_field", py(described.id)),
                ("decide", f"{module}_domain.decide"),
                ("evolve", f"{module}_domain.evolve"),
                ("events", tuple_of(events)),
                ("event_sourced", py(described.event_sourced)),
            ],
        )
        entries.append((constant(name), _assigned(constant(name), type)))
    return {"imports": layout.imports(wanted), "aggregates": entries}


def _assigned(name: str, value: str | Group) -> Code:
    """`value` as it stands behind `name = `, at the left margin."""
    return lay_out(value, 0, len(name) + 3)


def use_cases(layout: Layout) -> dict[str, object]:
    """The context of generated/use_cases.py."""
    wanted: set[Import] = {("chassis.domain", "UseCase")}
    entries = []
    for facts in layout.own_commands:
        command = facts.name.partition(".")[2]
        function, module = python_name(command), snake(facts.aggregate)
        wanted.add((f"{layout.package}.commands.{function}", function))
        wanted.add((f"{layout.package}.generated", module))
        cls = f"{module}.{layout.command_class(facts)}"
        entries.append({"constant": command.upper(), "cls": cls, "function": function})
    return {"imports": layout.imports(wanted), "use_cases": entries}


# Sagas


def orchestration(layout: Layout, saga: str) -> dict[str, object]:
    """The context of sagas/<saga>.py in the service that owns the saga."""
    bound = layout.analysis.orchestrations[saga]
    described = layout.system.sagas[saga]
    assert described.style == "orchestration"
    wanted: set[Import] = {("chassis.saga", "Saga"), ("chassis.saga", "Step")}

    def command(binding: Binding) -> str:
        name, needed = layout.message(layout.analysis.commands[binding.command])
        wanted.add(needed)
        return name

    starts_on, needed = layout.message(layout.analysis.events[bound.trigger])
    wanted.add(needed)
    steps: list[str | Group] = []
    for step, told in zip(bound.steps, described.steps, strict=True):
        named = set(told.with_)
        given = _given(step.do, named) | (_given(step.undo, named) if step.undo else {})
        arguments: list[tuple[str, str | Group]] = [("", command(step.do))]
        if step.undo:
            arguments.append(("undo", command(step.undo)))
        if given:
            arguments.append(("given", _mapping(given, wanted)))
        if told.timeout is not None:
            arguments.append(("timeout", py(told.timeout)))
        if told.attempts is not None:
            arguments.append(("attempts", py(told.attempts)))
        steps.append(call("Step", arguments))
    arguments = [("name", py(saga)), ("starts_on", starts_on)]
    arguments.append(("steps", Group("[", tuple(Item("", step) for step in steps), "]")))
    if bound.then:
        arguments.append(("then", command(bound.then)))
    if bound.otherwise:
        arguments.append(("otherwise", command(bound.otherwise)))
    arguments += [("timeout", py(described.timeout)), ("attempts", py(described.attempts))]
    variable = python_name(saga)
    return {
        "saga": saga,
        "variable": variable,
        "about": wrapped(described.about),
        "expression": _assigned(variable, call("Saga", arguments)),
        "imports": layout.imports(wanted),
    }


def choreography(layout: Layout, saga: str) -> dict[str, object]:
    """The context of sagas/<saga>.py in a service that takes part in a choreography."""
    bound = layout.analysis.choreographies[saga]
    described = layout.system.sagas[saga]
    assert described.style == "choreography"
    wanted: set[Import] = {("chassis.reactions", "Reaction")}
    carries = data(tuple(bound.carries))
    reactions: list[str | Group] = []
    for step, told in zip(bound.steps, described.steps, strict=True):
        service, _, command = step.do.command.partition(".")
        if service == layout.name:
            wanted.add((f"{layout.package}.generated.use_cases", command.upper()))
            more: list[tuple[str, str | Group]] = [("saga", py(saga))]
            if step.when in bound.starts_on:
                more.append(("starts", "True"))
            more.append(("carries", "CARRIES"))
            given = _given(step.do, set(told.with_))
            reactions.append(_reaction(layout, step.when, command.upper(), given, wanted, more))
    variable = python_name(saga)
    return {
        "saga": saga,
        "variable": variable,
        "about": wrapped(described.about),
        "expression": _assigned(variable, tuple_of(reactions)),
        "carries": _assigned("CARRIES", carries),
        "imports": layout.imports(wanted),
    }


def _reaction(
    layout: Layout,
    event: str,
    use_case: str,
    given: dict[str, str],
    wanted: set[Import],
    more: Sequence[tuple[str, str | Group]] = (),
) -> Group:
    name, needed = layout.message(layout.analysis.events[event])
    wanted.add(needed)
    arguments: list[tuple[str, str | Group]] = [("on", name), ("do", use_case)]
    if given:
        arguments.append(("given", _mapping(given, wanted)))
    return call("Reaction", [*arguments, *more])


def _given(binding: Binding, named: set[str]) -> dict[str, str]:
    """What `with:` says, as Python expressions; everything else binds by name at run time."""
    return {name: _source(source) for name, source in binding.arguments.items() if name in named}


def _source(source: Source) -> str:
    return py(source.value) if source.kind == "literal" else f"Field({py(source.field)})"


def _mapping(given: dict[str, str], wanted: set[Import]) -> Group:
    if any(value.startswith("Field(") for value in given.values()):
        wanted.add(("chassis.saga", "Field"))
    return Group("{", tuple(Item(f"{py(name)}: ", value) for name, value in given.items()), "}")


# HTTP


def routes(layout: Layout) -> dict[str, object]:
    """The context of generated/routes.py."""
    wanted: set[Import] = {
        ("fastapi", "APIRouter"),
        ("fastapi", "Request"),
        ("fastapi.responses", "JSONResponse"),
    }
    entries = [_route(layout, route, wanted) for route in http_routes(layout.service)]
    return {"imports": layout.imports(wanted), "routes": entries, "prefixed": bool(entries)}


def _route(layout: Layout, route: Route, wanted: set[Import]) -> dict[str, object]:
    described: Aggregate = layout.service.aggregates[route.aggregate]
    id_type = layout.fields(layout.name, route.aggregate)[described.id]
    wanted |= imports([id_type], layout.package)
    common = {
        "kind": route.kind.value,
        "path": py(route.path),
        "id_field": described.id,
        "id_annotation": annotation(id_type),
        "name": route.name,
        "body": "",
    }
    if route.kind is Kind.STATE:
        wanted |= {("chassis.http", "state_of"), (f"{layout.package}.generated.aggregates", constant(route.aggregate))}
        return {**common, "function": f"get_{snake(route.aggregate)}", "constant": constant(route.aggregate)}
    if route.kind is Kind.VIEW_ROW:
        wanted.add(("chassis.http", "view_row"))
        return {**common, "function": f"get_{route.name}_row", "view": py(route.name)}
    if route.kind is Kind.VIEW_LIST:
        wanted |= {("chassis.http", name) for name in ("PAGE", "PAGE_MAX", "view_page")}
        wanted |= {("typing", "Annotated"), ("fastapi", "Query")}
        return {**common, "function": f"list_{route.name}", "view": py(route.name)}
    facts = layout.analysis.commands[f"{layout.name}.{route.name}"]
    creates = route.kind is Kind.CREATE
    body = {name: field for name, field in facts.arguments.items() if name != facts.id_field}
    assigned = creates and id_type.scalar is not None and id_type.scalar.value == "uuid"
    wanted |= imports(body.values(), layout.package, wire=True)
    wanted |= {
        ("chassis.http", "execute"),
        (f"{layout.package}.generated", snake(route.aggregate)),
        (f"{layout.package}.generated.use_cases", route.name.upper()),
    }
    if assigned:
        wanted.add(("uuid", "uuid4"))
    fields = [FieldLine(n, annotation(f, wire=True), Code(" = None" if f.optional else "")) for n, f in body.items()]
    function = route.name if not route.name.startswith(("get_", "list_")) else f"do_{route.name}"
    parameters = [] if creates else [f"{facts.id_field}: {annotation(id_type)}"]
    if creates:
        default = " | None = None" if assigned else ""
        fields.append(FieldLine(facts.id_field, Code(f"{annotation(id_type)}{default}"), Code("")))
    if fields:
        wanted.add(("chassis.http", "Body"))
    body_class = f"{pascal(route.name)}Body" if fields else ""
    if body_class:
        parameters.append(f"body: {body_class}")
    signature = Group(
        f"async def {python_name(function)}(",
        tuple(Item("", each) for each in (*parameters, "request: Request")),
        ") -> JSONResponse:",
    )
    id = f"body.{facts.id_field} or uuid4()" if assigned else f"{'body.' if creates else ''}{facts.id_field}"
    arguments = [(facts.id_field, id), *((name, f"body.{name}") for name in body)]
    command = call(f"{snake(route.aggregate)}.{layout.command_class(facts)}", arguments)
    return {
        **common,
        "use_case": route.name.upper(),
        "body": body_class,
        "fields": fields,
        "signature": lay_out(signature, 0),
        "command": lay_out(command, 4, len("command = ")),
        "status": 201 if creates else 200,
    }


# Putting it together


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


def contract_test(layout: Layout) -> dict[str, object]:
    """The context of tests/test_contract.py."""
    package = layout.package
    wanted: set[Import] = {
        ("json", ""),
        ("fastapi.routing", "APIRoute"),
        (f"{package}.__main__", "CONTRACT"),
        (f"{package}.generated.routes", "router"),
    }
    return {"imports": layout.imports(wanted)}


def clients(layout: Layout) -> dict[str, object]:
    """The context of generated/clients.py."""
    wanted: set[Import] = {("chassis.http_client", "Peer"), ("chassis.last_known", "Answer"), ("urllib.parse", "quote")}
    entries = []
    for call, described in layout.service.calls.items():
        peer, _, view = call.partition(".")
        aggregate = layout.system.services[peer].views[view].of
        key = layout.system.services[peer].aggregates[aggregate].id
        entries.append(
            {
                "function": f"{python_name(peer)}_{view}",
                "peer": peer,
                "view": view,
                "key": key,
                "path": f"/{view.replace('_', '-')}/",
                "last_known": described.fallback.value == "last_known",
            }
        )
    return {"imports": layout.imports(wanted), "calls": entries}


def wiring(layout: Layout) -> dict[str, object]:
    """The context of generated/wiring.py."""
    package = layout.package
    wanted: set[Import] = {("chassis.policy", "Policy"), ("chassis.service", "Service")}
    wanted |= {(f"{package}.generated", "aggregates"), (f"{package}.generated", "use_cases")}
    reactions = [
        _reaction(
            layout,
            event,
            f"use_cases.{bound.do.command.partition('.')[2].upper()}",
            _given(bound.do, set(layout.service.on[event].with_)),
            wanted,
        )
        for event, bound in layout.analysis.reactions[layout.name].items()
    ]
    views = [_view(layout, name, wanted) for name in layout.service.views]
    for saga in (*layout.orchestrations, *layout.choreographies):
        wanted.add((f"{package}.sagas.{saga}", python_name(saga)))
    arguments: list[tuple[str, str | Group]] = [
        ("system", py(layout.system.system)),
        ("name", py(layout.name)),
        ("aggregates", tuple_of([f"aggregates.{constant(name)}" for name in layout.service.aggregates])),
        ("use_cases", tuple_of([f"use_cases.{facts.name.partition('.')[2].upper()}" for facts in layout.own_commands])),
    ]
    if views:
        arguments.append(("views", "VIEWS"))
    if reactions or layout.choreographies:
        parts = [*(["*REACTIONS"] if reactions else []), *(f"*{python_name(saga)}" for saga in layout.choreographies)]
        arguments.append(("reactions", tuple_of(parts)))
    if layout.orchestrations:
        arguments.append(("sagas", tuple_of([python_name(saga) for saga in layout.orchestrations])))
    if reactions:
        wanted.add(("chassis.reactions", "Reaction"))
    assigned: list[tuple[str, Code]] = []
    if reactions:
        assigned.append(("REACTIONS", _assigned("REACTIONS", tuple_of(reactions))))
    if views:
        assigned.append(("VIEWS", _assigned("VIEWS", tuple_of(views))))
    assigned.append(("SERVICE", _assigned("SERVICE", call("Service", arguments))))
    policies = Group("{", tuple(Item(f"{py(p)}: ", _policy(layout, p, wanted)) for p in layout.peers), "}")
    assigned.append((Code("POLICIES: dict[str, Policy]"), _assigned("POLICIES: dict[str, Policy]", policies)))
    return {"imports": layout.imports(wanted), "assigned": assigned}


def _view(layout: Layout, name: str, wanted: set[Import]) -> Group:
    view = layout.service.views[name]
    module = snake(view.of)
    wanted |= {
        ("chassis.views", "View"),
        (f"{layout.package}.views", f"{name} as {name}_view"),
        (f"{layout.package}.generated", module),
    }
    events = [f"{module}.{layout.event_class(event)}" for event in layout.events_of(layout.name, view.of)]
    return call(
        "View",
        [
            ("name", py(name)),
            ("row", f"{name}_view.{pascal(name)}"),
            ("events", tuple_of(events)),
            ("project", f"{name}_view.project"),
        ],
    )


def _policy(layout: Layout, peer: str, wanted: set[Import]) -> Group:
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
        [("timeout", py(policy.timeout)), ("retry", call("Retry", retry)), ("breaker", call("BreakerPolicy", breaker))],
    )
