"""Services of one workspace that reach the same store through a package that holds its schema."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.live import Imports
from archgen.evidence.facts import Facts

# What makes a client for a schema that was generated, or says what a collection or table holds.
_SCHEMA = re.compile(r"^(PrismaClient|(mongoose\.)?(Schema|model)|(pg|mysql|sqlite)Table)$")
_STORE = re.compile(r"^(@prisma/client|\.prisma/client|mongoose|drizzle-orm)\b")


def shared_schemas(facts: Facts) -> Iterator[tuple[list[str], str, int]]:
    """The names of services that write what a package beside them describes, with the place where it does.

    A package of connections alone is each one's own store, maybe; a schema is one for all.
    """
    services = [s for s in facts.services if s.folder and s.language == "typescript"]
    schemas = list(_schemas(facts)) if len(services) > 1 else []
    if not schemas:
        return
    imports = Imports(facts.program)
    own = {p for p, module in facts.program.modules.items() if module.production}
    reached = {s.name: imports.reached(p for p in own if p.startswith(f"{s.folder}/")) for s in services}
    for path, line in schemas:
        names = [name for name, paths in reached.items() if path in paths and _writes(facts, paths)]
        if len(names) > 1:
            yield sorted(names), path, line
            return


_REPOSITORY = re.compile(
    r"\b(Jpa|Crud|Mongo|PagingAndSorting|ListCrud|Reactive\w*|R2dbc)Repository\b|\bBaseMapper\b"
)
# Every service may keep these for itself, by a library that all of them use.
_EACH_OWN = re.compile(r"outbox|inbox|event|message|audit|log|lock|token|session", re.IGNORECASE)


def shared_repositories(facts: Facts) -> Iterator[tuple[list[str], str, int]]:
    """The same for Java: services that put two or more repositories of one module beside them to use."""
    services = [s for s in facts.services if s.folder and s.language == "java"]
    kept = [
        (path, one)
        for path, module in sorted(facts.program.modules.items())
        if module.language == "java" and module.production and facts.service_of(path) is None
        for one in module.classes
        if any(_REPOSITORY.search(base) for base in one.bases) and not _EACH_OWN.search(one.name)
    ]
    if len(services) < 2 or len(kept) < 2:
        return
    imports = Imports(facts.program)
    own = [
        p for p, module in facts.program.modules.items() if module.production and module.language == "java"
    ]
    used = {s.name: imports.reached(p for p in own if p.startswith(f"{s.folder}/")) for s in services}
    users: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for path, one in kept:
        names = tuple(sorted(name for name, paths in used.items() if path in paths))
        if len(names) > 1:
            users.setdefault(names, []).append((path, one.line))
    for names, places in users.items():
        if len(places) > 1:
            yield list(names), *places[0]
            return


def _schemas(facts: Facts) -> Iterator[tuple[str, int]]:
    for path, module in sorted(facts.program.modules.items()):
        if not module.production or module.language != "typescript" or facts.service_of(path) is not None:
            continue
        if module.uses(_STORE):
            made = (c.line for f in module.functions for c in f.calls if _SCHEMA.match(c.callee))
            line = next(made, 0)
            if line:
                yield path, line


def _writes(facts: Facts, paths: set[str]) -> bool:
    modules = facts.program.modules
    return any(e.kind == "db.write" for p in paths for f in modules[p].functions for e in f.effects)
