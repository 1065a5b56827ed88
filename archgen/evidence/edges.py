"""Who talks to whom: the edges between services, as far as code, settings and contracts tell.

A call is an edge to the service whose name stands in what is called: an address, a client's type, a
setting. A message is an edge from who sends a topic to who receives it. What names no other service is
left out: the audit sees less, not more.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Effect, Function, Module
from archgen.evidence.facts import Facts, Service, Strength

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LITERAL = re.compile(r"""^[frbu]*(["'`])([\w./:{}$*>#-]{2,120})\1$""")
_IN_MARK = re.compile(r"""["']([\w./:$*-]{2,120})["']""")
_ADDRESS = re.compile(r"^(https?|grpc|dns|tcp)?:?/*[\w.${}-]*[A-Za-z][\w.${}-]*(:\d+|\$\{[\w:-]+\})?(/.*)?$")
_KEY = re.compile(r"(url|uri|host|addr|address|endpoint|base|target|service|peer)", re.IGNORECASE)
_NO_PEER = re.compile(
    r"database|broker|jdbc|db_|passw|secret|token$|client_?id|credential|_key$", re.IGNORECASE
)
_FEIGN = re.compile(r"@(?:FeignClient|RegisterRestClient|HttpExchange|GrpcClient)\b")
_GENERIC = {"service", "svc", "api", "app", "server", "ms", "microservice", "worker"}


@dataclass(frozen=True, slots=True)
class Edge:
    """`kind`: sync, where the caller waits for the answer; async, a message. `file` and `line` show it."""

    source: str
    target: str
    kind: str
    what: str
    file: str
    line: int
    strength: Strength = Strength.USED


def find_edges(facts: Facts) -> tuple[Edge, ...]:
    """The edges between the services of a project, one per pair and kind, strongest first seen."""
    if len(facts.services) < 2:
        return ()
    names = _Names(facts.services)
    found: dict[tuple[str, str, str], Edge] = {}
    everything = (*_calls(facts, names), *_settings(facts, names), *_topics(facts), *_contracts(facts, names))
    for edge in sorted(everything, key=lambda e: (-e.strength, e.file, e.line)):
        if edge.source != edge.target:
            found.setdefault((edge.source, edge.target, edge.kind), edge)
    return tuple(sorted(found.values(), key=lambda e: (e.kind != "sync", e.source, e.target)))


def speakers(facts: Facts) -> frozenset[str]:
    """The services that send or receive messages, whoever is at the other end."""
    found = set()
    for fact in facts.of("publisher", "consumer"):
        service = facts.service_of(fact.file)
        if service is not None:
            found.add(service.name)
    return frozenset(found)


class _Names:
    """Services by their names, however written: `payment-service`, `PaymentService`, `PAYMENTS_URL`."""

    def __init__(self, services: Iterable[Service]) -> None:
        split = [(service, tuple(_plain(service.name))) for service in services]
        # the longest first: `order-history` is not `order`
        self._split = sorted(
            ((service, name) for service, name in split if len("".join(name)) > 2), key=lambda s: -len(s[1])
        )

    def named(self, text: str, apart_from: str = "") -> Service | None:
        spoken = [_singular(word.lower()) for word in _WORDS.findall(text[:2000])]
        for service, name in self._split:
            size = len(name)
            if any(tuple(spoken[n : n + size]) == name for n in range(len(spoken) - size + 1)):
                return service if service.name != apart_from else None
        return None


def _plain(name: str) -> list[str]:
    spoken = [_singular(word.lower()) for word in _WORDS.findall(name)]
    return [word for word in spoken if word not in _GENERIC] or spoken


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _calls(facts: Facts, names: _Names) -> Iterator[Edge]:
    for module, function in facts.program.functions():
        home = facts.service_of(module.path)
        if home is None:
            continue
        for effect in function.reach or function.effects:
            if effect.kind != "remote":
                continue
            for text in _said(effect, module, function):
                peer = names.named(text, home.name)
                if peer is not None:
                    line = effect.call.line if not effect.via else function.line
                    yield Edge(
                        home.name, peer.name, "sync", f"{function.title} calls it", module.path, max(line, 1)
                    )
                    break
    for module, one in facts.program.classes():
        home = facts.service_of(module.path)
        for mark in one.marks if home else ():
            if home and _FEIGN.search(mark) and (peer := names.named(mark, home.name)):
                yield Edge(home.name, peer.name, "sync", f"{one.name} is its client", module.path, one.line)


def _said(effect: Effect, module: Module, function: Function) -> Iterator[str]:
    """What a call says of its peer, the most telling first."""
    call = effect.call
    if effect.target == "grpc" and call.origin and not effect.via:
        yield call.origin.rpartition(".")[0]
    # What a call further out is given is about the caller's own things: `statistics.save(account)`.
    yield from call.args[:2] if not effect.via else (arg for arg in call.args[:2] if "://" in arg)
    yield from (value for key, value in call.keywords.items() if key in ("url", "uri", "baseURL", "base_url"))
    yield f"{call.callee} {call.origin}"
    yield function.params.get(call.receiver, "") or module.types.get(call.receiver, "")
    yield from effect.via
    for text in module.texts:
        if text.function is function and "://" in text.value:
            yield text.value


def _settings(facts: Facts, names: _Names) -> Iterator[Edge]:
    for setting in facts.of("setting"):
        key, value = str(setting["key"]), str(setting["value"]).strip("\"' ")
        if not (_KEY.search(key) and _ADDRESS.match(value)) or _NO_PEER.search(key):
            continue
        owner = str(setting.get("owner") or "")
        home = names.named(owner) if owner else _owner(setting.file, facts)
        host = re.sub(r"^\w+://", "", value).partition("/")[0]
        peer = names.named(host, home.name if home else "")
        if home and peer and home.name != peer.name:
            yield Edge(
                home.name, peer.name, "sync", f"{key} names it", setting.file, setting.line, setting.strength
            )


def _owner(file: str, facts: Facts) -> Service | None:
    """The service whose settings a file holds. A config server keeps one file per service, named after it."""
    home = facts.service_of(file)
    stem = posixpath.basename(file).rpartition(".")[0]
    named = (each for each in facts.services if each is not home and each.name == stem)
    return next(named, home)


def _topics(facts: Facts) -> Iterator[Edge]:
    sent: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    heard: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for module, function in facts.program.functions():
        home = facts.service_of(module.path)
        if home is None:
            continue
        for effect in function.effects:
            side = (
                sent if effect.kind in ("publish", "outbox") else heard if effect.kind == "consume" else None
            )
            if side is None:
                continue
            for text in (*effect.call.args[:3], *effect.call.keywords.values()):
                if topic := _topic(text):
                    side[topic].append((home.name, module.path, effect.call.line))
        for mark in function.marks:
            if words.CONSUME_MARK.search(mark):
                for topic in _IN_MARK.findall(mark):
                    heard[topic.lower()].append((home.name, module.path, function.line))
    for topic, places in sent.items():
        for source, file, line in places:
            for target in sorted({name for name, _, _ in heard.get(topic, ())}):
                yield Edge(source, target, "async", topic, file, max(line, 1))


def _topic(text: str) -> str:
    """The topic that an argument names: a literal, or a constant by its name."""
    literal = _LITERAL.match(text)
    if literal:
        return literal[2].lower()
    constant = re.fullmatch(r"[\w.]*\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)", text)
    return constant[1].lower() if constant else ""


def _contracts(facts: Facts, names: _Names) -> Iterator[Edge]:
    """AsyncAPI: who sends a channel's messages, and who receives them."""
    sides: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    operations = list(facts.of("async.operation", at_least=Strength.CLAIMED))
    for one in operations:
        service = names.named(str(one["service"])) or facts.service_of(one.file)
        if service is not None:
            sides[f"{one['action']} {one['channel']}"].append((service.name, one.file, one.line))
    for channel in dict.fromkeys(str(one["channel"]) for one in operations):
        for source, file, line in sides[f"send {channel}"]:
            for target, _, _ in sides[f"receive {channel}"]:
                yield Edge(source, target, "async", channel, file, line, Strength.DECLARED)
