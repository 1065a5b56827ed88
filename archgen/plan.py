"""System → plan: which files, from what. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archgen.contracts import contract_files
from archgen.contracts.openapi import openapi
from archgen.contracts.proto import protos
from archgen.contracts.proto_numbers import Numbers
from archgen.languages.python import service_items
from archgen.languages.python_layout import Index, Layout
from archgen.plan_deploy import deploy_items
from archgen.plan_diagrams import diagram_items
from archgen.plan_grpc import grpc_items
from archgen.plan_observability import observability_items
from archgen.plan_recovery import recovery_items
from archgen.plan_system import system_items
from archgen.plan_types import Item, Text
from archgen.render import TEMPLATES, tree_items
from archgen.spec.analysis import analyse
from archgen.spec.model import System


def plan(system: System, numbers: Mapping[str, Numbers] | None = None) -> tuple[Item, ...]:
    """The items of the project of `system`, in any order. Raises SpecError when an argument does not bind.

    `numbers` are those that fields of contracts were given in earlier runs, by service.
    """
    return tuple(_items(system, numbers or {}))


def _items(system: System, numbers: Mapping[str, Numbers]) -> Iterator[Item]:
    analysis = analyse(system)
    yield from system_items(system, analysis)
    yield from recovery_items(system, analysis)
    yield from diagram_items(system, analysis)
    yield from observability_items(system)
    yield from deploy_items(system)
    yield from tree_items(TEMPLATES / "python" / "chassis", "chassis/python")
    index = Index.of(system, analysis)
    documents = {name: openapi(system, name) for name in system.services}
    calls = protos(system, numbers)
    layouts = {name: Layout(system, analysis, name, index) for name in system.services}
    for name, document in documents.items():
        yield from service_items(layouts[name], document, calls)
    yield from grpc_items(list(layouts.values()))
    for path, text in contract_files(system, documents, calls, numbers):
        yield Text(path, text, kind="generated")
