"""Systems that are deployed in the tests, and what is planned for them."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from archgen import blueprints
from archgen.plan_deploy import deploy_items
from archgen.plan_observability import observability_items
from archgen.render import render
from archgen.spec import loads
from archgen.spec.model import System

SMALL = """
archgen: 1
system: desk
services:
  notes: {aggregates: {Note: {commands: {write: {emits: note.written}}}}}
"""

# Services that are called like parts of the infrastructure, stores of both kinds, calls, jobs.
NAMES = """
archgen: 1
system: odd_names
services:
  nats:
    store: postgres
    aggregates: {Gnat: {commands: {hatch: {emits: gnat.hatched}}}}
    views: {swarm: {of: Gnat, from: [gnat.*]}}
  postgres: {aggregates: {Elephant: {commands: {lift: {emits: elephant.lifted}}}}}
  gateway:
    aggregates: {Arch: {commands: {raise_it: {emits: arch.raised}}}}
    calls: {nats.swarm: {}}
    jobs: {sweep: {schedule: "0 3 * * *"}}
  prometheus: {store: postgres, aggregates: {Fire: {commands: {bring: {emits: fire.brought}}}}}
  two_words:
    store: postgres
    aggregates: {Log: {commands: {burn: {emits: log.burnt}}}}
    calls: {nats.swarm: {via: grpc}}
    on: {fire.brought: {do: burn}}
"""


@cache
def described(name: str) -> System:
    if name in ("orchestration", "choreography"):
        files = blueprints.render(blueprints.shelf() / "shop", {"style": name}, ask=False)
        return loads(next(file.contents for file in files if file.path == "system.yaml"))
    return loads({"small": SMALL, "names": NAMES}[name].encode())


NAMED = ("orchestration", "choreography", "small", "names")


@cache
def files(name: str) -> dict[str, str]:
    """All files that the two plans make of a system, by path."""
    system = described(name)
    items = [*deploy_items(system), *observability_items(system)]
    return {file.path: file.contents.decode() for file in render(items)}


def documents(name: str, prefix: str) -> list[dict[str, Any]]:
    """Every Kubernetes object below `prefix`."""
    texts = [
        text
        for path, text in files(name).items()
        if path.startswith(prefix) and path.endswith(".yaml") and not path.endswith("kustomization.yaml")
    ]
    return [document for text in texts for document in yaml.safe_load_all(text)]
