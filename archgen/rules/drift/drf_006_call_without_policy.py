"""A call is declared with a policy, and its service has no breaker for that peer."""

from collections.abc import Iterable

from archgen.evidence.code.model import Module
from archgen.evidence.facts import Facts
from archgen.rules.drift.code import declared, home, mentions, modules, word
from archgen.rules.drift.samples import LANGUAGES, sample
from archgen.rules.model import Hit, Rule, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for one in declared(facts, "call"):
        service, peer = str(one["service"]), str(one["peer"])
        if home(facts, service) is None:
            continue
        if not any(_guards(module, peer) for module in modules(facts, service, generated=True)):
            yield Hit(
                one.file,
                one.line,
                f"{service} calls {one['view']} by a policy, and has no breaker for {peer}",
            )


def _guards(module: Module, peer: str) -> bool:
    return mentions(module, rf"\b{word(peer)}|{word(peer)}\b") and mentions(module, r"(?i:breaker)")


_CALL = """\
archgen: 1
system: shop
policies:
  default: {timeout: 2s}
services:
  stock:
    aggregates:
      Item:
        fields: {count: integer}
        commands: {count: {emits: item.counted}}
    views:
      levels: {of: Item, from: [item.*]}
  orders:
    calls:
      stock.levels: {policy: default}"""
_GUARDED = {
    "python": {
        "orders/wiring.py": "POLICIES = {'stock': Policy(timeout=2.0, breaker=Breaker(failures=5))}\n"
    },
    "typescript": {
        "orders/stock.ts": "export const stock = circuitBreaker(stockClient, { halfOpenAfter: 10 });\n"
    },
    "go": {"orders/stock.go": 'package main\nvar b = gobreaker.NewCircuitBreaker(settings("stock"))\n'},
    "java": {
        "orders/src/main/java/Stock.java": 'class Stock { Object get() { return breakers.circuitBreaker("stock").run(this::levels); } }\n'
    },
}
_BARE = {
    "python": {"orders/wiring.py": "POLICIES = {'stock': Policy(timeout=2.0)}\n"},
    "typescript": {"orders/stock.ts": "export const stock = client('stock'); // circuitBreaker\n"},
    "go": {"orders/stock.go": 'package main\nvar b = client("stock")\n'},
    "java": {
        "orders/src/main/java/Stock.java": 'class Stock { Object get() { return client.levels("stock"); } }\n'
    },
}
_BOTH = ("orders", "stock")

RULE = Rule(
    id="DRF-006",
    item="circuit_breaker",
    kind="defect",
    severity=Severity.ERROR,
    title="Declared policy that the client lacks",
    why="A slow peer takes the caller down with it, although the description says that it can't.",
    remedy="Give the peer's client the policy, breaker included, or change the description.",
    languages=LANGUAGES,
    valid=tuple(sample(language, _CALL + "\n", _GUARDED[language], _BOTH) for language in LANGUAGES),
    invalid=tuple(sample(language, _CALL + "  # <-\n", _BARE[language], _BOTH) for language in LANGUAGES),
    check=check,
)  # fmt: skip
