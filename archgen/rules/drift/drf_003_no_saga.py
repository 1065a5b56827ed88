"""A saga is declared, and no code names it."""

import re
from collections.abc import Iterable, Iterator

from archgen.evidence.code.model import Module
from archgen.evidence.facts import Fact, Facts
from archgen.rules.drift.code import declared, home, mentions, modules, word
from archgen.rules.drift.samples import LANGUAGES, sample
from archgen.rules.model import Hit, Rule, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for one in declared(facts, "saga"):
        owner = str(one["owner"])
        if owner and home(facts, owner) is None:
            continue
        if not any(conductors(facts, one)):
            yield Hit(one.file, one.line, f"saga {one['saga']} is declared, and no code has it")


def conductors(facts: Facts, saga: Fact) -> Iterator[Module]:
    """The modules that hold the saga: its owner's if it is orchestrated, else those of every service."""
    name = word(str(saga["saga"]))
    everyone = [service.name for service in facts.services]
    for service in [str(saga["owner"])] if saga["style"] == "orchestration" else everyone:
        for module in modules(facts, service):
            stem = module.path.rpartition("/")[2].partition(".")[0]
            if _fits(stem, name) or mentions(module, rf"\b{name}\b|{name}Saga"):
                yield module


def _fits(stem: str, name: str) -> bool:
    return re.fullmatch(name + r"(?i:[_.-]?saga)?", stem) is not None


SAGA = """\
archgen: 1
system: shop
services:
  orders:
    aggregates:
      Order:
        fields: {amount: money}
        commands:
          create: {takes: {amount: money}, emits: order.created}
          confirm: {emits: order.confirmed}
          cancel: {emits: order.cancelled}
  payments:
    aggregates:
      Payment:
        fields: {order_id: uuid, amount: money}
        commands:
          charge: {takes: {order_id: uuid, amount: money}, emits: payment.completed, fails: payment.failed}
          refund: {emits: payment.refunded}
sagas:
  place_order:
    owner: orders
    when: order.created
    steps:
      - {do: payments.charge, undo: payments.refund}
    then: orders.confirm
    else: orders.cancel
"""
WHOLE = {
    "python": {
        "orders/sagas/place_order.py": "from chassis import Saga, Step\nplace_order = Saga(steps=[Step(payment.Charge, undo=payment.Refund)])\n"
    },
    "typescript": {"orders/place-order.ts": "export const placeOrder = saga([step(Charge, Refund)]);\n"},
    "go": {
        "orders/place_order.go": "package main\nvar PlaceOrder = NewSaga(Step(payment.Charge, payment.Refund))\n"
    },
    "java": {
        "orders/src/main/java/PlaceOrderSaga.java": "class PlaceOrderSaga { Saga f() { return step(this::charge).withCompensation(this::refund); } }\n"
    },
}
_BOTH = ("orders", "payments")
_LACKING = SAGA.replace("  place_order:", "  place_order:  # <-")

RULE = Rule(
    id="DRF-003",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="Declared saga without code",
    why="What the description promises to take back after a failure stays as it is.",
    remedy="Run `archgen architect run`, or take the saga out of the description.",
    languages=LANGUAGES,
    valid=tuple(sample(language, SAGA, WHOLE[language], _BOTH) for language in LANGUAGES),
    invalid=tuple(sample(language, _LACKING, {}, _BOTH) for language in LANGUAGES),
    check=check,
)  # fmt: skip
