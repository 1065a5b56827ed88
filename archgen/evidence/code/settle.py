"""What the vocabulary alone could not know of effects: said right once it is known who calls whom.

Names are only a hint. A publisher may write an outbox, `publish` may be the project's own, a client
may be declared on an interface, or written by protoc. What is settled here holds for each function's
own effects; `carry.connect` then carries them to its callers.
"""

from __future__ import annotations

import re
from collections import defaultdict

from archgen.evidence.code import records, streams
from archgen.evidence.code.clients import Clients
from archgen.evidence.code.links import Links
from archgen.evidence.code.model import Effect, Function
from archgen.evidence.code.names import plain
from archgen.evidence.code.vocabulary import (
    BROKER_IMPORT,
    BROKER_NAME,
    BROKER_SURE,
    BROKER_WORD,
    OUTBOX_FRAMEWORK,
    READ_NAME,
    REPO_WRITE_NAME,
)


def settle(links: Links, bound: frozenset[str] = frozenset()) -> None:
    """Changes, drops and adds effects of the functions of the program that `links` knows. `bound` names the
    functions that settings bind to a broker.
    """
    _exempt(links)
    _to_pages(links)
    _confirm(links)
    _ours(links)
    _declared(links)
    _generated(links)
    _plugins(links)
    _repositories(links)
    records.keep(links)
    streams.refer(links, bound)
    streams.send(links, bound)


def _exempt(links: Links) -> None:
    """A publisher of the project's own that inherits from an outbox framework's writes the outbox too."""
    framed = {
        one.name
        for module in links.program.modules.values()
        if any(OUTBOX_FRAMEWORK.match(item.module) for item in module.imports)
        for one in module.classes
    }
    for module in links.program.modules.values():
        for function in module.functions:
            for effect in function.effects:
                if effect.kind == "publish" and plain(links.type_of(effect.call, module, function)) in framed:
                    effect.kind = "outbox"


def _confirm(links: Links) -> None:
    """Drops what only sounds like a broker's: a call that leads into the project, where no broker is."""
    unsure: list[tuple[Function, Effect, list[Function]]] = []
    sure: set[int] = set()
    own = {m.package for m in links.program.modules.values() if m.language == "java"}
    brokered = any(
        m.production and any(BROKER_IMPORT.search(item.module) for item in m.imports)
        for m in links.program.modules.values()
    )
    for module in links.program.modules.values():
        near = any(
            BROKER_IMPORT.search(item.module)
            and item.module not in own
            and links.program.folder_of(item.module) is None
            for item in module.imports
        )
        for function in module.functions:
            for effect in function.effects:
                if effect.kind not in ("publish", "consume"):
                    continue
                call = effect.call
                if effect.target == "rpc":
                    sure.add(id(function))
                    continue
                said = f"{call.callee[-80:]} {links.type_of(call, module, function)} {call.origin}"
                targets = links.targets(call, module, function)
                targets = [t for t in targets if t is not function]
                if not targets and not brokered and _EMITS.search(call.callee):
                    unsure.append((function, effect, []))
                    continue
                if targets and all(links.program.modules[t.file].uses(_PAGES) for t in targets):
                    unsure.append((function, effect, []))
                    continue
                own_word = call.name == "publishMessage" and targets
                if (BROKER_NAME.match(call.name) and not own_word) or (
                    not targets and (near or BROKER_WORD.search(said) or BROKER_SURE.search(said))
                ):
                    sure.add(id(function))
                else:
                    unsure.append((function, effect, targets))
    if not unsure:
        return
    # a helper counts when it, or what it calls, is sure
    reaches = _leads_to(links, sure)
    for function, effect, targets in unsure:
        if not any(id(t) in reaches for t in targets):
            function.effects.remove(effect)


# The bus of a process, as Node and its kin have one.
_EMITS = re.compile(r"(^|\.)_?event_?[bB]us\.emit$")
# What subscriptions of GraphQL are fed by: pages that are open hear it, and nobody else waits for it.
_PAGES = re.compile(r"^(graphql-(\w+-)?subscriptions|mercurius|graphql-yoga|@graphql-yoga)\b")


def _to_pages(links: Links) -> None:
    """Drops messages to pages that are open: a module that brings in subscriptions of GraphQL has them."""
    for module in links.program.modules.values():
        if module.language == "typescript" and module.uses(_PAGES):
            for function in module.functions:
                function.effects = [e for e in function.effects if e.kind not in ("publish", "consume")]


def _ours(links: Links) -> None:
    """Drops what only sounds like a stub of gRPC: a `ServiceClient` that the project wrote itlinks."""
    for module in links.program.modules.values():
        for function in module.functions:
            for effect in [e for e in function.effects if e.target == "grpc"]:
                targets = links.targets(effect.call, module, function)
                kind = plain(links.type_of(effect.call, module, function))
                if kind:  # who bears such a method by chance is not meant
                    ours = {kind, *(heir.name for heir in links.heirs.get(kind, ()))}
                    targets = [t for t in targets if t.owner in ours]
                homes = [links.program.modules[t.file] for t in targets if t is not function and t.calls]
                if any(home.production for home in homes):
                    function.effects.remove(effect)


_PLUGINS = re.compile(r"github\.com/hashicorp/go-plugin\b")


def _plugins(links: Links) -> None:
    """Drops calls to plugins: processes that the calling one starts, watches and ends."""
    for module in links.program.modules.values():
        if module.language == "go" and module.uses(_PLUGINS):
            for function in module.functions:
                function.effects = [e for e in function.effects if e.target != "grpc"]


def _declared(links: Links) -> None:
    """Adds what calls on declared clients do: nothing in the project implements them."""
    clients = Clients(links.program)
    if not clients:
        return
    for module in links.program.modules.values():
        if module.language != "java":
            continue
        for function in module.functions:
            known = {id(e.call): e for e in function.effects}
            for call in function.calls:
                type_ = plain(links.type_of(call, module, function)) if call.receiver else ""
                effect = clients.effect(call, type_, call.name, module.path) if type_ else None
                if effect is None:
                    continue
                old = known.get(id(call))
                if old is not None:
                    function.effects.remove(old)
                function.effects.append(effect)
            function.effects.sort(key=lambda e: e.call.line)


def _generated(links: Links) -> None:
    """Adds what calls on clients do that protoc wrote for Go: a field in the package has such a type."""
    kinds = {
        one.name
        for module in links.program.modules.values()
        if module.path.endswith(".pb.go")
        for one in module.classes
        if one.name.endswith("Client")
    }
    if not kinds:
        return
    ours = [m for m in links.program.modules.values() if m.language == "go" and m.path[-6:] != ".pb.go"]
    held: dict[str, dict[str, str]] = defaultdict(dict)
    for module in ours:
        for one in module.classes:
            folder = module.path.rpartition("/")[0]
            held[folder] |= {name: kind for name, kind in one.types.items() if plain(kind) in kinds}
    for module in ours:
        clients = held[module.path.rpartition("/")[0]]
        for function in module.functions if clients else ():
            known = {id(e.call): e for e in function.effects}
            for call in function.calls:
                # a field is asked for by way of what holds it
                if call.receiver not in clients or "." not in call.callee[: -len(call.name) - 1]:
                    continue
                old = known.get(id(call))
                if old is not None and old.kind == "remote":
                    continue
                if old is not None:
                    function.effects.remove(old)
                call.origin = f"{clients[call.receiver]}.{call.name}"
                write = not READ_NAME.match(call.name)
                function.effects.append(Effect("remote", call, write=write, target="grpc"))
            function.effects.sort(key=lambda e: e.call.line)


_REPOSITORY = re.compile(
    r"\b(Jpa|Crud|Mongo|PagingAndSorting|ListCrud|Reactive\w*|R2dbc|Elasticsearch)Repository\b"
)


def _repositories(links: Links) -> None:
    """Adds what calls on Spring's repositories write, whatever the project calls them."""
    kinds = {
        one.name
        for module in links.program.modules.values()
        if module.language == "java"
        for one in module.classes
        if any(_REPOSITORY.search(base) for base in one.bases)
    }
    for module in links.program.modules.values() if kinds else ():
        for function in module.functions if module.language == "java" else ():
            known = {id(e.call) for e in function.effects}
            for call in function.calls:
                if id(call) in known or not call.receiver or not REPO_WRITE_NAME.match(call.name):
                    continue
                kind = plain(links.type_of(call, module, function))
                if kind in kinds:
                    function.effects.append(Effect("db.write", call, table=kind.lower(), target=call.name))
            function.effects.sort(key=lambda e: e.call.line)


def _leads_to(links: Links, sure: set[int]) -> set[int]:
    """Functions that lead to one of `sure`, themselves included."""
    callers: dict[int, set[int]] = defaultdict(set)
    for module in links.program.modules.values():
        for function in module.functions:
            for call in function.calls:
                for target in links.targets(call, module, function):
                    callers[id(target)].add(id(function))
    found, waiting = set(sure), list(sure)
    while waiting:
        for caller in callers[waiting.pop()]:
            if caller not in found:
                found.add(caller)
                waiting.append(caller)
    return found
