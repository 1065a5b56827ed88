"""What the context and container pictures show, whatever draws them."""

from __future__ import annotations

from dataclasses import dataclass

from archgen.spec.analysis import Analysis
from archgen.spec.model import Broker, Language, Store, System, Via
from archgen.spec.names import title

_LANGUAGES = {
    Language.PYTHON: "Python",
    Language.TYPESCRIPT: "TypeScript",
    Language.GO: "Go",
    Language.JAVA: "Java",
}
_STORES = {Store.SQLITE: "SQLite", Store.POSTGRES: "PostgreSQL"}
_PROTOCOLS = {Via.REST: "HTTP", Via.GRPC: "gRPC"}
_BROKERS = {
    Broker.NATS: "NATS JetStream",
    Broker.RABBITMQ: "RabbitMQ",
    Broker.KAFKA: "Kafka",
    Broker.REDIS: "Redis streams",
}


@dataclass(frozen=True)
class Container:
    """A service with its database."""

    id: str
    title: str
    about: str
    language: str
    store: str
    owner: str


@dataclass(frozen=True)
class Call:
    """A service asks for views of another one, by one protocol."""

    source: str
    target: str
    views: str
    protocol: str

    @property
    def label(self) -> str:
        """What is written on the arrow."""
        return f"{self.views} ({self.protocol})"


@dataclass(frozen=True)
class Flow:
    """An event, who says it, and who listens."""

    event: str
    source: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """The system from outside and from inside. `outside` are systems that are not ours: name and what for."""

    id: str
    title: str
    about: str
    broker: str
    containers: tuple[Container, ...]
    calls: tuple[Call, ...]
    flows: tuple[Flow, ...]
    outside: tuple[tuple[str, str], ...]


def scene(system: System, analysis: Analysis) -> Scene:
    """The scene of a system."""
    containers = tuple(
        Container(
            name,
            title(name),
            service.about,
            _LANGUAGES[service.language],
            _STORES[service.store],
            service.owner,
        )
        for name, service in system.services.items()
    )
    asked: dict[tuple[str, str, Via], list[str]] = {}
    for name, service in system.services.items():
        for reference, call in service.calls.items():
            peer, _, view = reference.partition(".")
            asked.setdefault((name, peer, call.via), []).append(view)
    calls = tuple(
        Call(source, target, ", ".join(views), _PROTOCOLS[via])
        for (source, target, via), views in asked.items()
    )
    flows = tuple(
        Flow(name, event.service, _listeners(analysis, name)) for name, event in analysis.events.items()
    )
    thinks = any(service.agents for service in system.services.values())
    outside = (("Anthropic API", "answers the agents"),) if thinks else ()
    return Scene(
        system.system,
        title(system.system),
        system.about,
        _BROKERS[system.broker],
        containers,
        calls,
        flows,
        outside,
    )


def _listeners(analysis: Analysis, event: str) -> tuple[str, ...]:
    heard = {consumer.service for consumer in analysis.consumers.get(event, ()) if consumer.service}
    for saga in analysis.choreographies.values():
        heard |= {step.do.command.partition(".")[0] for step in saga.steps if step.when == event}
    return tuple(sorted(heard))
