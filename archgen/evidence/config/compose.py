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


def wants(source: Source, docs: list[Node]) -> bool:
    return any(
        doc.get("services") is not None
        and isinstance(doc.get("services").value, dict)  # type: ignore[union-attr]
        and doc.get("kind") is None
        and any(s.get("image") or s.get("build") for _, s in doc.get("services").items())  # type: ignore[union-attr]
        for doc in docs
    )


def collect(source: Source, docs: list[Node], strength: Strength) -> Iterator[Fact]:
    for doc in docs:
        services = doc.get("services")
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
                yield Fact("datastore", source.path, service.line, strength, {"engine": engine, "name": name})
            broker = "" if built else broker_of(image or "")
            if broker:
                yield Fact("broker", source.path, service.line, strength, {"engine": broker, "name": name})
            if re.search(
                r"prom/prometheus|grafana|jaeger|zipkin|tempo|otel|opentelemetry|loki|signoz", image
            ):
                yield Fact(
                    "telemetry.backend", source.path, service.line, strength, {"image": image, "name": name}
                )
            if service.get("healthcheck") is not None and not engine and not broker:
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
