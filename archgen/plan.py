"""System → plan: which files, from what. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.contracts import contract_files
from archgen.contracts.openapi import openapi
from archgen.languages.python import service_items
from archgen.languages.python_layout import Index, Layout
from archgen.plan_deploy import deploy_items
from archgen.plan_diagrams import diagram_items
from archgen.plan_observability import observability_items
from archgen.plan_recovery import recovery_items
from archgen.plan_system import system_items
from archgen.plan_types import Item, Text
from archgen.render import TEMPLATES, tree_items
from archgen.spec.analysis import analyse
from archgen.spec.model import System


def plan(system: System) -> tuple[Item, ...]:
    """The items of the project of `system`, in any order. Raises SpecError when an argument does not bind."""
    return tuple(_items(system))


def _items(system: System) -> Iterator[Item]:
    analysis = analyse(system)
    yield from system_items(system, analysis)
    yield from recovery_items(system, analysis)
    yield from diagram_items(system, analysis)
    yield from observability_items(system)
    yield from deploy_items(system)
    yield from tree_items(TEMPLATES / "python" / "chassis", "chassis/python")
    index = Index.of(system, analysis)
    documents = {name: openapi(system, name) for name in system.services}
    for name, document in documents.items():
        yield from service_items(Layout(system, analysis, name, index), document)
    for path, text in contract_files(system, documents):
        yield Text(path, text, kind="generated")
