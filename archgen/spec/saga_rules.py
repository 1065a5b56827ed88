"""What makes a saga end neither done nor undone."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.spec.analysis import Analysis
from archgen.spec.choreography import starts, unreachable
from archgen.spec.document import Path
from archgen.spec.judgement import Judgement
from archgen.spec.model import Choreography, Orchestration, System


def saga_findings(system: System, analysis: Analysis) -> Iterator[Judgement]:
    """Steps that nothing undoes, failures that nobody hears, steps that nothing leads to."""
    for name, saga in system.sagas.items():
        path: Path = ("sagas", name)
        if isinstance(saga, Orchestration):
            yield from _without_undo(saga, analysis, path)
            yield from _refusable(saga, analysis, path)
        else:
            yield from _unheard(saga, analysis, path)
            yield from _unreachable(saga, analysis, path)


def _without_undo(saga: Orchestration, analysis: Analysis, path: Path) -> Iterator[Judgement]:
    refusable = bool(saga.then) and bool(analysis.commands[saga.then].fails)
    for index, step in enumerate(saga.steps if refusable else saga.steps[:-1]):
        if not step.undo:
            yield Judgement(
                "no-undo",
                "warning",
                f"`{step.do}` changes state, more steps follow, and nothing undoes it when one of them fails",
                (*path, "steps", index, "do"),
                "name the command that takes it back under `undo`, or make it the last step",
            )


def _refusable(saga: Orchestration, analysis: Analysis, path: Path) -> Iterator[Judgement]:
    ends = [(step.undo, (*path, "steps", index, "undo")) for index, step in enumerate(saga.steps)]
    # A refused `then` is no dead end: everything is undone, and `else` follows.
    ends.append((saga.otherwise, (*path, "else")))
    for command, at in ends:
        if command and analysis.commands[command].fails:
            yield Judgement(
                "refusable-end",
                "warning",
                f"`{command}` may be refused, and then the saga is stuck until somebody resumes it",
                at,
                "what finishes or undoes something should always be possible: drop its `fails`",
            )


def _unheard(saga: Choreography, analysis: Analysis, path: Path) -> Iterator[Judgement]:
    heard = {step.when for step in saga.steps}
    for index, step in enumerate(saga.steps):
        failure = analysis.commands[step.do].fails
        if failure and failure not in heard:
            yield Judgement(
                "failure-unheard",
                "warning",
                f"`{step.do}` may fail, and no step of the saga hears `{failure}`",
                (*path, "steps", index, "do"),
                f"add a step that undoes what was done: `{{when: {failure}, do: ...}}`",
            )


def _unreachable(saga: Choreography, analysis: Analysis, path: Path) -> Iterator[Judgement]:
    if not starts(saga.steps, analysis.facts):
        message = "every event of the saga comes out of the saga itself, so nothing starts it"
        yield Judgement("no-start", "error", message, path, "", key=True)
        return
    for index in unreachable(saga.steps, analysis.facts):
        step = saga.steps[index]
        yield Judgement(
            "unreachable-step",
            "error",
            f"nothing in the saga leads to `{step.when}`",
            (*path, "steps", index, "when"),
            "start from an event that comes from outside the saga",
        )
