"""A choreographed saga as a graph of events and commands, with every argument bound.

What a step needs and its own `when` event lacks travels with the saga, from the nearest earlier event
that had it. It counts only if it is there, with one type, on *every* path that leads to the step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archgen.spec.binding import Binding, Scope, Supply, bind
from archgen.spec.document import Path
from archgen.spec.facts import CommandFacts, EventFacts, Facts
from archgen.spec.fieldtypes import FieldType
from archgen.spec.issue import Issue
from archgen.spec.model import ChoreographedStep, Choreography, System
from archgen.spec.orchestration import trigger, unknown_arguments


@dataclass(frozen=True)
class BoundReaction:
    """When `when` arrives, do this."""

    when: str
    do: Binding


@dataclass(frozen=True)
class BoundChoreography:
    """`starts_on` are the events that begin a saga; the `when` of other steps come out of its own steps.

    `carries` names the fields that travel with the saga. At each event, those of them that the event
    has are added or replaced.
    """

    name: str
    owner: str
    starts_on: tuple[str, ...]
    steps: tuple[BoundReaction, ...]
    carries: tuple[str, ...]


@dataclass(frozen=True)
class _Carried:
    """What is known of one name that may travel: `kind` is None once paths disagree on its type."""

    kind: FieldType | None
    origins: frozenset[str]
    always: bool


_State = dict[str, _Carried]


def starts(steps: Sequence[ChoreographedStep], facts: Facts) -> tuple[str, ...]:
    """The events that begin the saga: those that set off a step and come out of none."""
    produced = {event for step in steps for event in outcomes(step, facts)}
    return tuple(dict.fromkeys(step.when for step in steps if step.when not in produced))


def outcomes(step: ChoreographedStep, facts: Facts) -> tuple[str, ...]:
    """The events that a step's command may answer with."""
    return outcomes_of(facts.commands[step.do])


def outcomes_of(command: CommandFacts) -> tuple[str, ...]:
    """The events that a command may answer with."""
    return tuple(event for event in (command.emits, command.fails) if event)


def unreachable(steps: Sequence[ChoreographedStep], facts: Facts) -> list[int]:
    """The steps, by index, whose event no path from the saga's start produces."""
    seen = set(starts(steps, facts))
    while True:
        reached = [step for step in steps if step.when in seen]
        more = seen | {event for step in reached for event in outcomes(step, facts)}
        if more == seen:
            return [index for index, step in enumerate(steps) if step.when not in seen]
        seen = more


def bind_choreography(
    name: str, saga: Choreography, system: System, facts: Facts
) -> tuple[BoundChoreography, list[Issue]]:
    """The saga bound, and the arguments that have no source. Its names must resolve."""
    states = _travelling(saga.steps, facts)
    issues: list[Issue] = []
    steps = []
    for index, step in enumerate(saga.steps):
        path: Path = ("sagas", name, "steps", index)
        command = facts.commands[step.do]
        supplies = (trigger(facts.events[step.when]), _carried_supply(states[index]))
        bound, missing = bind(command, step.with_, Scope(supplies, index, system.types))
        for each in (*unknown_arguments(step.with_, [command]), *missing):
            at = (*path, "with", each.argument) if each.given else (*path, "do")
            issues.append(Issue(at, each.message, each.remedy, "unbound", each.given))
        steps.append(BoundReaction(step.when, bound))
    sources = [source for step in steps for source in step.do.arguments.values()]
    carries = tuple(dict.fromkeys(source.field for source in sources if source.kind == "carried"))
    return BoundChoreography(name, saga.owner, starts(saga.steps, facts), tuple(steps), carries), issues


def _travelling(steps: Sequence[ChoreographedStep], facts: Facts) -> list[_State]:
    """For each step, what has travelled to it, as the greatest solution of the data flow."""
    begins = starts(steps, facts)
    before: list[_State | None] = [{} if step.when in begins else None for step in steps]
    while True:
        after = [
            None if state is None else _add(state, facts.events[step.when])
            for state, step in zip(before, steps, strict=True)
        ]
        new: list[_State | None] = []
        for state, step in zip(before, steps, strict=True):
            arriving = [
                each
                for each, other in zip(after, steps, strict=True)
                if each is not None and step.when in outcomes(other, facts)
            ]
            new.append(state if step.when in begins or not arriving else _meet(arriving))
        if new == before:
            return [state or {} for state in before]
        before = new


def _add(state: _State, event: EventFacts) -> _State:
    """What travels on from a step to which `state` has travelled, with its event's fields."""
    origin = frozenset({f"{event.service}.{event.aggregate}"})
    return state | {
        name: _Carried(kind, origin if name == event.id_field else frozenset(), always=True)
        for name, kind in event.fields.items()
    }


def _meet(states: list[_State]) -> _State:
    """What is known of data that may have come by any of several paths."""
    merged: _State = {}
    for name in dict.fromkeys(name for state in states for name in state):
        found = [state[name] for state in states if name in state]
        kind = found[0].kind if all(each.kind == found[0].kind for each in found) else None
        always = len(found) == len(states) and all(each.always for each in found)
        merged[name] = _Carried(kind, frozenset().union(*(each.origins for each in found)), always)
    return merged


def _carried_supply(state: _State) -> Supply:
    sure = {name: each for name, each in state.items() if each.always and each.kind is not None}
    return Supply(
        "carried",
        {name: each.kind for name, each in sure.items() if each.kind is not None},
        "what has travelled with the saga",
        origins={name: each.origins for name, each in sure.items()},
    )
