"""How calls and events run through the services: circles, and chains that are too long."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from archgen.spec.analysis import Analysis
from archgen.spec.chains import chain_findings
from archgen.spec.choreography import outcomes_of
from archgen.spec.document import Path
from archgen.spec.graph import cycles, longest_path
from archgen.spec.judgement import Judgement
from archgen.spec.model import Orchestration, System
from archgen.spec.references import saga_names

MAX_CALLS = 3
"""How many synchronous calls may wait for each other; each multiplies failures and adds its latency."""


def flow_findings(system: System, analysis: Analysis) -> Iterator[Judgement]:
    """Circles of calls, long chains of calls, circles of events."""
    calls = call_graph(system)
    circles = cycles(calls)
    for circle in circles:
        yield Judgement(
            "call-cycle",
            "error",
            f"services call each other in a circle: {' → '.join(circle)}",
            _call_path(system, circle[0], circle[1]),
            "let one of them keep a view of its own, fed by the other's events",
            key=True,
        )
    if not circles:
        yield from chain_findings(system)
    chain = [] if circles else longest_path(calls)
    if len(chain) - 1 > MAX_CALLS:
        yield Judgement(
            "call-chain",
            "warning",
            f"{len(chain) - 1} calls wait for each other: {' → '.join(chain)}",
            _call_path(system, chain[0], chain[1]),
            f"more than {MAX_CALLS} are slow and fragile; keep a view of your own along the way",
            key=True,
        )
    for circle in cycles(event_graph(system, analysis)):
        if _of_one_saga(circle, analysis):
            continue
        yield Judgement(
            "event-cycle",
            "warning",
            f"events set each other off in a circle: {' → '.join(circle)}",
            _event_path(system, circle[0]),
            "make sure that one of the commands refuses to be done twice, or break the circle",
        )


def call_graph(system: System) -> dict[str, list[str]]:
    """Service → the services that it calls."""
    return {
        name: list(dict.fromkeys(call.partition(".")[0] for call in service.calls))
        for name, service in system.services.items()
    }


def event_graph(system: System, analysis: Analysis) -> dict[str, list[str]]:
    """Event → the events that reactions and sagas lead to when it happens."""
    edges: list[tuple[str, str]] = []
    for reactions in analysis.reactions.values():
        edges += [(event, reaction.do.command) for event, reaction in reactions.items()]
    for choreography in analysis.choreographies.values():
        edges += [(step.when, step.do.command) for step in choreography.steps]
    for saga in system.sagas.values():
        if isinstance(saga, Orchestration):
            edges += [(saga.when, name) for kind, name, _ in saga_names(saga) if kind == "command"]
    graph: dict[str, list[str]] = {event: [] for event in analysis.events}
    for event, name in edges:
        command = analysis.commands[name]
        graph[event] += [each for each in (command.emits, command.fails) if each]
    return graph


def _of_one_saga(circle: list[str], analysis: Analysis) -> bool:
    """Whether the circle is within one choreography that something starts: its proof tells more about it."""
    for saga in analysis.choreographies.values():
        steps = {
            (step.when, event)
            for step in saga.steps
            for event in outcomes_of(analysis.commands[step.do.command])
        }
        if saga.starts_on and steps.issuperset(pairwise(circle)):
            return True
    return False


def _call_path(system: System, caller: str, peer: str) -> Path:
    call = next(call for call in system.services[caller].calls if call.partition(".")[0] == peer)
    return ("services", caller, "calls", call)


def _event_path(system: System, event: str) -> Path:
    """Where the description says what happens on the event."""
    for name, service in system.services.items():
        if event in service.on:
            return ("services", name, "on", event)
    for name, saga in system.sagas.items():
        for kind, reference, inside in saga_names(saga):
            if kind == "event" and reference == event:
                return ("sagas", name, *inside)
    return ("services",)
