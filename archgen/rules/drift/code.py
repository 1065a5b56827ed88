"""Finding in the code what a description declares: names, however a language writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Function, Module
from archgen.evidence.facts import Fact, Facts, Service, Strength

_PATTERN = re.compile(r"^\s*(case\b.*:|case\b.*->|if .*\b(isinstance|instanceof)\b.*)\s*$", re.MULTILINE)


def declared(facts: Facts, kind: str) -> Iterator[Fact]:
    """What is declared of a kind; what stands in tests or examples is not."""
    return facts.of(f"declared.{kind}", at_least=Strength.DECLARED)


def home(facts: Facts, name: str) -> Service | None:
    """The service that carries a declared name, wherever its folder is."""
    wanted = plain(name)
    return next((s for s in facts.services if plain(s.name) in (wanted, wanted + "service")), None)


def modules(facts: Facts, service: str, *, generated: bool = False) -> Iterator[Module]:
    """The code of a service, tests left out; with `generated`, also what a tool wrote."""
    own = home(facts, service)
    if own is None:
        return
    for module in facts.program.modules.values():
        if (module.production or (generated and not module.test)) and facts.service_of(module.path) == own:
            yield module


def bearing(facts: Facts, service: str, name: str) -> frozenset[str]:
    """Classes of a service, generated ones too, that say themselves what they are: `NAME = "order.created"`."""
    said = re.compile(rf"=\s*[\"'`]{re.escape(name)}[\"'`]")
    found = (one for module in modules(facts, service, generated=True) for one in module.classes)
    return frozenset(one.name for one in found if said.search(one.body))


def word(name: str) -> str:
    """A pattern for `place_order` that fits `placeOrder`, `PlaceOrder`, `PLACE_ORDER` and `place-order` too."""
    return r"(?i:" + r"[_-]?".join(re.escape(part) for part in re.split(r"[_-]", name)) + r")"


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[_-]", name))


def text(function: Function) -> str:
    """What a function does, or a module at its top level, without the patterns that it only compares with."""
    calls = "\n".join(call.text() for call in function.calls)
    return _PATTERN.sub("", function.body) if function.name else calls


def mentions(module: Module, pattern: str) -> bool:
    found = re.compile(pattern)
    return any(found.search(text(function)) for function in module.functions) or any(
        found.search(one.value) for one in module.texts
    )


def plain(name: str) -> str:
    """A name without what languages and conventions differ in."""
    return re.sub(r"[-_.]", "", name.lower())
