"""What things are called where they are deployed, and what has to run for each service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archgen.spec.calls import callers, peers
from archgen.spec.model import Service, Store, System, Via
from archgen.spec.names import kebab, python_module

HTTP_PORT = 8000
GRPC_PORT = 9000
GATEWAY_PORT = 8080
DATABASE_PORT = 5432
BROKER_PORT = 4222
# What the chassis asks for where a service has agents; see chassis.agents.settings.
AGENT_KEY, AGENT_MODEL = "ANTHROPIC_API_KEY", "AGENT_MODEL"
USER = 10001  # nobody in particular, and not root
KEYS = "/keys"  # where a service that signs or verifies has its keys
DATA = "/data"  # where a service that keeps a SQLite file has its volume


@dataclass(frozen=True)
class Process:
    """One kind of process of a service: `name` is its host name, `module` what Python runs."""

    name: str
    service: str
    module: str
    public: bool  # whether anybody but Prometheus talks to it


class Names:
    """Host names, each once: a service may be called like a part of the infrastructure."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.project = kebab(system.system)
        self._taken = {process.name for name in system.services for process in self._processes(name)}
        self.broker = self._free("nats")
        self.database = self._free("postgres")
        self.gateway = self._free("gateway")
        self.prometheus = self._free("prometheus")
        self.grafana = self._free("grafana")
        self.collector = self._free("collector")
        self.jaeger = self._free("jaeger")

    def host(self, service: str) -> str:
        """Where a service is reached; underscores are not for host names."""
        return kebab(service)

    def processes(self) -> Iterator[Process]:
        """All processes of all services, in the order of the file."""
        for name in self._system.services:
            yield from self._processes(name)

    def _processes(self, name: str) -> Iterator[Process]:
        module = python_module(name)
        yield Process(self.host(name), name, module, True)
        if self._system.services[name].jobs:
            yield Process(f"{self.host(name)}-worker", name, f"{module}.worker", False)

    def _free(self, name: str) -> str:
        return name if name not in self._taken else f"{name}-server"


def on_file(service: Service) -> bool:
    """Whether the service keeps a SQLite file: then it has a volume, and only one replica."""
    return service.store is Store.SQLITE


def asks(system: System, name: str) -> list[str]:
    """Whom this service asks over HTTP: its peers, and whoever has the keys of users' tokens."""
    issuer = system.auth.service if system.auth else ""
    needed = [] if issuer in ("", name) else [issuer]
    return list(dict.fromkeys([*peers(system.services[name], Via.REST), *needed]))


def asked_by(system: System, name: str) -> list[str]:
    """Who asks this service over HTTP."""
    return [other for other in system.services if other != name and name in asks(system, other)]


def has_keys(system: System, name: str) -> bool:
    """Whether the service signs something, or knows another by its key."""
    if system.auth is None:
        return False
    calls = any(peers(system.services[name], via) or callers(system, name, via) for via in Via)
    return calls or system.auth.service == name


def consumes(system: System, name: str) -> bool:
    """Whether anything waits for the service in the broker; every one that has a command may be sent it."""
    service = system.services[name]
    return bool(service.aggregates or service.views or service.on)


def url_variable(service: str) -> str:
    """The environment variable that tells callers where `service` is."""
    return f"{service.upper()}_URL"


def grpc_url_variable(service: str) -> str:
    """The environment variable that tells callers where `service` answers over gRPC."""
    return f"{service.upper()}_GRPC_URL"


def grpc_host(names: Names, service: str) -> str:
    """The name that stands for every replica of `service`, not for one address in front of them.

    A gRPC connection lives long, so whoever balances it has to be the caller.
    """
    return f"{names.host(service)}-grpc"


def password_variable(service: str) -> str:
    """The variable with the password of the database's role for `service`."""
    return f"{service.upper()}_DB_PASSWORD"
