"""What must hold for the orders, the money, the goods and the customers, whatever was broken on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from tests.torture import memory, traffic, work
from tests.torture.customers import CHANGED_MIND
from tests.torture.databases import Row
from tests.torture.evidence import Evidence
from tests.torture.plan import MUST_FAIL

FINAL = frozenset({"confirmed", "cancelled"})
LIVE = {"Payment": "completed", "Reservation": "reserved", "Shipment": "created"}
SHORT = "not enough in stock"


@dataclass(frozen=True)
class Violation:
    rule: str
    text: str
    order_id: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}" + (f" (order {self.order_id})" if self.order_id else "")


def judge(evidence: Evidence) -> list[Violation]:
    """Everything that does not hold; empty when all is well."""
    found: list[Violation] = []
    for check in CHECKS:
        rule = check.__name__.replace("_", " ")
        for order_id, text in check(evidence):
            found.append(Violation(rule, text, order_id))
    return found


Found = Iterator[tuple[str, str]]  # order id, or nothing, and what is wrong


def every_accepted_order_ends(evidence: Evidence) -> Found:
    known = {order["order_id"] for order in evidence.states["Order"]}
    for order_id in evidence.ledger.accepted.keys() - known:
        yield order_id, "was accepted and does not exist"
    for order in evidence.states["Order"]:
        if order["status"] not in FINAL:
            yield order["order_id"], f"is still {order['status']}"


def a_request_made_again_has_its_effect_once(evidence: Evidence) -> Found:
    for customer, count in Counter(order["customer_id"] for order in evidence.states["Order"]).items():
        if count > 1:
            yield "", f"{count} orders of customer {customer}, who asked for one"
    for text in evidence.ledger.unexpected:
        yield "", f"unexpected answer: {text}"


def orders_end_as_they_must(evidence: Evidence) -> Found:
    plans = {plan.customer_id: plan for plan in evidence.plan.orders}
    for order in evidence.states["Order"]:
        plan, id = plans[order["customer_id"]], order["order_id"]
        if order["status"] == "confirmed" and plan.fate in MUST_FAIL:
            yield id, f"is confirmed and should have failed: {plan.fate}"
        if order["status"] == "confirmed" and evidence.ledger.cancelled.get(id) == 200:
            yield id, "is confirmed although its customer was told that it is cancelled"
        if order["status"] == "cancelled" and plan.fate not in MUST_FAIL:
            allowed = [CHANGED_MIND] if plan.cancel_after is not None else []
            allowed += [traffic.NO_ANSWER] if evidence.style == "orchestration" else []
            allowed += [SHORT] if plan.fate == "scarce" else []
            if not any(reason in order["reason"] for reason in allowed):
                yield id, f"is cancelled for no good reason: {order['reason']!r}"


def a_confirmed_order_is_paid_reserved_and_shipped_once(evidence: Evidence) -> Found:
    for order in _orders(evidence, "confirmed"):
        id = order["order_id"]
        for kind, live in LIVE.items():
            states = [state["status"] for state in evidence.of_order(kind, id)]
            if states.count(live) != 1:
                yield id, f"confirmed, with {kind} {states or 'missing'}"
        for payment in evidence.of_order("Payment", id):
            if payment["status"] == "completed" and payment["amount"] != order["amount"]:
                yield id, f"costs {order['amount']} and {payment['amount']} was charged"
        for kind in ("Reservation", "Shipment"):
            for state in evidence.of_order(kind, id):
                if _pieces([state]) != _pieces([order]):
                    yield id, f"{kind} is for {dict(_pieces([state]))}, ordered is {dict(_pieces([order]))}"


def a_cancelled_order_leaves_nothing_behind(evidence: Evidence) -> Found:
    for order in _orders(evidence, "cancelled"):
        for kind, live in LIVE.items():
            for state in evidence.of_order(kind, order["order_id"]):
                if state["status"] == live:
                    yield order["order_id"], f"cancelled, and its {kind} is {live}"


def nothing_belongs_to_no_order(evidence: Evidence) -> Found:
    known = {order["order_id"] for order in evidence.states["Order"]}
    for kind in LIVE:
        for state in evidence.states[kind]:
            if state["order_id"] not in known:
                yield state["order_id"], f"{kind} of an order that does not exist"


def no_card_is_charged_twice(evidence: Evidence) -> Found:
    charges: dict[str, set[tuple[str, int]]] = {}
    for copy in evidence.copies:
        if copy.kind == "event" and copy.name == "payment.completed":
            charges.setdefault(copy.data["order_id"], set()).add((copy.subject, copy.version))
    for order_id, distinct in charges.items():
        if len(distinct) > 1:
            yield order_id, f"was charged {len(distinct)} times"


def stock_adds_up(evidence: Evidence) -> Found:
    reserved = _pieces([r for r in evidence.states["Reservation"] if r["status"] == "reserved"])
    stock = {row["sku"]: row for row in evidence.states["Stock"]}
    if stock.keys() != evidence.plan.stock.keys():
        yield "", f"articles are {sorted(stock)}, received were {sorted(evidence.plan.stock)}"
    for sku, row in stock.items():
        if row["on_hand"] != evidence.plan.stock.get(sku):
            yield "", f"{row['on_hand']} of {sku} on hand, {evidence.plan.stock.get(sku)} were received"
        if row["allocated"] != reserved[sku]:
            yield "", f"{row['allocated']} of {sku} allocated, reservations in force are for {reserved[sku]}"
        if not 0 <= row["allocated"] <= row["on_hand"]:
            yield "", f"{row['allocated']} of {row['on_hand']} of {sku} allocated"


def every_customer_is_told_once(evidence: Evidence) -> Found:
    told = Counter((n["customer_id"], n["channel"]) for n in evidence.states["Notification"])
    shipped = Counter(shipment["order_id"] for shipment in evidence.states["Shipment"] if _was_sent(shipment))
    for order in evidence.states["Order"]:
        expected = {
            "email": int(order["status"] == "confirmed"),
            "sms": int(order["status"] == "cancelled"),
            "push": shipped[order["order_id"]],
        }
        for channel, count in expected.items():
            actual = told[order["customer_id"], channel]
            if actual != count:
                yield order["order_id"], f"is {order['status']}; {actual} {channel} instead of {count}"


def _was_sent(shipment: Row) -> bool:
    return shipment["status"] in ("created", "cancelled")


def _orders(evidence: Evidence, status: str) -> list[Row]:
    return [order for order in evidence.states["Order"] if order["status"] == status]


def _pieces(rows: list[Row]) -> Counter[str]:
    wanted: Counter[str] = Counter()
    for row in rows:
        for item in row["items"]:
            wanted[item["sku"]] += int(Decimal(item["quantity"]))
    return wanted


CHECKS: tuple[Callable[[Evidence], Found], ...] = (
    every_accepted_order_ends,
    a_request_made_again_has_its_effect_once,
    orders_end_as_they_must,
    a_confirmed_order_is_paid_reserved_and_shipped_once,
    a_cancelled_order_leaves_nothing_behind,
    nothing_belongs_to_no_order,
    no_card_is_charged_twice,
    stock_adds_up,
    every_customer_is_told_once,
    traffic.nothing_waits,
    traffic.nothing_was_given_up,
    traffic.no_saga_hangs,
    traffic.steps_and_sagas_agree,
    traffic.undone_last_first_and_only_what_ran,
    traffic.each_event_is_one_message,
    traffic.no_event_is_missing_or_overtaken,
    traffic.views_show_what_is,
    work.every_job_ends,
    work.each_notification_is_one_job,
    work.each_notification_goes_out_once,
    work.each_reconciliation_is_one_job,
    work.each_due_time_is_one_job,
    work.operators_got_what_they_asked_for,
    memory.streams_have_no_gap,
    memory.an_order_is_what_its_events_say,
    memory.snapshots_are_what_a_replay_gives,
    memory.messages_tell_what_was_stored,
    memory.only_one_of_those_who_saw_a_version_writes_the_next,
    memory.who_has_written_reads_it,
    memory.everybody_is_answered,
    memory.views_equal_a_rebuild,
)
