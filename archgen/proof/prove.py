"""Every saga of a system, tried in full and judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from archgen.proof import choreographed, reduction, story_choreographed, story_orchestrated
from archgen.proof.choreographed import Handled, Run
from archgen.proof.explorer import LIMIT, Exploration, explore
from archgen.proof.judge_choreographed import Choreographed
from archgen.proof.judge_orchestrated import Orchestrated
from archgen.proof.orchestrated import Move, State
from archgen.proof.tree import Tree
from archgen.proof.verdict import Proof
from archgen.spec.analysis import Analysis, BoundChoreography
from archgen.spec.document import Path
from archgen.spec.judgement import Judgement
from archgen.spec.model import Orchestration, System

STEPS = 100
"""Steps of a saga that is tried, at most; the states of longer ones would fill the memory."""

MOST = 12
"""Counter-examples per saga: who has so many has other worries than the thirteenth."""

S = TypeVar("S")
Found = dict[tuple[str, Path], Judgement]


def prove(system: System, analysis: Analysis, limit: int = LIMIT) -> Iterator[Proof]:
    """A proof, or what refutes it, for every saga of the system that something starts."""
    for name, saga in system.sagas.items():
        if len(saga.steps) > STEPS:
            yield Proof(name, saga.style, 0, 0, 0.0, False, ())
        elif isinstance(saga, Orchestration):
            yield orchestration(Orchestrated(analysis.orchestrations[name], saga, analysis), limit)
        elif analysis.choreographies[name].starts_on:
            yield choreography(analysis.choreographies[name], analysis, limit)


def orchestration(saga: Orchestrated, limit: int = LIMIT) -> Proof:
    """What comes of trying everything with an orchestrated saga."""
    began = time.perf_counter()
    shape = reduction.one_attempt(saga.shape)
    start = reduction.first(shape)
    tried: Exploration[State, Move] = explore(
        start, lambda state: reduction.reduced_moves(shape, state), limit
    )
    found: Found = {}
    _judge(
        tried.ends,
        saga.wrong,
        lambda end, _: story_orchestrated.tell(saga, start, tried.way_to(end)),
        found,
    )
    seconds = time.perf_counter() - began
    violations = tuple(found.values())
    name = saga.saga.name
    return Proof(name, "orchestration", tried.states, tried.moves, seconds, tried.complete, violations)


def choreography(saga: BoundChoreography, analysis: Analysis, limit: int = LIMIT) -> Proof:
    """What comes of trying everything with a choreographed saga, from each event that may start it."""
    began = time.perf_counter()
    states, moves, complete = 0, 0, True
    found: Found = {}
    for event in saga.starts_on:
        tried = _from(Tree(saga, analysis, event), limit, found)
        states, moves, complete = states + tried.states, moves + tried.moves, complete and tried.complete
    seconds = time.perf_counter() - began
    return Proof(saga.name, "choreography", states, moves, seconds, complete, tuple(found.values()))


def _from(tree: Tree, limit: int, found: Found) -> Exploration[Run, Handled]:
    tried: Exploration[Run, Handled] = explore(
        choreographed.begin(tree), lambda run: choreographed.reduced_moves(tree, run), limit
    )
    judge = Choreographed(tree)

    def tell(end: Run, wrong: Judgement) -> tuple[str, ...]:
        return story_choreographed.tell(tree, tried.way_to(end), endless=wrong.code == "saga-circle")

    _judge(tried.ends, judge.wrong, tell, found)
    return tried


def _judge(
    ends: Iterable[S],
    wrong: Callable[[S], Iterator[Judgement]],
    tell: Callable[[S, Judgement], tuple[str, ...]],
    found: Found,
) -> None:
    """Adds to `found` the nearest end with each kind of complaint at each place."""
    for end in ends:
        for each in wrong(end):
            if (each.code, each.path) not in found and len(found) < MOST:
                found[each.code, each.path] = replace(each, steps=tell(end, each))


def proof_findings(proofs: Iterable[Proof]) -> Iterator[Judgement]:
    """What refutes a proof; and a word where there is neither proof nor refutation."""
    for proof in proofs:
        yield from proof.violations
        if proof.verdict == "bounded":
            yield Judgement(
                "not-proved",
                "warning",
                f"nothing is wrong with what was tried, but after {proof.states} states there is more: "
                "whether the saga always ends well is not proved",
                ("sagas", proof.saga),
                "divide it into smaller sagas",
                key=True,
            )
