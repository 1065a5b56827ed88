"""Where an item was looked for: the places behind a verdict that says something is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit

_ENOUGH = 3


def starts(facts: Facts) -> tuple[Hit, ...]:
    """The services that were looked through."""
    return _few(Hit(s.file, s.line, f"looked through service {s.name}") for s in facts.services)


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
