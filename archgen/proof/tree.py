"""A choreographed saga unrolled: every command that may be done in a run, with what set it off.

There are no joins in a choreography: each command is done because of exactly one event. So all that may
happen is a tree, and a run is a part of it. Data flows along its branches, ids among it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from archgen.proof.effects import Fields, Target, Told, target, told, trigger_fields, values
from archgen.spec.analysis import Analysis, BoundChoreography, BoundReaction, CommandFacts
from archgen.spec.choreography import outcomes_of

LOOKED_AT = 5_000
"""Nodes that are made before anything is tried, at most, to see what a saga is about."""

Group = tuple[int, ...]
"""Nodes that one service handles in one transaction: what it does when one event arrives."""


@dataclass(frozen=True)
class Node:
    """A command done because of an event. `because` is the node that told of it, and -1 for the trigger.

    `failed` is true when that event said that something was refused, `after` when a failure is
    anywhere on the way here. `again` marks a step that the way here did already, to the same aggregate.
    """

    number: int
    step: int
    because: int
    failed: bool
    after: bool
    again: bool
    target: Target
    arguments: Fields
    carried: Fields
    way: frozenset[tuple[int, Target]]


class Tree:
    """The tree of the runs that begin with the event `start`; nodes are made as they are asked for."""

    def __init__(self, saga: BoundChoreography, analysis: Analysis, start: str) -> None:
        self.saga = saga
        self.analysis = analysis
        self.start = start
        self.nodes: list[Node] = []
        self._below: dict[tuple[int, bool], tuple[Group, ...]] = {}
        self._told: dict[tuple[int, bool], Told] = {}

    @cached_property
    def trigger(self) -> Target:
        event = self.analysis.events[self.start]
        return Target(f"{event.service}.{event.aggregate}", f"trigger.{event.id_field}")

    def command(self, step: int) -> CommandFacts:
        return self.analysis.commands[self.saga.steps[step].do.command]

    def told(self, number: int, failed: bool) -> Told:
        """What the node says when it was done, or refused."""
        key = (number, failed)
        if key not in self._told:
            node = self.nodes[number]
            self._told[key] = told(self.analysis, self.command(node.step), node.arguments, failed=failed)
        return self._told[key]

    @cached_property
    def roots(self) -> tuple[Group, ...]:
        return self._react(Told(self.start, trigger_fields(self.analysis, self.start)), None, False)

    def below(self, number: int, failed: bool) -> tuple[Group, ...]:
        """What follows from a node that was done, or that `failed`."""
        key = (number, failed)
        if key not in self._below:
            node = self.nodes[number]
            self._below[key] = () if node.again else self._react(self.told(number, failed), node, failed)
        return self._below[key]

    def _react(self, event: Told, because: Node | None, failed: bool) -> tuple[Group, ...]:
        groups: dict[str, list[int]] = {}
        for step, reaction in enumerate(self.saga.steps):
            if event.event and reaction.when == event.event:
                service = self.command(step).service
                groups.setdefault(service, []).append(self._add(step, reaction, event, because, failed))
        return tuple(tuple(group) for group in groups.values())

    def _add(
        self, step: int, reaction: BoundReaction, event: Told, because: Node | None, failed: bool
    ) -> int:
        command = self.command(step)
        before = because.carried if because else {}
        arguments = values(reaction.do, event.fields, f"made by {command.name}", before)
        carried = {
            **before,
            **{name: event.fields[name] for name in self.saga.carries if name in event.fields},
        }
        aim = target(command, arguments)
        way = because.way if because else frozenset()
        self.nodes.append(
            Node(
                number=len(self.nodes),
                step=step,
                because=because.number if because else -1,
                failed=failed,
                after=failed or (because.after if because else False),
                again=(step, aim) in way,
                target=aim,
                arguments=arguments,
                carried=carried,
                way=way | {(step, aim)},
            )
        )
        return len(self.nodes) - 1

    @cached_property
    def created(self) -> frozenset[Target]:
        """The aggregates that the saga itself brings into being, wherever in a run."""
        found: set[Target] = set()
        waiting = [number for group in self.roots for number in group]
        for number in waiting:
            node = self.nodes[number]
            if self.command(node.step).creates:
                found.add(node.target)
            if len(waiting) < LOOKED_AT:
                for failed in (False, True):
                    waiting += [each for group in self.below(number, failed) for each in group]
        return frozenset(found)

    def ancestors(self, number: int) -> list[int]:
        """The nodes that led to a node, the nearest first."""
        found = []
        while (number := self.nodes[number].because) >= 0:
            found.append(number)
        return found

    @cached_property
    def reached(self) -> frozenset[int]:
        """The steps that the event which starts the saga may lead to."""
        return self._led_to({self.start})

    @cached_property
    def after_failure(self) -> frozenset[int]:
        """The steps that a failure may lead to, at once or by and by."""
        return self._led_to({self.command(step).fails for step in self.reached} - {""})

    def _led_to(self, events: set[str]) -> frozenset[int]:
        """The steps that one of `events` sets off, at once or by and by."""
        while True:
            steps = {step for step, reaction in enumerate(self.saga.steps) if reaction.when in events}
            more = events | {event for step in steps for event in outcomes_of(self.command(step))}
            if more == events:
                return frozenset(steps)
            events = more

    @cached_property
    def fails_after(self) -> frozenset[int]:
        """The steps whose success may be followed by a failure of another."""
        steps = range(len(self.saga.steps))
        found: set[int] = set()
        while True:
            more = {
                step
                for step in steps
                for other in steps
                if self.saga.steps[other].when == self.command(step).emits
                and (self.command(other).fails or other in found)
            }
            if more == found:
                return frozenset(found)
            found = more

    @cached_property
    def reach(self) -> tuple[frozenset[str], ...]:
        """Per step, the aggregates that it or anything that follows from it may touch."""
        steps = self.saga.steps
        touched = [{f"{self.command(i).service}.{self.command(i).aggregate}"} for i in range(len(steps))]
        after = [
            [j for j, other in enumerate(steps) if other.when in outcomes_of(self.command(i))]
            for i in range(len(steps))
        ]
        changed = True
        while changed:
            changed = False
            for i, following in enumerate(after):
                more = touched[i].union(*(touched[j] for j in following))
                changed |= more != touched[i]
                touched[i] = more
        return tuple(frozenset(each) for each in touched)
