"""A service in Python: its domain, use cases, views and sagas, and the glue to the chassis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic_core import to_json

from archgen.contracts.proto import Proto
from archgen.languages import python_messages as messages
from archgen.languages import python_sagas as sagas
from archgen.languages import python_wiring as wiring
from archgen.languages.python_access import access_file
from archgen.languages.python_agents import agent_items
from archgen.languages.python_calls import clients, clients_tests
from archgen.languages.python_domain import aggregate_file, use_case_file, view_file
from archgen.languages.python_format import formatted
from archgen.languages.python_grpc import grpc_items
from archgen.languages.python_history import (
    made_from_state,
    upcast,
    upcasters_file,
    upcasters_module,
    views_test,
)
from archgen.languages.python_jobs import job_items
from archgen.languages.python_layout import Layout
from archgen.languages.python_routes import routes
from archgen.languages.python_tests import aggregate_test, contract_test
from archgen.plan_types import Item, Template, Text
from archgen.spec.names import kebab, python_name, snake, unique

SERVICE = "python/service"


def service_items(
    layout: Layout, contract: Mapping[str, object], protos: Mapping[str, Proto]
) -> Iterator[Item]:
    """Every file of the service, below services/<name>.

    `contract` is its OpenAPI document, `protos` the contracts of all services that are asked over gRPC.
    """
    system, name = layout.system, layout.name
    service = system.services[name]
    root, source = f"services/{name}", f"services/{name}/src/{layout.package}"
    context = {"python": formatted, "name": name, "package": layout.package}

    def yours(path: str, template: str, **more: object) -> Item:
        return Template(path, f"{SERVICE}/{template}", {**context, **more})

    def test_file(name: str) -> str:
        """A file of tests that is not about an aggregate, beside those that are."""
        aggregates = {f"test_{snake(aggregate)}" for aggregate in service.aggregates}
        return f"{root}/tests/{unique(f'test_{name}', aggregates, '_of_service')}.py"

    def generated(path: str, template: str, **more: object) -> Item:
        return Template(
            f"{source}/generated/{path}",
            f"{SERVICE}/generated/{template}",
            {**context, **more},
            kind="generated",
        )

    distribution = f"{kebab(system.system)}-{kebab(name)}"
    yield yours(f"{root}/pyproject.toml", "pyproject.toml.jinja", distribution=distribution)
    yield yours(f"{source}/__init__.py", "init.py.jinja", about=sagas.wrapped(service.about) or name)
    yield yours(f"{source}/__main__.py", "main.py.jinja", **wiring.main(layout))
    yield Text(f"{source}/py.typed", "")
    for aggregate in service.aggregates:
        module = snake(aggregate)
        yield yours(f"{source}/domain/{module}.py", "domain.py.jinja", **aggregate_file(layout, aggregate))
        yield generated(f"{module}.py", "messages.py.jinja", **messages.own(layout, aggregate))
        yield yours(
            f"{root}/tests/test_{module}.py",
            "tests/test_domain.py.jinja",
            **aggregate_test(layout, aggregate),
        )
        for command in service.aggregates[aggregate].commands:
            path = f"{source}/commands/{python_name(command)}.py"
            yield yours(path, "command.py.jinja", **use_case_file(layout, aggregate, command))
    for view in service.views:
        yield yours(f"{source}/views/{python_name(view)}.py", "view.py.jinja", **view_file(layout, view))
    if upcast(layout):
        path = f"{source}/domain/{upcasters_module(layout)}.py"
        yield yours(path, "history/upcasters.py.jinja", **upcasters_file(layout))
    if any(made_from_state(layout, view) for view in service.views):
        yield yours(test_file("views"), "history/test_views.py.jinja", **views_test(layout))
    for saga in layout.orchestrations:
        path = f"{source}/sagas/{python_name(saga)}.py"
        yield yours(path, "saga.py.jinja", **sagas.orchestration(layout, saga))
    for saga in layout.choreographies:
        path = f"{source}/sagas/{python_name(saga)}.py"
        yield yours(path, "choreography.py.jinja", **sagas.choreography(layout, saga))
    for peer, modules in layout.peer_modules.items():
        for module in modules:
            path = f"peers/{peer}/{module}.py"
            yield generated(path, "messages.py.jinja", **messages.peer(layout, peer, module))
        about = f"Messages of {peer}, as this service knows them."
        yield generated(f"peers/{peer}/__init__.py", "package.py.jinja", about=about)
    if layout.peer_modules:
        yield generated(
            "peers/__init__.py", "package.py.jinja", about="What this service knows of its peers."
        )
    if system.types:
        yield generated("types.py", "types.py.jinja", **messages.types(layout))
    for path, about in wiring.packages(layout):
        yield Text(f"{source}/{path}/__init__.py", f'"""{about}"""\n')
    yield generated("__init__.py", "package.py.jinja", about="Contracts and wiring.")
    yield generated("aggregates.py", "aggregates.py.jinja", **wiring.aggregates(layout))
    yield generated("use_cases.py", "use_cases.py.jinja", **wiring.use_cases(layout))
    yield generated("routes.py", "routes.py.jinja", **routes(layout))
    yield generated("wiring.py", "wiring.py.jinja", **wiring.wiring(layout))
    if system.auth is not None:
        yield generated("access.py", "access.py.jinja", **access_file(layout))
    if service.calls:
        calls = clients(layout)
        yield generated("clients.py", "clients.py.jinja", **calls)
        for test, cases in clients_tests(layout, calls["calls"]).items():
            yield yours(test_file(test), f"tests/test_{test}.py.jinja", **cases)
    yield from grpc_items(layout, generated, protos)
    if service.jobs:
        yield from job_items(layout, yours, generated, test_file)
    if service.agents:
        yield from agent_items(layout, yours, generated, test_file)
    document = to_json(contract, indent=2).decode() + "\n"
    yield Text(f"{source}/generated/openapi.json", document, kind="generated")
    yield yours(test_file("contract"), "tests/test_contract.py.jinja", **contract_test(layout))
