"""What follows from a System and is derived in one place: facts, bindings, ports; and `check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from archgen.errors import Problem, SpecError
from archgen.spec.binding import Binding, Scope, Source, bind
from archgen.spec.choreography import BoundChoreography, BoundReaction, bind_choreography
from archgen.spec.document import Path, dotted
from archgen.spec.facts import CommandFacts, Consumer, EventFacts, Facts, collect
from archgen.spec.issue import Issue
from archgen.spec.model import Orchestration, Reaction, Saga, System
from archgen.spec.orchestration import (
    BoundOrchestration,
    BoundStep,
    bind_orchestration,
    trigger,
    unknown_arguments,
)
from archgen.spec.ports import Ports, ports
from archgen.spec.references import saga_names

__all__ = [
    "Analysis",
    "Binding",
    "BoundChoreography",
    "BoundOrchestration",
    "BoundReaction",
    "BoundStep",
    "CommandFacts",
    "Consumer",
    "EventFacts",
    "Facts",
    "Source",
    "analyse",
    "bind_all",
]


@dataclass(frozen=True)
class Analysis:
    """The facts, the sagas by name, the reactions by service and event, and all ports."""

    facts: Facts
    orchestrations: dict[str, BoundOrchestration]
    choreographies: dict[str, BoundChoreography]
    reactions: dict[str, dict[str, BoundReaction]]
    ports: Ports

    @property
    def events(self) -> dict[str, EventFacts]:
        return self.facts.events

    @property
    def commands(self) -> dict[str, CommandFacts]:
        return self.facts.commands

    @property
    def consumers(self) -> dict[str, tuple[Consumer, ...]]:
        return self.facts.consumers


def analyse(system: System) -> Analysis:
    """The analysis of a system that was loaded, or made in Python with names that resolve.

    Raises SpecError if an argument does not bind, which the loader has refused already.
    """
    analysis, issues = bind_all(system, collect(system))
    if issues:
        raise SpecError(
            *(Problem(each.message, key=dotted(each.path), remedy=each.remedy) for each in issues)
        )
    return analysis


def bind_all(system: System, facts: Facts) -> tuple[Analysis, list[Issue]]:
    """The analysis as far as names resolve, and the arguments that have no source."""
    issues: list[Issue] = []
    orchestrations: dict[str, BoundOrchestration] = {}
    choreographies: dict[str, BoundChoreography] = {}
    for name, saga in system.sagas.items():
        if not _resolves(saga, facts):
            if isinstance(saga, Orchestration) and (part := _resolving(saga, facts)):
                issues += bind_orchestration(name, part, system, facts)[1]
            continue
        if isinstance(saga, Orchestration):
            orchestrations[name], found = bind_orchestration(name, saga, system, facts)
        else:
            choreographies[name], found = bind_choreography(name, saga, system, facts)
        issues += found
    reactions: dict[str, dict[str, BoundReaction]] = {name: {} for name in system.services}
    for service, event, reaction in _reactions(system):
        command = f"{service}.{reaction.do}"
        if event in facts.events and command in facts.commands:
            bound, found = _bind_reaction(service, event, reaction, system, facts)
            reactions[service][event] = bound
            issues += found
    return Analysis(facts, orchestrations, choreographies, reactions, ports(system)), issues


def _resolves(saga: Saga, facts: Facts) -> bool:
    return all(
        name in (facts.commands if kind == "command" else facts.events) for kind, name, _ in saga_names(saga)
    )


def _resolving(saga: Orchestration, facts: Facts) -> Orchestration | None:
    """The steps before the first one that does not resolve, and `else`, which needs none of them."""
    if saga.when not in facts.events:
        return None
    steps = tuple(takewhile(lambda step: step.do in facts.commands, saga.steps))
    known = tuple(
        step if step.undo in facts.commands else step.model_copy(update={"undo": ""}) for step in steps
    )
    otherwise = saga.otherwise if saga.otherwise in facts.commands else ""
    then = saga.then if len(steps) == len(saga.steps) and saga.then in facts.commands else ""
    return saga.model_copy(update={"steps": known, "then": then, "otherwise": otherwise})


def _reactions(system: System) -> Iterator[tuple[str, str, Reaction]]:
    for name, service in system.services.items():
        for event, reaction in service.on.items():
            yield name, event, reaction


def _bind_reaction(
    service: str, event: str, reaction: Reaction, system: System, facts: Facts
) -> tuple[BoundReaction, list[Issue]]:
    path: Path = ("services", service, "on", event)
    command = facts.commands[f"{service}.{reaction.do}"]
    scope = Scope((trigger(facts.events[event]),), 0, system.types)
    bound, missing = bind(command, reaction.with_, scope)
    issues = [
        Issue(
            (*path, "with", each.argument) if each.given else (*path, "do"),
            each.message,
            each.remedy,
            "unbound",
            each.given,
        )
        for each in (*unknown_arguments(reaction.with_, [command]), *missing)
    ]
    return BoundReaction(event, bound), issues
