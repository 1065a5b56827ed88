"""What becomes of promises and of patience along chains of synchronous calls.

A chain counts whether or not the view that is asked makes the next call itself: what a service asks of
others, it may ask in every request.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from archgen.spec.document import Path
from archgen.spec.graph import children_first
from archgen.spec.judgement import Judgement
from archgen.spec.model import Call, Fallback, Policy, System

AVAILABILITY = 0.999
LATENCY = 0.5
"""What every service promises that promises nothing of its own; the generated alerts hold it to that."""

MAX_ATTEMPTS = 10
"""How often one request may be tried in all at the end of a chain, before an outage feeds itself."""


class _Edge(NamedTuple):
    """A call of `caller`, as `service.view`."""

    caller: str
    reference: str
    call: Call

    @property
    def peer(self) -> str:
        return self.reference.partition(".")[0]

    @property
    def path(self) -> Path:
        return ("services", self.caller, "calls", self.reference)


def chain_findings(system: System) -> Iterator[Judgement]:
    """Promises that what is called does not allow, retries that multiply, callers that give up first.

    The calls must not run in a circle.
    """
    edges = {
        name: [_Edge(name, reference, call) for reference, call in service.calls.items()]
        for name, service in system.services.items()
    }
    for name, service in system.services.items():
        if service.slo.availability is not None:
            yield from _availability(system, edges, name, service.slo.availability)
        if service.slo.latency is not None:
            yield from _latency(system, edges, name, service.slo.latency)
    yield from _amplified(system, edges)
    yield from _impatient(system, edges)


def _availability(
    system: System, edges: dict[str, list[_Edge]], name: str, promised: float
) -> Iterator[Judgement]:
    """The product of the promises of everything that has to answer; what has a fallback does not have to."""
    needed: dict[str, float] = {}
    waiting = [name]
    for each in waiting:
        for edge in edges[each]:
            if edge.call.fallback is Fallback.NONE and edge.peer not in needed:
                slo = system.services[edge.peer].slo.availability
                needed[edge.peer] = AVAILABILITY if slo is None else slo
                waiting.append(edge.peer)
    possible = prod(needed.values())
    if possible < promised:
        factors = " × ".join(f"{peer} {_percent(share)}" for peer, share in needed.items())  # noqa: RUF001
        worth = "" if len(needed) == 1 else f" = {_percent(possible)}"
        yield Judgement(
            "slo-availability",
            "warning",
            f"`{name}` promises {_percent(promised)}, and what it calls allows at most {factors}{worth}",
            ("services", name, "slo", "availability"),
            "give a call a fallback, keep a view of your own instead of calling, or promise less",
        )


def _latency(
    system: System, edges: dict[str, list[_Edge]], name: str, promised: float
) -> Iterator[Judgement]:
    for edge in edges[name]:
        slo = system.services[edge.peer].slo.latency
        needs = LATENCY if slo is None else slo
        if needs >= promised:
            yield Judgement(
                "slo-latency",
                "warning",
                f"`{name}` promises to answer within {_seconds(promised)}, and `{edge.peer}`, which it "
                f"calls, promises {_seconds(needs)}",
                ("services", name, "slo", "latency"),
                "a call takes longer than what is made of it: promise more time, or keep a view of your own",
            )


def _amplified(system: System, edges: dict[str, list[_Edge]]) -> Iterator[Judgement]:
    """The chain along which attempts multiply most: one request at the front is so many at the back."""
    below: dict[str, tuple[int, tuple[_Edge, ...]]] = {}
    for name in children_first({name: [edge.peer for edge in each] for name, each in edges.items()}):
        below[name] = (1, ())
        for edge in edges[name]:
            attempts, chain = below[edge.peer]
            attempts *= _policy(system, edge).retry.attempts
            if attempts > below[name][0]:
                below[name] = (attempts, (edge, *chain))
    attempts, chain = max(below.values(), key=lambda each: each[0], default=(1, ()))
    if attempts > MAX_ATTEMPTS and len(chain) > 1:
        names = " → ".join([chain[0].caller, *(edge.peer for edge in chain)])
        factors = " × ".join(str(_policy(system, edge).retry.attempts) for edge in chain)  # noqa: RUF001
        yield Judgement(
            "retry-amplification",
            "warning",
            f"one request may become {attempts} at `{chain[-1].peer}`: {names}, {factors} attempts",
            chain[0].path,
            f"retry in one place of a chain; more than {MAX_ATTEMPTS} make a slow service one that is down",
            key=True,
        )


def _impatient(system: System, edges: dict[str, list[_Edge]]) -> Iterator[Judgement]:
    """A caller that gives up while its peer is still within its rights: the work is done for nobody."""
    for edge in (edge for each in edges.values() for edge in each):
        patience = _policy(system, edge).timeout
        slowest = max(edges[edge.peer], key=lambda each: _policy(system, each).total, default=None)
        if slowest is None or _policy(system, slowest).total < patience:
            continue
        policy = _policy(system, slowest)
        yield Judgement(
            "timeout-chain",
            "warning",
            f"`{edge.caller}` waits {_seconds(patience)} for `{edge.peer}`, which may itself take "
            f"{_seconds(policy.total)} for `{slowest.peer}`: {policy.retry.attempts} × "  # noqa: RUF001
            f"{_seconds(policy.timeout)}",
            edge.path,
            "wait longer in front, or less and less often behind, with a policy for each",
            key=True,
        )


def _policy(system: System, edge: _Edge) -> Policy:
    return system.policies.get(edge.call.policy, Policy())


def _percent(share: float) -> str:
    return f"{round(share * 100, 4):g} %"


def _seconds(value: float) -> str:
    return f"{value * 1000:g} ms" if value < 1 else f"{value:g} s"
