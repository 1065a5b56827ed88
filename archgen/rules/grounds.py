"""Where an item was looked for: the places behind a verdict that says something is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from archgen.evidence.entries import is_tool
from archgen.evidence.facts import Fact, Facts
from archgen.rules.model import Hit

_ENOUGH = 3


def library(facts: Facts) -> bool:
    """Whether nothing in the project starts by itself, so that what deploys it decides."""
    if facts.services:
        return False
    code = [m for m in facts.program.modules.values() if m.production and not is_tool(m.path)]
    return (len(code) >= 10 or (bool(code) and facts.has("package"))) and not any(
        f.name == "main" and not (m.language == "go" and m.package != "main")
        for m in code
        for f in m.functions
    )


def starts(facts: Facts) -> tuple[Hit, ...]:
    """The services that were looked through."""
    return _few(Hit(s.file, s.line, f"looked through service {s.name}") for s in facts.services)


def of(facts: Iterable[Fact], what: str) -> tuple[Hit, ...]:
    """Facts that a verdict rests on."""
    return _few(Hit(f.file, f.line, what, f.strength) for f in facts)


def calls(facts: Facts) -> tuple[Hit, ...]:
    """Calls to peers."""
    return _few(_effects(facts, "remote", "a peer is called"))


def writes(facts: Facts) -> tuple[Hit, ...]:
    """Writes to a database, and stores that are deployed."""
    stores = (Hit(s.file, s.line, f"data is kept in {s['name']}", s.strength) for s in facts.of("datastore"))
    return _few(_effects(facts, "db.write", "state is written")) or _few(stores)


def stores(facts: Facts) -> tuple[Hit, ...]:
    """Stores that are deployed, and writes to a database where none is."""
    found = _few(
        Hit(s.file, s.line, f"data is kept in {s['name']}", s.strength) for s in facts.of("datastore")
    )
    return found or _few(_effects(facts, "db.write", "state is written"))


def _effects(facts: Facts, kind: str, what: str) -> Iterator[Hit]:
    seen: set[str] = set()
    for module, function in facts.program.functions():
        for effect in function.effects:
            if effect.kind == kind and module.path not in seen:
                seen.add(module.path)
                yield Hit(module.path, effect.call.line, f"{what} in {function.title or 'the module'}")


def _few(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    return tuple(islice(hits, _ENOUGH))
