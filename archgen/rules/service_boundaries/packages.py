"""Programs of one Python package that reach the same store through the package's own code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code.model import Module
from archgen.evidence.facts import Facts, Service

_STORE = re.compile(r".*?/(db|database|models|storage|store|persistence|repositor(y|ies))/")

_MIGRATES = re.compile(r"migrat|alembic")


def shared_stores(facts: Facts) -> Iterator[tuple[list[str], str, int]]:
    """The names of programs that one package installs, with the first write of a module that several of
    them import, however far. What several packages share as a library is each one's own store, maybe.
    """
    groups: dict[str, list[Service]] = defaultdict(list)
    for service in facts.services:
        if service.file.endswith(".py") and not service.file.startswith(f"{service.folder}/"):
            groups[service.file.partition("/")[0]].append(service)
    for package, services in groups.items():
        reached = {s.name: _reached(facts, s) for s in services} if len(services) > 1 else {}
        folders = tuple(f"{s.folder}/" for s in services)
        for path, module in sorted(facts.program.modules.items()):
            line = next((e.call.line for f in module.functions for e in f.effects if e.kind == "db.write"), 0)
            if (
                _MIGRATES.search(path)
                or not line
                or not module.production
                or not path.startswith(f"{package}/")
                or path.startswith(folders)
            ):
                continue
            # which back end is used, a setting says: who imports the folder's front uses what lies below
            front = _STORE.match(path)
            names = [
                name
                for name, paths in reached.items()
                if path in paths or (front and any(p.startswith(front[0]) for p in paths))
            ]
            if len(names) > 1:
                yield sorted(names), path, line
                break


def _reached(facts: Facts, service: Service) -> set[str]:
    modules = facts.program.modules
    waiting = [p for p in modules if p == service.file or p.startswith(f"{service.folder}/")]
    reached = set(waiting)
    while waiting:
        for target in _imported(modules, modules[waiting.pop()]):
            if target not in reached and modules[target].production:
                reached.add(target)
                waiting.append(target)
    return reached


def _imported(modules: dict[str, Module], module: Module) -> Iterator[str]:
    for item in module.imports:
        base = item.module.replace(".", "/")
        for stem in (base, *(f"{base}/{name}" for name in item.names.values())):
            for path in (f"{stem}.py", f"{stem}/__init__.py"):
                if path in modules:
                    yield path
