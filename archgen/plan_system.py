"""The files of a project that belong to no single service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archgen.contracts.addresses import Kind, routes
from archgen.contracts.examples import example_fields
from archgen.languages.python_format import data, layout, tuple_of
from archgen.languages.python_imports import Import, block
from archgen.plan_types import Code, Item, Template
from archgen.spec.analysis import Analysis
from archgen.spec.model import Orchestration, System
from archgen.spec.names import collection, python_module, title

BROKER_PORT = 4222

_TESTING = "chassis.testing"
_DEMO = {
    ("sys", ""),
    ("pathlib", "Path"),
    (f"{_TESTING}.demo", "Request"),
    (f"{_TESTING}.demo", "Scenario"),
    (f"{_TESTING}.demo", "run"),
}
_CONFTEST = {("collections.abc", "Iterator"), ("pathlib", "Path"), ("pytest", ""), (_TESTING, "System")}
_SYSTEM = {("typing", "Any"), ("httpx", ""), ("pytest", ""), (_TESTING, "System"), (f"{_TESTING}.watch", "Watch")}
_FAULTS = _SYSTEM | {("time", ""), ("pathlib", "Path")}


def _imports(wanted: set[Import]) -> Code:
    return block(wanted, frozenset({"chassis"}))


@dataclass(frozen=True)
class ServiceLine:
    """One service as README, Procfile and .env name it."""

    name: str
    package: str
    about: str
    owner: str
    port: int
    port_variable: str
    url_variable: str
    database_variable: str
    operations: tuple[str, ...]


@dataclass(frozen=True)
class ScenarioLine:
    """A request that sets a saga off, and the events that end it."""

    title: str
    saga: str
    service: str
    path: str
    body: dict[str, object]
    ends_on: tuple[str, ...]

    @property
    def demo_body(self) -> Code:
        return layout(data(self.body), 16, len("body="), 1)

    @property
    def demo_ends(self) -> Code:
        return layout(data(self.ends_on), 8, len("ends_on="), 1)

    @property
    def case(self) -> Code:
        parts = (self.service, self.path, self.body, self.ends_on)
        return layout(tuple_of([data(part) for part in parts]), 4, after=1)


def system_items(system: System, analysis: Analysis) -> Iterator[Item]:
    """README, Makefile, Procfile, settings, demo, tests of the whole system, CI."""
    services = [_service(system, analysis, name) for name in system.services]
    scenarios = list(_scenarios(system, analysis))
    context = {"system": system, "services": services, "scenarios": scenarios, "broker_port": BROKER_PORT}
    paths = ["chassis/python/src", *(f"services/{name}/src" for name in system.services)]

    def item(path: str, template: str, executable: bool = False, **more: object) -> Item:
        return Template(path, f"system/{template}", {**context, **more}, executable)

    yield item("README.md", "README.md.jinja", sagas=[(name, saga.style, saga.about) for name, saga in system.sagas.items()])
    yield item("Makefile", "Makefile.jinja")
    yield item("Procfile", "Procfile.jinja")
    yield item(".env.example", "env.example.jinja")
    yield item(".gitignore", "gitignore.jinja")
    yield item("pyproject.toml", "pyproject.toml.jinja", mypy_path=paths)
    yield item(".github/workflows/ci.yml", "ci.yml.jinja")
    yield item("docs/run-time-contract.md", "run-time-contract.md.jinja")
    yield item("docs/operations.md", "operations.md.jinja")
    for number, (name, decision) in enumerate(system.decisions.items(), start=1):
        path = f"docs/decisions/{number:04}-{name.replace('_', '-')}.md"
        about = {"title": title(name), "number": number, "decision": decision}
        yield item(path, "decision.md.jinja", **about)
    yield item("scripts/demo.py", "demo.py.jinja", imports=_imports(_DEMO))
    yield item("tests/conftest.py", "conftest.py.jinja", imports=_imports(_CONFTEST))
    yield item("tests/test_system.py", "test_system.py.jinja", imports=_imports(_SYSTEM))
    if scenarios:
        yield item("tests/test_faults.py", "test_faults.py.jinja", imports=_imports(_FAULTS))


def _service(system: System, analysis: Analysis, name: str) -> ServiceLine:
    service = system.services[name]
    operations = tuple(f"{route.method.upper()} {route.path}" for route in routes(service))
    upper = name.upper()
    return ServiceLine(
        name,
        python_module(name),
        service.about,
        service.owner,
        analysis.ports[name],
        f"{upper}_PORT",
        f"{upper}_URL",
        f"{upper}_DATABASE_URL",
        operations,
    )


def _scenarios(system: System, analysis: Analysis) -> Iterator[ScenarioLine]:
    """One per saga that a creating command over HTTP sets off."""
    for name, saga in system.sagas.items():
        starts = [saga.when] if isinstance(saga, Orchestration) else analysis.choreographies[name].starts_on
        for event in starts:
            for command_name in analysis.events[event].commands:
                command = analysis.commands[command_name]
                if command.creates and command.emits == event:
                    service = command.service
                    body = {k: f for k, f in command.arguments.items() if k != command.id_field or not _assigned(f)}
                    path = f"/{collection(command.aggregate)}"
                    assert any(route.kind is Kind.CREATE and route.path == path for route in routes(system.services[service]))
                    yield ScenarioLine(
                        f"{title(name)}: {command.name}",
                        name,
                        service,
                        path,
                        example_fields(system, body),
                        _ends(system, analysis, name),
                    )


def _assigned(field: object) -> bool:
    return str(field) == "uuid"


def _ends(system: System, analysis: Analysis, name: str) -> tuple[str, ...]:
    """The events after which nothing more of the saga happens."""
    saga = system.sagas[name]
    if isinstance(saga, Orchestration):
        last = [saga.then or saga.steps[-1].do, saga.otherwise]
        return tuple(analysis.commands[command].emits for command in last if command)
    heard = {step.when for step in saga.steps}
    commands = [analysis.commands[step.do] for step in saga.steps]
    emitted = [event for command in commands for event in (command.emits, command.fails) if event]
    return tuple(dict.fromkeys(event for event in emitted if event not in heard))
