"""An event is declared, and no code of its service makes one."""

import re
from collections.abc import Iterable

from archgen.evidence.code.model import Module
from archgen.evidence.facts import Facts
from archgen.rules.drift.code import bearing, camel, declared, home, modules, plain, text
from archgen.rules.drift.samples import LANGUAGES, SYSTEM, sample
from archgen.rules.model import Hit, Rule, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for one in declared(facts, "event"):
        service, event = str(one["service"]), str(one["event"])
        if home(facts, service) is None:
            continue
        titles = bearing(facts, service, event)
        aggregate, refusal = str(one["aggregate"]), bool(one["refusal"])
        if not any(_makes(module, event, titles, aggregate, refusal) for module in modules(facts, service)):
            yield Hit(one.file, one.line, f"{event} is declared, and no code of {service} emits it")


def _makes(module: Module, event: str, titles: frozenset[str], aggregate: str, refusal: bool) -> bool:
    """Whether the module makes the event: `Created(`, `&order.Created{`, `new OrderCreated(`, or by its full name.

    `titles` are classes that bear the name of the event, whatever they are called.

    A refusal need only be known: a rule that says no may come later.
    """
    subject, _, what = event.partition(".")
    short, full = camel(what), camel(subject) + camel(what)
    named = re.compile(rf"[\"'`]{re.escape(event)}[\"'`]|\b{full}(Event)?\s*[({{]")
    bare = re.compile(rf"\b(?:{'|'.join([f'{short}(?:Event)?', *sorted(titles)])})\s*[({{]")
    around = plain(module.path) + "".join(plain(module.imported(one)) for one in (short, *titles))
    near = plain(subject) in around or plain(aggregate) in around
    for function in module.functions:
        said = function.body if refusal else text(function)
        if named.search(said) or (near and bare.search(said)):
            return True
    return any(named.search(f'"{one.value}"') for one in module.texts)


_MADE = {
    "python": {"orders/order.py": "def decide(c):\n    return [Created(amount=c.amount), Cancelled()]\n"},
    "typescript": {
        "orders/order.ts": "export function decide(c) {\n  return [{type: 'order.created'}, {type: 'order.cancelled'}];\n}\n"
    },
    "go": {
        "orders/order.go": "package main\nfunc Decide() []any { return []any{Created{1}, &Cancelled{}} }\n"
    },
    "java": {
        "orders/src/main/java/Order.java": "class Order { Object f() { return g(new OrderCreated(1), new OrderCancelled()); } }\n"
    },
}
# what an event is called in code is nobody's business: it says its name
_RENAMED = {
    "orders/order.py": """
from dataclasses import dataclass
@dataclass
class Opened:
    NAME = 'order.created'
@dataclass
class Closed:
    NAME = 'order.cancelled'
def decide(c):
    return [Opened(), Closed()]
"""
}
_LACKING = SYSTEM.replace("emits: order.cancelled}", "emits: order.cancelled}  # <-")
_NOT_MADE = {
    # a pattern that an event is compared with does not make one
    "python": {
        "orders/order.py": "def decide(c, e):\n    match e:\n        case Cancelled():\n            return None\n    return [Created(amount=1)]\n"
    },
    "typescript": {
        "orders/order.ts": "export function decide(c) {\n  // 'order.cancelled'\n  return [{type: 'order.created'}];\n}\n"
    },
    "go": {"orders/order.go": "package main\nfunc Decide() []any { return []any{Created{1}} }\n"},
    "java": {
        "orders/src/main/java/Order.java": "class Order { Object f() { return g(new OrderCreated(1)); } }\n"
    },
}

RULE = Rule(
    id="DRF-002",
    item="communication_patterns",
    kind="defect",
    severity=Severity.ERROR,
    title="Declared event that nobody emits",
    why="Whoever waits for the event waits for ever, and the contract promises what does not happen.",
    remedy="Emit it where the description says, or take it out of the description.",
    languages=LANGUAGES,
    valid=(
        *(sample(language, SYSTEM, _MADE[language]) for language in LANGUAGES),
        sample("python", SYSTEM, _RENAMED),
    ),
    invalid=tuple(sample(language, _LACKING, _NOT_MADE[language]) for language in LANGUAGES),
    check=check,
)  # fmt: skip
