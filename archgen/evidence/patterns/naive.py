"""Handlers of messages that do twice what comes twice."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Function, Module, Program
from archgen.evidence.facts import Fact, Facts
from archgen.evidence.patterns.common import fact, handlers


def _consuming(program: Program) -> Iterator[tuple[Module, Call]]:
    for module, function in program.functions():
        for call in dict.fromkeys(e.call for e in function.effects if e.kind == "consume"):
            yield module, call


_SEEN_TABLE = re.compile(r"inbox|processed|consumed|handled|dedup|idempot|received", re.IGNORECASE)


def naive_consumers(program: Program, facts: Facts) -> Iterator[Fact]:
    """`naive_consumer`: a handler of messages that inserts, with nothing that notices a repeat."""
    kept = facts.has("inbox")
    idempotent = {(f.file, f["function"]) for f in facts.of("idempotent")}
    safe = {title for _, title in idempotent}
    named: dict[str, list[tuple[Module, Function]]] = defaultdict(list)
    for module, function in program.functions():
        named[function.name].append((module, function))
    seen: set[int] = set()
    if not kept:
        yield from _marked(program, facts, safe, seen)
    for module, call in _consuming(program):
        if any(words.OUTBOX_FRAMEWORK.match(item.module) for item in module.imports):
            continue  # such a framework notices repeats by itself
        if kept and re.search(r"inbox|dedup|idempot|once", call.text(), re.IGNORECASE):
            continue
        given = (*call.args, *call.keywords.values())
        for name in {w for a in given for w in re.findall(r"\b[A-Za-z_]\w+\b", a)} & set(named):
            near = [(m, f) for m, f in named[name] if m is module] or named[name]
            if len(near) != 1:
                continue  # a name that several have says nothing
            owner, handler = near[0]
            if id(handler) in seen or not any(e.kind == "db.write" for e in handler.reach):
                continue
            seen.add(id(handler))
            inserts = [
                e
                for e in handler.reach
                if e.kind == "db.write"
                and (
                    re.match(r"insert|save|create|add|persist", e.target or "save", re.I)
                    or re.search(r"\b(\w+)\s*=\s*\1\s*[-+]", e.call.text())
                )
            ]
            told_inside = kept and any(_SEEN_TABLE.search(e.table) for e in handler.reach)
            told = any(t in safe for e in inserts for t in (handler.title, *e.via))
            looked = re.search(r"exist|find|already|duplicate|seen", handler.body, re.IGNORECASE)
            led = {via for e in inserts for via in e.via}
            kept_out = any(
                f.title in led and _LOCKS.search(f.body)
                for via in led
                for _, f in named[via.rpartition(".")[2]]
            )
            if inserts and not told and not looked and not told_inside and not kept_out:
                yield fact(
                    "naive_consumer",
                    owner,
                    inserts[0].call.line,
                    function=handler.title,
                    call=inserts[0].call.shown(40),
                )


# One at a time looks at what is there, and adds what is missing.
_LOCKS = re.compile(r"(?<![bBcCfF])[lL]ock(er)?\w*\.?\w*\(")
_ADDS_UP = re.compile(
    r"[\"'`]\s*ADD\s+#?\w|SET\s+#?(\w+)\s*=\s*(if_not_exists\([^()]*\)|#?\1)\s*\+", re.IGNORECASE
)


def added_up(program: Program, facts: Facts) -> Iterator[Fact]:
    """`naive_consumer` where a function is called for each delivery of a stream, and adds up."""
    for deployed in facts.of("function"):
        if not deployed["stream"]:
            continue
        for module, handler in handlers(program, deployed):
            for effect in handler.reach:
                text = effect.call.text()
                if effect.kind == "db.write" and _ADDS_UP.search(text) and "ondition" not in text:
                    about = {"function": handler.title, "call": effect.call.shown(40), "adds": True}
                    yield fact("naive_consumer", module, effect.call.line, **about)
                    break


_FRESH = re.compile(
    r"\b\w*id[\"']?\s*[:=]\s*(str\()?(uuid(v?4)?\w*(\.\w+)?|nanoid|ulid|crypto\.randomUUID|randomUUID|secrets\.\w+)\(",
    re.IGNORECASE,
)
_ONCE = re.compile(r"[cC]ondition_?[eE]xpression|idempot|dedup|attribute_not_exists")


def put_anew(program: Program, facts: Facts) -> Iterator[Fact]:
    """`naive_consumer` where a function is called for each message, and puts it under an id that it has just
    made up.
    """
    named = {f.title: f for _, f in program.functions()}
    for deployed in facts.of("function"):
        if not deployed.get("hears"):
            continue
        for module, handler in handlers(program, deployed):
            for effect in handler.reach:
                if effect.kind != "db.write" or not _PUTS.match(effect.target):
                    continue
                steps = [handler, *(named[via] for via in effect.via if via in named)]
                if any(_FRESH.search(s.body) for s in steps) and not any(_ONCE.search(s.body) for s in steps):
                    about = {"function": handler.title, "call": effect.call.shown(40)}
                    yield fact("naive_consumer", module, effect.call.line, **about)
                    break


_PUTS = re.compile(r"put|insert|save|add|create", re.IGNORECASE)
# What is added by the store itself comes twice when the message does.
_INCREMENTS = re.compile(
    r"\.(increment|decrement)\s|\$inc\b|SET\s+[\w.\"`]+\s*=\s*(?:\w+\.)?[\w\"`]+\s*\+\s", re.IGNORECASE
)


def counted_up(program: Program, facts: Facts) -> Iterator[Fact]:
    """`naive_consumer` where a handler of messages counts something up, and nothing notices a repeat."""
    if facts.has("inbox"):
        return
    heard = {(f.file, str(f["function"]).rpartition(".")[2]) for f in facts.of("consumer")}
    known = {(f.file, f.line) for f in facts.of("naive_consumer")}
    named = {f.title: f for _, f in program.functions()} if heard else {}
    for module, function in program.functions() if heard else ():
        if (module.path, function.name) not in heard or not function.marks:
            continue
        led = [named[via] for e in function.reach for via in e.via if via in named]
        steps = list({id(one): one for one in (function, *led)}.values())
        if any(_NOTICES.search(one.body) for one in steps):
            continue
        for step in steps:
            up = _counts_up(step)
            if up and (step.file, up.line) not in known:
                about = {"function": function.title, "call": up.shown(40), "adds": True}
                yield fact("naive_consumer", program.modules[step.file], up.line, **about)
                break


def _counts_up(function: Function) -> Call | None:
    """The call that adds to what a store keeps."""
    written = {id(e.call) for e in function.effects if e.kind == "db.write"}
    for call in function.calls:
        told = _INCREMENTS.search(f"{call.callee} {' '.join(call.args)[:300]}")
        if told and (call.name not in ("increment", "decrement") or id(call) in written):
            return call
    return None


def _shared(one: str, two: str) -> int:
    """How much of the way to them two paths have in common."""
    return len(posixpath.commonpath([one, two]))


def _way(target: Function, start: Function) -> list[Function]:
    """The functions from `target` back to `start` that calls it, both included; empty when it does not."""
    ways, now = {id(target): [target]}, [target]
    for _ in range(5):
        later = []
        for function in now:
            if function is start:
                return ways[id(start)]
            for caller in function.callers:
                if id(caller) not in ways:
                    ways[id(caller)] = [*ways[id(function)], caller]
                    later.append(caller)
        now = later
    return ways.get(id(start), [])


_NOTICES = re.compile(r"exist|already|duplicate|seen|idempot|processed|handled", re.IGNORECASE)
_IDENTIFIED = re.compile(r"[iI]d\b|_id\b|ID\b|[kK]ey|[nN]umber|[uU]uid|[cC]ode\b|[rR]eference")


# An identity that is made on the spot is another one for each delivery.
_FRESH = re.compile(r"randomUUID\(|\buuid4\(|uuidv4\(|uuid\.New\w*\(|nanoid\(|new ObjectId\(\)")


def _marked(program: Program, facts: Facts, safe: set[str], seen: set[int]) -> Iterator[Fact]:
    """Handlers that an annotation makes such, which insert what bears no identity of the message.

    A save of something with an id of its own changes the row that is there, and is left alone.
    """
    heard = {(f.file, f["function"]) for f in facts.of("consumer")}
    relative = {(f.file, str(f["function"])): f for f in facts.of("update.lost")}
    named = {(f.file, f.title): f for _, f in program.functions()} if relative else {}
    for module, function in program.functions():
        if function.marks and (module.path, function.name) in heard and id(function) not in seen:
            ways = {place: _way(named[place], function) for place in relative if place in named}
            told = max(
                (p for p, way in ways.items() if way),
                key=lambda place: _shared(place[0], module.path),
                default=None,
            )
            if told and not any(_NOTICES.search(step.body) for step in ways[told]):
                seen.add(id(function))
                about = {"function": function.title, "call": told[1], "adds": True}
                yield fact("naive_consumer", program.modules[told[0]], relative[told].line, **about)
                continue
        if not function.marks or (module.path, function.name) not in heard or id(function) in seen:
            continue
        if any(words.OUTBOX_FRAMEWORK.match(item.module) for item in module.imports):
            continue
        if re.search(r"exist|find|already|duplicate|seen|idempot", function.body, re.IGNORECASE):
            continue
        fresh = _FRESH.search(function.body) is not None
        for effect in function.reach if fresh else function.effects:
            text = " ".join(effect.call.args)
            inserts = effect.kind == "db.write" and re.match(
                r"insert|save|create|add|persist", effect.target or "save", re.I
            )
            if (
                inserts
                and (fresh or (text.startswith("new ") and not _IDENTIFIED.search(text)))
                and function.title not in safe
            ):
                seen.add(id(function))
                yield fact(
                    "naive_consumer",
                    module,
                    effect.call.line,
                    function=function.title,
                    call=effect.call.shown(40),
                )
                break
