"""Docker Compose: services, stores, brokers, what is handed to whom by environment, health checks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from archgen.evidence.config.engines import broker_of, database_of
from archgen.evidence.config.located import Node
from archgen.evidence.config.settings import settings_of
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_NAMED = re.compile(r"(docker-)?compose\b.*\.ya?ml$")
_BOUGHT = re.compile(
    r"(^|/)(redis|valkey|memcached|minio|keycloak|vault|consul|zookeeper|nginx|traefik|grafana|prometheus|jaeger|mailhog)\b"
)

# What its own comment calls a thing for developers, or for tests, keeps nothing that anybody would miss.
_TRIAL = re.compile(
    r"#[^\n]*(\b(for|used in)\b[^\n]*\b(local|develop(ment|ers|ing)|test(s|ing)?)\b|"
    r"\b(local|development|dev|test(s|ing)?)\b[^\n]*\bonly\b)",
    re.IGNORECASE,
)
_HEAD = 8  # lines


def wants(source: Source, docs: list[Node]) -> bool:
    return any(_services(source, doc) for doc in docs)


def _services(source: Source, doc: Node) -> Node | None:
    """The services of a file; those of the first version, which has no key for them, stand at its top."""
    services = doc.get("services")
    if services is None and _NAMED.match(source.name) and doc.get("version") is None:
        services = doc
    runs = services is not None and any(s.get("image") or s.get("build") for _, s in services.items())
    return services if runs and doc.get("kind") is None else None


def collect(source: Source, docs: list[Node], strength: Strength) -> Iterator[Fact]:
    trial = _TRIAL.search("\n".join(source.text.split("\n", _HEAD)[:_HEAD])) is not None
    for doc in docs:
        services = _services(source, doc)
        # where no store keeps anything, the file is for trying things out
        persists = services is not None and any(
            named
            for _, service in services.items()
            if database_of(service.text("image")) or broker_of(service.text("image"))
            for named, _ in _mounts(service)
        )
        for name, service in services.items() if services else ():
            image = service.text("image")
            yield Fact(
                "workload",
                source.path,
                service.line,
                strength,
                {"name": name, "image": image, "by": "compose"},
            )
            built = service.get("build") is not None
            if built:
                yield from _process(source, name, service, strength)
            engine = (
                database_of(name)
                if built and database_of(name) == name
                else ""
                if built
                else database_of(image)
            )
            if engine:
                fleeting = "" if trial else _fleeting(service, image, engine, persists)
                data = {"engine": engine, "name": name, "fleeting": fleeting, "trial": trial}
                yield Fact("datastore", source.path, service.line, strength, data)
            lost = _fleeting(service, image, "redis", persists) if re.search("redis|valkey", image) else ""
            if not built and lost:
                data = {"engine": "redis", "name": name, "fleeting": lost}
                yield Fact("memory.store", source.path, service.line, strength, data)
            broker = "" if built else broker_of(image or "")
            if broker:
                mounts = tuple(target for _, target in _mounts(service))
                about = {"engine": broker, "name": name, "mounts": mounts}
                yield Fact("broker", source.path, service.line, strength, about)
            if re.search(
                r"prom/prometheus|grafana|jaeger|zipkin|tempo|otel|opentelemetry|loki|signoz", image
            ):
                yield Fact(
                    "telemetry.backend", source.path, service.line, strength, {"image": image, "name": name}
                )
            bought = not built and _BOUGHT.search(image) is not None
            if service.get("healthcheck") is not None and not (engine or broker or bought):
                yield Fact(
                    "probe",
                    source.path,
                    service.place("healthcheck"),
                    strength,
                    {"kind": "health", "workload": name},
                )
            for key, value, line in _environment(service):
                yield from settings_of(source.path, line, key, value, strength, owner=name)


def _process(source: Source, name: str, service: Node, strength: Strength) -> Iterator[Fact]:
    """The command of a service that is built here, and the folder that it is built from."""
    context = service.text("build") or service.text("build", "context") or "."
    folder = posixpath.normpath(posixpath.join(source.folder, context)).removeprefix(".")
    command = service.get("command")
    words = [n.value for n in command.each()] if command and isinstance(command.value, list) else []
    text = " ".join(w for w in words if isinstance(w, str)) or service.text("command")
    if text and not folder.startswith(".."):
        data = {"name": name, "command": text, "folder": folder.lstrip("/")}
        yield Fact("process", source.path, service.place("command"), strength, data)


_DATA = {
    "postgres": "/var/lib/postgresql",
    "mysql": "/var/lib/mysql",
    "mongodb": "/data/db",
    "mssql": "/var/opt/mssql",
    "cassandra": "/var/lib/cassandra",
    "elasticsearch": "/usr/share/elasticsearch/data",
    "redis": "/data",
}
_OFFICIAL = re.compile(
    r"^(?:docker\.io/)?(?:library/)?(postgres|postgis/\w+|mysql|mariadb|mongo|cassandra|redis|valkey/valkey)(:|@|$)"
)


def _mounts(service: Node) -> Iterator[tuple[bool, str]]:
    """Of each volume whether it has a name or a folder of the host, and where it is mounted."""
    volumes = service.get("volumes")
    for item in volumes.each() if volumes else ():
        if isinstance(item.value, str):
            parts = re.sub(r":(ro|rw|z|Z|cached|delegated)$", "", item.value).split(":")
            yield len(parts) > 1 and not re.search(r"\.\w+$", parts[0]), parts[-1]
        elif item.text("target"):
            yield item.text("type") != "tmpfs" and bool(item.text("source")), item.text("target")


def _fleeting(service: Node, image: str, engine: str, persists: bool) -> str:
    """Where the store keeps its data when that does not outlive the container, else ""."""
    home = _DATA.get(engine)
    if home is None or not _OFFICIAL.match(image):
        return ""
    if any(
        "sentinel" in value for key, value, _ in service.flat() if key.startswith(("command", "entrypoint"))
    ):
        return ""  # it watches who keeps data, and keeps none
    home = next((value for key, value, _ in _environment(service) if key == "PGDATA"), home)
    memory = service.get("tmpfs")
    in_memory = [memory.value] if memory and isinstance(memory.value, str) else []
    in_memory += [str(item.value) for item in memory.each()] if memory else []
    if any(_covers(place.split(":")[0], home) for place in in_memory):
        return "memory (tmpfs)"
    kept = [target for named, target in _mounts(service) if named]
    if persists and not any(_covers(target, home) for target in kept):
        return f"the container: no volume is mounted at {home}"
    return ""


def _covers(target: str, home: str) -> bool:
    one, two = target.rstrip("/") + "/", home.rstrip("/") + "/"
    return one.startswith(two) or two.startswith(one)


def _environment(service: Node) -> Iterator[tuple[str, str, int]]:
    environment = service.get("environment")
    if environment is None:
        return
    for key, node in environment.items():
        if isinstance(node.value, str):
            yield key, node.value, node.line
    for node in environment.each():
        if isinstance(node.value, str) and "=" in node.value:
            key, _, value = node.value.partition("=")
            yield key, value, node.line
