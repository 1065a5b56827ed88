"""Where an item was looked for: the places behind a verdict that says something is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations, islice

from archgen.evidence.code import vocabulary as words
from archgen.evidence.entries import is_tool
from archgen.evidence.facts import Fact, Facts, Strength
from archgen.rules.model import Hit
from archgen.rules.paths import alternatives

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


_WRITES_FILES = re.compile(
    r"\bopen\([^)\n]*['\"][wax]b?\+?['\"]|\.write_(text|bytes)\(|\bos\.(WriteFile|Create|OpenFile)\(|ioutil\.WriteFile\(|"
    r"\bfs\.\w*(write|append)\w*\(|\bFiles\.write|\bnew (FileWriter|FileOutputStream)\b"
)
# Clients of what keeps things, of which the vocabulary of stores does not know every call.
_MAY_KEEP = re.compile(
    r"^(boto3|aiobotocore|aws-sdk|@aws-sdk/|google\.cloud|@google-cloud/|firebase|azure|@azure/|pynamodb|mongoengine|beanie|"
    r"elasticsearch|opensearch|neo4j|cassandra|influx|minio|etcd3|kazoo|github\.com/(aws/aws-sdk-go|minio|elastic|hashicorp/raft)|"
    r"cloud\.google\.com|software\.amazon|com\.amazonaws|com\.google\.cloud|com\.azure|org\.apache\.(zookeeper|curator))"
)
_ENOUGH_CODE = 50  # functions; of less than that nothing follows


def keeps_nothing(facts: Facts) -> str:
    """Why nothing is kept between two requests, "" where something is or may be."""
    if not facts.services or facts.has(
        "datastore", "database.binding", "store.driver", "memory.store", "broker", at_least=Strength.CLAIMED
    ):
        return ""
    count = 0
    for module in facts.program.modules.values():
        if not module.production or not module.live:
            continue
        if any(words.STORE_IMPORT.search(i.module) or _MAY_KEEP.match(i.module) for i in module.imports):
            return ""
        for function in module.functions:
            if any(e.kind.startswith(("db.", "outbox")) for e in function.effects):
                return ""
            if _WRITES_FILES.search(function.body):
                return ""
            count += bool(function.name)
    return (
        f"none of {count} functions keeps anything, and no store is started" if count >= _ENOUGH_CODE else ""
    )


def one_change_each(facts: Facts) -> str:
    """Why every operation is whole although nothing makes it so, "" where one makes two changes or may."""
    count = 0
    for module in facts.program.modules.values():
        if not module.production or not module.live:
            continue
        if any(_MAY_KEEP.match(i.module) for i in module.imports):
            return ""
        for function in module.functions:
            if _WRITES_FILES.search(function.body):
                return ""
            writes = {id(e.call): e.call for e in function.reach if e.kind == "db.write"}
            pairs = combinations(writes.values(), 2)
            if any(not alternatives(one, other) for one, other in pairs):
                return ""
            count += bool(writes)
    if count < _ENOUGH:
        return ""
    return f"each of {count} functions that write makes one change, which the store keeps as a whole"


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
