"""What must hold for messages, sagas and views; the invariants of the patterns themselves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.torture.evidence import Evidence
from tests.torture.stream import Copy, by_saga, originals

Found = Iterator[tuple[str, str]]
NO_ANSWER = "no answer"  # in the reason of a saga that gave up a step for silence
LATE = "undone before it was done"  # in the refusal of a late command
WAY_BACK = ("shipment.cancelled", "reservation.released", "payment.refunded")


def nothing_waits(evidence: Evidence) -> Found:
    for service, count in evidence.outboxes.items():
        if count:
            yield "", f"{count} messages in the outbox of {service}"
    for consumer, count in evidence.lag.items():
        if count:
            yield "", f"{count} messages not consumed by {consumer}"


def nothing_was_given_up(evidence: Evidence) -> Found:
    for letter in evidence.dead_letters:
        yield "", f"dead letter of {letter['consumer']}: {letter['subject']}: {letter['reason']}"


def no_saga_hangs(evidence: Evidence) -> Found:
    orders = {order["order_id"]: order["status"] for order in evidence.states["Order"]}
    expected = {"done": "confirmed", "compensated": "cancelled"}
    for saga in evidence.sagas:
        order_id = saga["trigger"]["order_id"]
        if orders.get(order_id) != expected.get(saga["status"], ""):
            yield order_id, f"the saga is {saga['status']}, the order {orders.get(order_id)}"
    if evidence.style == "orchestration":
        for order_id in orders.keys() - {saga["trigger"]["order_id"] for saga in evidence.sagas}:
            yield order_id, "has no saga"


def steps_and_sagas_agree(evidence: Evidence) -> Found:
    ended = {saga["id"]: saga for saga in evidence.sagas}
    for step in evidence.steps:
        saga = ended.get(step["saga_id"])
        if saga is None:
            yield "", f"{step['service']} remembers a step of the unknown saga {step['saga_id']}"
            continue
        order_id = saga["trigger"]["order_id"]
        undoable = step["step"][0].isdigit()
        if saga["status"] == "compensated" and undoable and step["state"] == "done":
            yield order_id, f"compensated, and {step['step']} is still done"
        if saga["status"] == "done" and step["state"] != "done":
            yield order_id, f"done, and {step['step']} is {step['state']}"


def undone_last_first_and_only_what_ran(evidence: Evidence) -> Found:
    sagas = {saga["id"]: saga for saga in evidence.sagas}
    for saga_id, copies in by_saga([copy for copy in evidence.copies if not copy.echo]).items():
        if evidence.style == "choreography":
            yield from _way_back(copies)
            continue
        asked = {phase: _steps(copies, "command", phase) for phase in ("do", "undo")}
        saga = sagas.get(saga_id, {"trigger": {"order_id": ""}, "reason": NO_ANSWER})
        order_id = saga["trigger"]["order_id"]
        if asked["undo"] != sorted(asked["undo"], reverse=True):
            yield order_id, f"was undone in the order {asked['undo']}"
        # A refusal that comes after the step was given up for silence does not count: it was unknown.
        heard = NO_ANSWER not in saga["reason"]
        refusals = [c for c in copies if c.data.get("outcome") == "refused" and LATE not in c.data["reason"]]
        refused = _steps(refusals, "reply", "do")
        for step in asked["undo"]:
            if step not in asked["do"] or (heard and step in refused):
                yield order_id, f"{step} was undone without having been done"


def _steps(copies: list[Copy], kind: str, phase: str) -> list[str]:
    """The steps that messages of this kind are about, each once, in the order of the stream."""
    found = (c.body["sagastep"] for c in copies if c.kind == kind and c.body["sagaphase"] == phase)
    return list(dict.fromkeys(found))


def _way_back(copies: list[Copy]) -> Found:
    names = [copy.name for copy in copies if copy.kind == "event"]
    way = [name for name in dict.fromkeys(names) if name in WAY_BACK]
    if way != sorted(way, key=WAY_BACK.index):
        yield copies[0].data.get("order_id", ""), f"was taken back in the order {way}"


def each_event_is_one_message(evidence: Evidence) -> Found:
    first: dict[tuple[str, int], Copy] = {}
    for copy in evidence.copies:
        if copy.kind == "event":
            known = first.setdefault((copy.subject, copy.version), copy)
            if known.id != copy.id:
                yield (
                    copy.data.get("order_id", ""),
                    f"{known.name} {known.subject} v{known.version} has two ids",
                )
    seen: set[str] = set()
    for kind in ("event", "command", "reply"):
        for copy in originals(evidence.copies, kind):
            if copy.id in seen:
                yield copy.data.get("order_id", ""), f"was stored twice by the broker itself: {copy}"
            seen.add(copy.id)


def no_event_is_missing_or_overtaken(evidence: Evidence) -> Found:
    versions: dict[str, list[int]] = {}
    for copy in originals(evidence.copies, "event"):
        versions.setdefault(copy.subject, []).append(copy.version)
    for subject in evidence.versions.keys() | versions.keys():
        sent = list(dict.fromkeys(versions.get(subject, [])))
        expected = list(range(1, evidence.versions.get(subject, 0) + 1))
        if sorted(sent) != expected:
            yield "", f"{subject} is at version {len(expected)}, its events are {sent}"
        for one, next in pairwise(sent):
            if next < one:
                yield "", f"event {next} of {subject} came after event {one}"


def views_show_what_is(evidence: Evidence) -> Found:
    for view, rows in evidence.views.items():
        shown = {row[view.key]: row for row in rows}
        states = {state[view.key]: state for state in evidence.states[view.kind]}
        for key in shown.keys() - states.keys():
            yield "", f"{view.path} shows {key}, which does not exist"
        for key, state in states.items():
            row = shown.get(key)
            order_id = state.get("order_id", "")
            if row is None:
                yield order_id, f"{view.path} does not show {view.kind} {key}"
                continue
            for name in row.keys() & state.keys():
                if row[name] != state[name]:
                    yield order_id, f"{view.path} {key}: {name} is {row[name]!r}, should be {state[name]!r}"
