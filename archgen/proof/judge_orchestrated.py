"""What may be wrong with how an orchestrated saga ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from archgen.proof.effects import Deed, Fields, Target, Told, aftermath, target, told, trigger_fields, values
from archgen.proof.orchestrated import DONE, REFUSED, UNDONE, End, Shape, State, StepShape, Undo
from archgen.spec.analysis import Analysis, Binding, BoundOrchestration, BoundStep, CommandFacts
from archgen.spec.document import Path
from archgen.spec.judgement import Judgement
from archgen.spec.model import Orchestration


@dataclass(frozen=True)
class Orchestrated:
    """A saga of the description, as the model and its judge see it."""

    saga: BoundOrchestration
    described: Orchestration
    analysis: Analysis

    @property
    def path(self) -> Path:
        return ("sagas", self.saga.name)

    @cached_property
    def shape(self) -> Shape:
        steps = tuple(StepShape(self._undo(step), step.attempts) for step in self.saga.steps)
        ends = self._end(self.saga.then), self._end(self.saga.otherwise)
        return Shape(steps, *ends, self.described.attempts)

    def command(self, binding: Binding) -> CommandFacts:
        return self.analysis.commands[binding.command]

    def binding(self, slot: int, undo: bool = False) -> Binding:
        """The command of a slot, or of its undo."""
        if slot < len(self.saga.steps):
            step = self.saga.steps[slot]
            found = step.undo if undo else step.do
        else:
            found = self.saga.then if slot == self.shape.then_slot else self.saga.otherwise
        assert found is not None
        return found

    def _undo(self, step: BoundStep) -> Undo:
        if step.undo is None:
            return "none"
        if self.command(step.undo).service != self.command(step.do).service:
            return "elsewhere"
        return "refusable" if self.command(step.undo).fails else "sure"

    def _end(self, binding: Binding | None) -> End:
        if binding is None:
            return "none"
        return "refusable" if self.command(binding).fails else "sure"

    @cached_property
    def arguments(self) -> dict[tuple[int, bool], Fields]:
        """The values of each slot's command and undo."""
        trigger = trigger_fields(self.analysis, self.saga.trigger)
        found: dict[tuple[int, bool], Fields] = {}
        results: dict[int, Fields] = {}
        for slot, step in enumerate(self.saga.steps):
            made = f"made by {step.do.command}"
            for undo, binding in ((False, step.do), (True, step.undo)):
                if binding:
                    found[slot, undo] = values(binding, trigger, made, {}, results)
            command = self.command(step.do)
            results[slot] = told(self.analysis, command, found[slot, False], failed=False).fields
        for slot, end in (
            (self.shape.then_slot, self.saga.then),
            (self.shape.else_slot, self.saga.otherwise),
        ):
            if end:
                found[slot, False] = values(end, trigger, "", {}, results)
        return found

    def target(self, slot: int, undo: bool = False) -> Target:
        return target(self.command(self.binding(slot, undo)), self.arguments[slot, undo])

    @cached_property
    def trigger(self) -> Target:
        event = self.analysis.events[self.saga.trigger]
        return Target(f"{event.service}.{event.aggregate}", f"trigger.{event.id_field}")

    def wrong(self, end: State) -> Iterator[Judgement]:
        """Everything that is wrong with this end."""
        besides = list(aftermath(self.analysis, self._told(end)))
        if end.status == "stuck":
            yield from self._stuck(end)
        if end.status == "compensated":
            yield from map(self._remains, self._remaining(end))
            yield from self._untold(besides)
        yield from self._twice(end, besides)

    def _told(self, end: State) -> Iterator[Told]:
        for slot, memory in enumerate(end.participants):
            if memory in (DONE, UNDONE, REFUSED):
                command, arguments = self.command(self.binding(slot)), self.arguments[slot, False]
                yield told(self.analysis, command, arguments, failed=memory == REFUSED)
            if memory == UNDONE:
                command, arguments = self.command(self.binding(slot, True)), self.arguments[slot, True]
                yield told(self.analysis, command, arguments, failed=False)

    def left(self, end: State) -> Iterator[int]:
        """The steps whose effect is still there."""
        yield from self._slots(end, DONE) if end.status != "compensated" else self._remaining(end)

    def _remaining(self, end: State) -> Iterator[int]:
        """The steps whose effect is still there although the saga was given up."""
        back = [self._undoing(slot) for slot in self._slots(end, UNDONE)]
        if self.saga.otherwise:
            back.append(Deed(self.saga.otherwise.command, self.target(self.shape.else_slot), "`else`"))
        back += aftermath(self.analysis, self._told(end))
        for slot in range(len(self.saga.steps)):
            do, mine, memory = self.binding(slot).command, self.target(slot), end.participants[slot]
            undone = memory == UNDONE and self.target(slot, True).same(mine)
            others = (deed for deed in back if deed.command != do and deed.target.same(mine))
            if memory in (DONE, UNDONE) and not undone and next(others, None) is None:
                yield slot

    def _remains(self, slot: int) -> Judgement:
        do, here = self.binding(slot).command, (*self.path, "steps", slot)
        kind = self.shape.steps[slot].undo
        if kind == "none":
            return Judgement(
                "no-undo",
                "warning",
                f"`{do}` stays done although the saga is given up: nothing undoes it",
                (*here, "do"),
                "name the command that takes it back under `undo`, or make it the last step; "
                "what needs no taking back can be done under `on:` of its service",
            )
        undo = self.binding(slot, True).command
        if kind == "elsewhere":
            return Judgement(
                "undo-elsewhere",
                "error",
                f"`{do}` stays done: `{undo}` goes to another service, which never heard of the step and so "
                "has nothing to take back",
                (*here, "undo"),
                "undo a step where it was done",
            )
        return Judgement(
            "undo-other",
            "warning",
            f"`{do}` stays done: `{undo}` takes back {_named(self.target(slot, True))}, and the step did "
            f"{_named(self.target(slot))}",
            (*here, "undo"),
            "undo the aggregate that the step did",
        )

    def _twice(self, end: State, besides: list[Deed]) -> Iterator[Judgement]:
        """One thing taken back by two. A step that is done twice is also undone twice."""
        undone = self._slots(end, UNDONE)
        for slot in undone:
            deed, do = self._undoing(slot), self.binding(slot).command
            others = [
                self._undoing(each) for each in undone if each > slot and self.binding(each).command != do
            ]
            again = next(
                (
                    each
                    for each in (*others, *besides)
                    if each.command == deed.command and each.target.same(deed.target)
                ),
                None,
            )
            if again:
                yield Judgement(
                    "undone-twice",
                    "warning",
                    f"`{deed.command}` is done twice to the same {deed.target.aggregate.partition('.')[2]}: "
                    f"by {deed.because} and by {again.because}",
                    (*self.path, "steps", slot, "undo"),
                    "leave one of the two ways back",
                )

    def _undoing(self, slot: int) -> Deed:
        because = f"the `undo` of `{self.binding(slot).command}`"
        return Deed(self.binding(slot, True).command, self.target(slot, True), because)

    def _untold(self, besides: list[Deed]) -> Iterator[Judgement]:
        if (
            self.saga.then
            and not self.saga.otherwise
            and not any(d.target.same(self.trigger) for d in besides)
        ):
            yield Judgement(
                "no-else",
                "warning",
                f"the saga is given up, and the {self.trigger.aggregate.partition('.')[2]} never hears of "
                f"it: `{self.saga.then.command}` was not done, and nothing else was",
                self.path,
                "name the command that ends it after a failure under `else`",
                key=True,
            )

    def _stuck(self, end: State) -> Iterator[Judgement]:
        ends = [(slot, "undo") for slot, outcome in enumerate(end.outcomes) if outcome == "undo_failed"]
        for slot, key in ends or [(self.shape.else_slot, "else")]:
            undo = key == "undo"
            yield Judgement(
                "refusable-end",
                "warning",
                f"`{self.binding(slot, undo).command}` may be refused, and then the saga is stuck until "
                "somebody resumes it",
                (*self.path, "steps", slot, "undo") if undo else (*self.path, "else"),
                "what finishes or undoes something should always be possible: drop its `fails`",
            )

    def _slots(self, end: State, memory: str) -> list[int]:
        return [slot for slot in range(len(self.saga.steps)) if end.participants[slot] == memory]


def _named(what: Target) -> str:
    return f"the {what.aggregate.partition('.')[2]} {what.id}"
