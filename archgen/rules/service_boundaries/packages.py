"""Programs of one Python package that reach the same store through the package's own code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code.live import Imports
from archgen.evidence.facts import Facts, Service

_STORE = re.compile(r".*?/(db|database|models|storage|store|persistence|repositor(y|ies))/")

# What a store may raise, and how it calls things, is no store.
_NO_STORE = re.compile(r"/(__init__|exceptions?|errors|constants|types)\.py$")
_MIGRATES = re.compile(r"migrat|alembic")


def shared_stores(facts: Facts) -> Iterator[tuple[list[str], str, int]]:
    """The names of programs that one package installs, with the first write of a module that several of
    them import, however far. What several packages share as a library is each one's own store, maybe.
    """
    groups: dict[str, list[Service]] = defaultdict(list)
    for service in facts.services:
        if service.file.endswith(".py") and not service.file.startswith(f"{service.folder}/"):
            groups[service.file.partition("/")[0]].append(service)
    several = {package: services for package, services in groups.items() if len(services) > 1}
    if not several:
        return
    imports = Imports(facts.program)
    for package, services in several.items():
        reached = {s.name: imports.reached(_own(facts, s)) for s in services}
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
                if path in paths
                or (front and any(p.startswith(front[0]) and not _NO_STORE.search(p) for p in paths))
            ]
            if len(names) > 1:
                yield sorted(names), path, line
                break


def _own(facts: Facts, service: Service) -> list[str]:
    return [p for p in facts.program.modules if p == service.file or p.startswith(f"{service.folder}/")]
