"""What happened in a run, as a table; and the whole story of an order that went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.torture.breakage import Done
from tests.torture.echoes import SHARE
from tests.torture.evidence import Evidence
from tests.torture.invariants import Violation
from tests.torture.stream import by_saga, originals
from tests.torture.traffic import LATE, NO_ANSWER

STORIES = 3


@dataclass(frozen=True)
class Figures:
    """Times in seconds: until the last order was placed, and until all was quiet.

    `resumed` sagas and `redriven` jobs had to be helped by a person.
    """

    placing: float
    settling: float
    resumed: int
    redriven: int


def table(evidence: Evidence, done: Done, figures: Figures) -> list[tuple[str, int]]:
    """What happened, and how often; 0 for what never did."""
    statuses = Counter(order["status"] for order in evidence.states["Order"])
    rows = [
        ("orders accepted", len(evidence.ledger.accepted)),
        ("orders confirmed", statuses["confirmed"]),
        ("orders cancelled", statuses["cancelled"]),
        ("requests made again", evidence.ledger.retries),
        ("messages in the stream", len(evidence.copies)),
    ]
    processes = sorted({fault.process for fault in evidence.plan.faults} | {*done.kills})
    rows += [(f"kills of {name}", done.kills[name]) for name in processes]
    rows += [(f"freezes of {name}", count) for name, count in sorted(done.freezes.items())]
    rows.append(("freezes", done.freezes.total()))
    rows += [
        (f"copies: {kind}", sum(copy.echo == kind for copy in evidence.copies))
        for kind in SHARE
        if kind != "asked again" or evidence.style == "orchestration"
    ]
    refused = _refusals(evidence)
    rows += [(f"refused: {why}", refused[why]) for why in ("card", "stock", "parcel")]
    rows += _saga_rows(evidence, figures)
    rows += _work_rows(evidence, figures)
    return rows


def _work_rows(evidence: Evidence, figures: Figures) -> list[tuple[str, int]]:
    jobs = Counter(job["name"] for job in evidence.jobs)
    rivals = Counter(rival.status for rival in evidence.ledger.rivals)
    return [
        ("jobs: notifications delivered", jobs["deliver"]),
        ("jobs: reconciliations", jobs["reconcile"]),
        ("jobs: tried more than once", sum(job["attempt"] > 1 for job in evidence.jobs)),
        ("jobs: failed for good, and redriven", figures.redriven),
        ("gateway: asked again under the same key", evidence.gateway.repeated),
        ("gateway: refused for good", len(evidence.gateway.refused)),
        ("rebuilds while all was serving", evidence.operators.rebuilds),
        ("rebuilds killed", evidence.operators.rebuilds_killed),
        ("snapshots", len(evidence.snapshots)),
        ("reads of what was just written", evidence.ledger.looks),
        ("stale writes refused", rivals[412]),
        ("writes with a version that held", rivals[200]),
    ]


def _refusals(evidence: Evidence) -> Counter[str]:
    why = {"payment.failed": "card", "reservation.rejected": "stock", "shipment.failed": "parcel"}
    return Counter(why[copy.name] for copy in originals(evidence.copies, "event") if copy.name in why)


def _saga_rows(evidence: Evidence, figures: Figures) -> list[tuple[str, int]]:
    names = Counter(copy.name for copy in originals(evidence.copies, "event"))
    rows = [
        ("compensations: refunds", names["payment.refunded"]),
        ("compensations: releases", names["reservation.released"]),
        ("compensations: shipments cancelled", names["shipment.cancelled"]),
    ]
    cancelled = Counter(evidence.ledger.cancelled.values())
    rows += [
        ("cancelled by the customer", cancelled[200]),
        ("cancelled by the customer too late (not required)", cancelled[409]),
    ]
    if evidence.style == "choreography":
        return rows
    asked = Counter(
        (copy.saga_id, copy.body["sagastep"], copy.body["sagaphase"])
        for copy in originals(evidence.copies, "command")
    )
    late = [copy for copy in evidence.copies if copy.kind == "reply" and LATE in copy.data.get("reason", "")]
    return [
        *rows,
        ("answers overdue, asked again", sum(asked.values()) - len(asked)),
        ("sagas given up for no answer", sum(NO_ANSWER in saga["reason"] for saga in evidence.sagas)),
        ("late commands refused", len(late)),
        ("sagas that a person had to resume (not required)", figures.resumed),
    ]


def missing(rows: Sequence[tuple[str, int]]) -> list[str]:
    """The kinds of fault and answer that this run never had, so that it says nothing about them."""
    return [name for name, count in rows if not count and "not required" not in name]


def story(evidence: Evidence, order_id: str) -> str:
    """The order, its saga log, what belongs to it, and its messages in the order of the stream."""
    sagas = [saga for saga in evidence.sagas if saga["trigger"]["order_id"] == order_id]
    told = by_saga(evidence.copies)
    ids = {saga["id"] for saga in sagas}
    for id, copies in told.items():
        if any(order_id in (copy.subject, copy.data.get("order_id")) for copy in copies):
            ids.add(id)
    plain = [copy for copy in evidence.copies if order_id in (copy.subject, copy.data.get("order_id"))]
    shown = {copy.sequence: copy for copy in [*plain, *(copy for id in ids for copy in told.get(id, []))]}
    lines = [f"--- order {order_id}"]
    if plan := evidence.ledger.accepted.get(order_id):
        lines.append(f"    planned: {plan.fate}, key {plan.key}, cancelled after {plan.cancel_after}")
    for kind in ("Order", "Payment", "Reservation", "Shipment"):
        for state in evidence.of_order(kind, order_id):
            lines.append(f"    {kind}: { {key: value for key, value in state.items() if key != 'items'} }")
    for saga in sagas:
        lines.append(f"    saga {saga['id']}: {saga['status']}, {saga['outcomes']}, {saga['reason']!r}")
    lines += [
        f"    {step['service']}: {step['step']} {step['state']}"
        for step in evidence.steps
        if step["saga_id"] in ids
    ]
    lines += [f"    {copy}" for _, copy in sorted(shown.items())]
    return "\n".join(lines)


def render(
    evidence: Evidence, violations: Sequence[Violation], rows: Sequence[tuple[str, int]], figures: Figures
) -> str:
    """The whole report, for people."""
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {count:>6}" for name, count in rows]
    accepted = len(evidence.ledger.accepted)
    lines.append(
        f"  {accepted / max(figures.placing, 0.1):.1f} orders/s accepted while things broke; "
        f"quiet {figures.settling:.1f} s after the last fault"
    )
    lines += [f"  never happened in this run: {name}" for name in missing(rows)]
    for violation in violations[:40]:
        lines.append(f"  BROKEN  {violation}")
    if len(violations) > 40:
        lines.append(f"  … and {len(violations) - 40} more")
    ids = list(dict.fromkeys(v.order_id for v in violations if v.order_id))
    lines += [story(evidence, id) for id in ids[:STORIES]]
    return "\n".join(lines)
