"""Functions that Spring Cloud Stream binds to topics by their name: suppliers send, consumers hear.

What is put into the sink behind a supplier leaves for the broker, though nothing where that happens says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.links import Links
from archgen.evidence.code.model import Call, Effect, Function, Module, Program
from archgen.evidence.code.names import plain
from archgen.evidence.facts import Facts

_BOUND = re.compile(r"(?:^|\.)spring\.cloud\.stream\.bindings\.([\w|-]+)-(?:in|out)-\d+\.")
_DEFINED = re.compile(r"(?:^|\.)spring\.cloud\.(?:stream\.)?function\.definition$")
_BEAN = re.compile(r"@(?:\w+\.)*Bean\b")
_SENDS = re.compile(r"\bSupplier\s*<\s*(?:Flux|Publisher)\b")
_HEARS = re.compile(r"\b(?:Function|Consumer|BiFunction|BiConsumer)\s*<")
_EMITS = re.compile(r"^(tryEmitNext|emitNext)$")


def bound(facts: Facts) -> frozenset[str]:
    """Names of the functions that the settings bind to a broker."""
    names: set[str] = set()
    for setting in facts.of("setting"):
        key, value = str(setting["key"]), str(setting["value"])
        if match := _BOUND.search(key):
            names |= set(re.split(r"[|,;-]", match[1]))
        elif _DEFINED.search(key):
            names |= set(re.findall(r"\w+", value))
    return frozenset(names)


def hearers(program: Program, names: frozenset[str]) -> Iterator[tuple[Module, Function]]:
    """The functions of `names` that messages are handed to."""
    return (found for found in _beans(program, names) if _HEARS.search(_head(found[1])))


_RETURNED = re.compile(r"\breturn\s+((?:this\.)?\w+)::(\w+)\s*;")


def refer(links: Links, names: frozenset[str]) -> None:
    """A function that returns a reference to a method does what that does."""
    for _, function in _beans(links.program, names):
        for match in _RETURNED.finditer(function.body):
            line = function.line + function.body.count("\n", 0, match.start())
            function.calls.append(Call(f"{match[1]}.{match[2]}", line))


def send(links: Links, names: frozenset[str]) -> None:
    """Adds a publish wherever something is put into a sink, in a program that binds a supplier."""
    homes = {
        _home(module.path)
        for module, function in _beans(links.program, names)
        if _SENDS.search(_head(function))
    }
    for module in links.program.modules.values() if homes else ():
        for function in module.functions if _home(module.path) in homes else ():
            for call in function.calls:
                if _EMITS.match(call.name) and _sink(links.type_of(call, module, function), call.receiver):
                    function.effects.append(Effect("publish", call))
            function.effects.sort(key=lambda effect: effect.call.line)


def _beans(program: Program, names: frozenset[str]) -> Iterator[tuple[Module, Function]]:
    for module in program.modules.values() if names else ():
        for function in module.functions if module.language == "java" and not module.test else ():
            if function.name in names and any(map(_BEAN.match, function.marks)):
                yield module, function


def _head(function: Function) -> str:
    return function.body.partition("{")[0]


def _home(path: str) -> str:
    """The folder of the build that a file belongs to."""
    return path.partition("src/main/")[0]


def _sink(kind: str, name: str) -> bool:
    return plain(kind) in ("Many", "One", "Sinks", "FluxSink") or name.lower().endswith(("sink", "sinks"))
