"""The files of a project that belong to no single service."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archgen.contracts.access import access
from archgen.contracts.accounts import registration_fields
from archgen.contracts.addresses import routes
from archgen.contracts.examples import example_fields
from archgen.contracts.jobs import enqueue_path
from archgen.escape import py
from archgen.languages.python_format import call, formatted, list_of, tuple_of
from archgen.languages.python_imports import Import, block
from archgen.plan_types import Code, Item, Template
from archgen.spec.analysis import Analysis, CommandFacts
from archgen.spec.auth import registration
from archgen.spec.facts import UUID
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
_SYSTEM = {
    ("typing", "Any"),
    ("uuid", "uuid4"),
    ("httpx", ""),
    ("pytest", ""),
    (_TESTING, "System"),
    (f"{_TESTING}.watch", "Watch"),
}
_JOBS = {
    ("pathlib", "Path"),
    ("time", ""),
    ("typing", "Any"),
    ("httpx", ""),
    ("pytest", ""),
    (_TESTING, "System"),
}
_TRACE = {
    ("gzip", ""),
    ("json", ""),
    ("secrets", ""),
    ("threading", ""),
    ("http.server", "BaseHTTPRequestHandler"),
    ("http.server", "ThreadingHTTPServer"),
    ("pathlib", "Path"),
    ("typing", "Any"),
    ("typing", "Self"),
    ("uuid", "uuid4"),
    ("httpx", ""),
    ("opentelemetry.proto.collector.trace.v1.trace_service_pb2", "ExportTraceServiceRequest"),
    ("opentelemetry.proto.trace.v1.trace_pb2", "Span"),
    (_TESTING, "System"),
    (f"{_TESTING}.watch", "Watch"),
}
_ACCESS = {
    ("collections.abc", "Iterator"),
    ("pathlib", "Path"),
    ("httpx", ""),
    ("pytest", ""),
    (_TESTING, "System"),
    (f"{_TESTING}.matrix", "Matrix"),
    (f"{_TESTING}.matrix", "Owned"),
}
_SCHEMAS = {("pathlib", "Path"), ("pytest", ""), ("subprocess", ""), ("sys", ""), (_TESTING, "System")}
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
    worker_port: int = 0  # of the process that does its jobs; 0 without jobs
    grpc_port: int = 0  # 0 where nobody asks it over gRPC

    @property
    def worker_variable(self) -> str:
        return f"{self.name.upper()}_WORKER_PORT"

    @property
    def grpc_variable(self) -> str:
        return f"{self.name.upper()}_GRPC_PORT"

    @property
    def grpc_url_variable(self) -> str:
        return f"{self.name.upper()}_GRPC_URL"


@dataclass(frozen=True)
class Flow:
    """A request that creates something, and the events of which one ends what it sets off."""

    title: str
    service: str
    path: str
    id_field: str
    body: dict[str, object]
    ends_on: tuple[str, ...]

    @property
    def scenario(self) -> Code:
        """As the demo plays it, once."""
        request = call(
            "Request", [("service", py(self.service)), ("path", py(self.path)), ("body", py(self.body))]
        )
        arguments = [
            ("title", py(self.title)),
            ("requests", tuple_of([request])),
            ("ends_on", py(self.ends_on)),
        ]
        return call("Scenario", arguments)

    @property
    def case(self) -> Code:
        """As the tests play it, each time under a new id."""
        body = {name: value for name, value in self.body.items() if name != self.id_field}
        return py((self.service, self.path, self.id_field, body, self.ends_on))


def system_items(system: System, analysis: Analysis) -> Iterator[Item]:
    """README, Makefile, Procfile, settings, demo, tests of the whole system, CI."""
    services = [_service(system, analysis, name) for name in system.services]
    shown = flows(system, analysis)
    context = {
        "python": formatted,
        "system": system,
        "services": services,
        "broker_port": BROKER_PORT,
        "scenarios": tuple_of([flow.scenario for flow in shown]),
        "flows": list_of([flow.case for flow in shown]),
    }
    sources = ["chassis/python/src", *(f"services/{name}/src" for name in system.services)]
    tests = [f"services/{name}/tests" for name in system.services]

    def item(path: str, template: str, **more: object) -> Item:
        return Template(path, f"system/{template}", {**context, **more})

    yield item(
        "README.md",
        "README.md.jinja",
        sagas=[(name, saga.style, saga.about) for name, saga in system.sagas.items()],
        signing_in=_signing_in(system, services),
    )
    yield item("Makefile", "Makefile.jinja")
    yield item("Procfile", "Procfile.jinja")
    yield item(".env.example", "env.example.jinja")
    yield item(".gitignore", "gitignore.jinja")
    yield item("pyproject.toml", "pyproject.toml.jinja", sources=sources, tests=tests)
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
    yield item("tests/test_faults.py", "test_faults.py.jinja", imports=_imports(_FAULTS))
    if shown:
        yield item(
            "tests/test_trace.py", "tests/test_trace.py.jinja", imports=_imports(_TRACE), case=shown[0].case
        )
    if system.auth is not None:
        yield item("tests/test_access.py", "tests/test_access.py.jinja", imports=_imports(_ACCESS))
        yield item("tests/test_schemas.py", "tests/test_schemas.py.jinja", imports=_imports(_SCHEMAS))
    # A job that takes nothing, or only its due time, can be enqueued by anybody who knows its name.
    bare = [
        (name, enqueue_path(job))
        for name, service in system.services.items()
        for job, described in service.jobs.items()
        if not described.takes and (system.auth is None or described.allow)
    ]
    if bare:
        yield item("tests/test_jobs.py", "test_jobs.py.jinja", imports=_imports(_JOBS), jobs=py(bare))


def _signing_in(system: System, services: Sequence[ServiceLine]) -> dict[str, object] | None:
    """What the README shows of signing in; None where users do that elsewhere."""
    found = registration(system)
    if system.auth is None or found is None:
        return None
    line = next(each for each in services if each.name == system.auth.service)
    account = registration_fields(system, line.name)
    password = "correct horse battery"
    example = example_fields(system, account)
    own = next((each for each in access(system, line.name) if each.route and each.roles), None)
    path = own.path if own else "/health/ready"
    return {
        "name": line.name,
        "port": line.port,
        "register": Code(shlex.quote(json.dumps({**example, "password": password}))),
        "login": Code(shlex.quote(json.dumps({"email": example["email"], "password": password}))),
        "access": f"{system.auth.access / 60:g} minutes",
        "own": Code(f"$U{path.split('{')[0].rstrip('/')}/…" if "{" in path else f"$U{path}"),
    }


def flows(system: System, analysis: Analysis) -> list[Flow]:
    """What is played in demo, tests and drill: a flow per saga that a request sets off.

    Without such a saga, each service shows the first thing that it makes.
    """
    return list(_sagas(system, analysis)) or list(_firsts(system, analysis))


def _service(system: System, analysis: Analysis, name: str) -> ServiceLine:
    service = system.services[name]
    operations = tuple(f"{route.method.upper()} {route.path}" for route in routes(service))
    upper = name.upper()
    return ServiceLine(
        name,
        python_module(name),
        service.about,
        service.owner,
        analysis.ports.http[name],
        f"{upper}_PORT",
        f"{upper}_URL",
        f"{upper}_DATABASE_URL",
        operations,
        analysis.ports.worker.get(name, 0),
        analysis.ports.grpc.get(name, 0),
    )


def _sagas(system: System, analysis: Analysis) -> Iterator[Flow]:
    """One flow per saga that a creating command over HTTP sets off."""
    for name, saga in system.sagas.items():
        starts = [saga.when] if isinstance(saga, Orchestration) else analysis.choreographies[name].starts_on
        for event in starts:
            for command in map(analysis.commands.__getitem__, analysis.events[event].commands):
                if command.creates and command.emits == event and _open(system, command):
                    ends = _ends(system, analysis, name)
                    yield _flow(system, f"{title(name)}: {command.name}", command, ends)


def _firsts(system: System, analysis: Analysis) -> Iterator[Flow]:
    """One flow per service: its first creating command, which ends with its own event."""
    for name in system.services:
        own = [each for each in analysis.commands.values() if each.service == name and each.creates]
        creating = [each for each in own if _open(system, each)]
        for command in creating[:1]:
            yield _flow(system, command.name, command, (command.emits,))


def _open(system: System, command: CommandFacts) -> bool:
    """Whether somebody may give it over HTTP."""
    described = system.services[command.service].aggregates[command.aggregate].commands
    return system.auth is None or bool(described[command.name.partition(".")[2]].allow)


def _flow(system: System, title: str, command: CommandFacts, ends_on: tuple[str, ...]) -> Flow:
    assigned = command.arguments[command.id_field] == UUID
    given = {
        name: field for name, field in command.arguments.items() if name != command.id_field or not assigned
    }
    body = example_fields(system, given)
    return Flow(title, command.service, f"/{collection(command.aggregate)}", command.id_field, body, ends_on)


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
