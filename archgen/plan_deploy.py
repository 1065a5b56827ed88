"""System → the files below deploy/, an image for each service, and the gateway."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.contracts.yaml_text import to_yaml
from archgen.deploy import compose, kubernetes
from archgen.deploy.gateway import public
from archgen.deploy.naming import (
    BROKER_PORT,
    DATA,
    GATEWAY_PORT,
    HTTP_PORT,
    USER,
    Names,
    has_keys,
    on_file,
    password_variable,
)
from archgen.plan_types import Code, Copy, Item, Template, Text
from archgen.render import TEMPLATES
from archgen.spec.calls import over_grpc
from archgen.spec.model import System
from archgen.spec.names import kebab, python_module

FOLDER = "deploy"
TEMPLATE = "system/deploy"
LOCK = "requirements.lock"


def deploy_items(system: System) -> Iterator[Item]:
    """Dockerfiles, compose, kustomize, the gateway's configuration, and how to use them."""
    names = Names(system)
    for name, service in system.services.items():
        context = {
            "name": name,
            "package": python_module(name),
            "port": HTTP_PORT,
            "user": USER,
            "data": DATA,
        }
        yield Template(
            f"services/{name}/Dockerfile",
            f"{TEMPLATE}/Dockerfile.jinja",
            {**context, "on_file": on_file(service)},
        )
    yield Template(".dockerignore", f"{TEMPLATE}/dockerignore.jinja")
    yield Copy(LOCK, TEMPLATES / TEMPLATE / LOCK)
    about = "# The whole system on one machine; docs/deployment.md tells how to start it.\n"
    yield Text(f"{FOLDER}/compose.yaml", about + to_yaml(compose.compose(system)))
    yield Template(
        f"{FOLDER}/.env.example",
        f"{TEMPLATE}/env.example.jinja",
        {"secrets": compose.secrets(system), "agents": _agents(system)},
    )
    for path, text in kubernetes.manifests(system):
        yield Text(f"{FOLDER}/kubernetes/{path}", text)
    yield from _configuration(system, names)
    yield Copy("tests/test_deployment.py", TEMPLATES / "system" / "tests" / "test_deployment.py")
    yield Template("docs/deployment.md", f"{TEMPLATE}/deployment.md.jinja", _guide(system, names))
    yield Template("scripts/deploy_env.py", f"{TEMPLATE}/deploy_env.py.jinja")


def _configuration(system: System, names: Names) -> Iterator[Item]:
    """What compose mounts and kustomize makes ConfigMaps of; that reads nothing outside its own folder."""
    table = [
        {"method": Code(one.method), "pattern": Code(one.pattern), "service": one.service}
        for one in public(system)
    ]
    hosts = {name: names.host(name) for name in system.services}
    ports = {"port": HTTP_PORT, "gateway_port": GATEWAY_PORT, "broker_port": BROKER_PORT}
    issuer = system.auth.service if system.auth else ""
    signing_in = Code(f"/api/{kebab(issuer)}/auth/") if issuer else ""
    base, local = f"{FOLDER}/kubernetes/base", f"{FOLDER}/kubernetes/components/local"
    yield Template(
        f"{base}/default.conf.template",
        f"{TEMPLATE}/gateway.conf.jinja",
        {"routes": table, "hosts": hosts, "signing_in": signing_in, **ports},
    )
    yield Template(f"{local}/nats.conf", f"{TEMPLATE}/nats.conf.jinja", ports)
    roles = [
        (name, password_variable(name)) for name, service in system.services.items() if not on_file(service)
    ]
    if roles:
        yield Template(f"{local}/roles.sh", f"{TEMPLATE}/roles.sh.jinja", {"roles": roles}, executable=True)


def _agents(system: System) -> list[str]:
    return [name for name, service in system.services.items() if service.agents]


def _guide(system: System, names: Names) -> dict[str, object]:
    stored = [names.host(name) for name, service in system.services.items() if not on_file(service)]
    return {
        "system": system,
        "project": names.project,
        "hosts": [names.host(name) for name in system.services],
        "stored": stored,
        "broker": names.broker,
        "database": names.database,
        "gateway": names.gateway,
        "first": next(iter(system.services)),
        "agents": [names.host(name) for name in _agents(system)],
        "grpc": any(over_grpc(system, name) for name in system.services),
        "keys": [(names.host(name), name) for name in system.services if has_keys(system, name)],
    }
