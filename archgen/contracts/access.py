"""Who may reach which HTTP operation: the rules of `allow`, by method and path.

Everything that tells people or machines about it (the services' own rules, OpenAPI, the gateway, the
tests) is made from this one list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archgen.contracts.addresses import Kind, Route, routes
from archgen.contracts.agents import analysis_path
from archgen.contracts.jobs import STATE_PATH, enqueue_path
from archgen.spec.auth import registration
from archgen.spec.constrained import PUBLIC
from archgen.spec.model import System

REGISTER, LOGIN, REFRESH = "/auth/register", "/auth/login", "/auth/refresh"
LOGOUT, PASSWORD, KEYS = "/auth/logout", "/auth/password", "/.well-known/jwks.json"


@dataclass(frozen=True)
class Access:
    """Who may reach one operation: `roles`, the services among `callers`, or everybody (`public`).

    `owner` is the field that says whose the thing is; empty where it is nobody's. `route` is there for
    commands, states and views. `does` is what the chassis knows it by, where it can be done otherwise too.
    """

    method: str
    path: str
    roles: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    public: bool = False
    owner: str = ""
    does: str = ""
    route: Route | None = None

    @property
    def operation(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def open(self) -> bool:
        """Whether somebody outside of the system may reach it."""
        return self.public or bool(self.roles)


def access(system: System, service_name: str) -> tuple[Access, ...]:
    """The operations of a service with who may reach them. Empty for a system without `auth`."""
    if system.auth is None:
        return ()
    return (
        *_routes(system, service_name),
        *_jobs(system, service_name),
        *_agents(system, service_name),
        *_accounts(system, service_name),
    )


def signs_in(system: System, service_name: str) -> bool:
    """Whether users sign in at this service."""
    return system.auth is not None and system.auth.service == service_name


def audience(system: System) -> str:
    """What users' tokens have to be meant for."""
    return (system.auth.audience if system.auth else "") or system.system


def _routes(system: System, service_name: str) -> Iterator[Access]:
    service = system.services[service_name]
    for route in routes(service):
        aggregate = service.aggregates[route.aggregate]
        callers: tuple[str, ...] = ()
        does = ""
        match route.kind:
            case Kind.CREATE | Kind.COMMAND:
                allow = aggregate.commands[route.name].allow
                does = f"{service_name}.{route.name}"
            case Kind.STATE:
                allow = aggregate.allow
            case _:
                allow = service.views[route.name].allow
        if route.kind is Kind.VIEW_ROW:
            does = f"view {route.name}"
            wanted = f"{service_name}.{route.name}"
            callers = tuple(name for name, peer in system.services.items() if wanted in peer.calls)
        yield Access(
            route.method,
            route.path,
            () if allow == (PUBLIC,) else allow,
            callers,
            allow == (PUBLIC,),
            aggregate.owned_by,
            does,
            route,
        )


def _jobs(system: System, service_name: str) -> Iterator[Access]:
    service = system.services[service_name]
    for name, job in service.jobs.items():
        yield Access("post", enqueue_path(name), job.allow, does=f"job {name}")
    if service.jobs:
        yield Access(
            "get", STATE_PATH, _roles(system, {role for job in service.jobs.values() for role in job.allow})
        )


def _agents(system: System, service_name: str) -> Iterator[Access]:
    service = system.services[service_name]
    for name, agent in service.agents.items():
        runs = f"/agents/{name}/runs"
        yield Access("post", runs, agent.allow)
        yield Access("get", f"{runs}/{{run_id}}", agent.allow)
        yield Access("post", f"{runs}/{{run_id}}/confirm", agent.allow)
        if agent.of:
            owner = service.aggregates[agent.of].owned_by
            yield Access("post", analysis_path(service, agent), agent.allow, owner=owner)


def _accounts(system: System, service_name: str) -> Iterator[Access]:
    if system.auth is None or not signs_in(system, service_name) or registration(system) is None:
        return
    for path in (REGISTER, LOGIN, REFRESH, LOGOUT):
        yield Access("post", path, public=True)
    yield Access("post", PASSWORD, system.auth.roles)
    yield Access("get", KEYS, public=True)


def _roles(system: System, named: set[str]) -> tuple[str, ...]:
    """In the order of the file."""
    return tuple(role for role in (system.auth.roles if system.auth else ()) if role in named)
