"""Sagas that nothing starts, and steps that nothing leads to. How the others end is for `archgen.proof`."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.spec.analysis import Analysis
from archgen.spec.choreography import starts, unreachable
from archgen.spec.document import Path
from archgen.spec.judgement import Judgement
from archgen.spec.model import Choreography, System


def saga_findings(system: System, analysis: Analysis) -> Iterator[Judgement]:
    """Whatever of a saga can never happen."""
    for name, saga in system.sagas.items():
        if isinstance(saga, Choreography):
            yield from _unreachable(saga, analysis, ("sagas", name))


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
