"""An aggregate is declared as event-sourced, and its code keeps no history."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.drift.code import declared, home, modules, text
from archgen.rules.drift.samples import SYSTEM, sample
from archgen.rules.model import Hit, Rule, Severity

_OFF = re.compile(r"event_?sourced[\"']?\s*[:=]\s*false", re.IGNORECASE)


def check(facts: Facts) -> Iterable[Hit]:
    kept = facts.has("es.used")
    for one in declared(facts, "history"):
        service, aggregate = str(one["service"]), str(one["aggregate"])
        if home(facts, service) is None:
            continue
        named = re.compile(rf"[\"'`]{re.escape(aggregate)}[\"'`]")
        off = any(
            _OFF.search(call.text()) and named.search(call.text())
            for module in modules(facts, service, generated=True)
            for function in module.functions
            for call in function.calls
        )
        if off or not (kept or any(_folds(facts, service))):
            yield Hit(
                one.file, one.line, f"{aggregate} is declared as event-sourced, and its history is not kept"
            )


def _folds(facts: Facts, service: str) -> Iterable[bool]:
    """Code that appends to a stream of events and reads it back."""
    for module in modules(facts, service):
        for function in module.functions:
            if re.search(r"(?i:append_?to_?stream|event_?store)", text(function)):
                yield True


_HISTORY = SYSTEM.replace("      Order:\n", "      Order:\n        event_sourced: true\n")
_KEPT = {
    "orders/order.py": (
        "def save(store, order, event):\n    store.append_to_stream(order.id, [event], expected_version=order.version)\n"
    )
}
_STATE = {"orders/order.py": "ORDER = AggregateType(name='Order', event_sourced=False)\n"}

RULE = Rule(
    id="DRF-007",
    item="event_sourcing",
    kind="defect",
    severity=Severity.ERROR,
    title="Declared history that is not kept",
    why="The description promises that every change can be looked up, and changes are overwritten.",
    remedy="Keep the aggregate as its events, or take `event_sourced` out of the description.",
    languages=("python",),
    valid=(sample("python", _HISTORY, _KEPT),),
    invalid=(
        sample("python", _HISTORY.replace("event_sourced: true", "event_sourced: true  # <-"), _STATE),
        sample("python", _HISTORY.replace("event_sourced: true", "event_sourced: true  # <-"), {}),
    ),
    check=check,
)
