"""The reduced model ends exactly as the whole one does."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, given, settings

from archgen.proof.explorer import explore
from archgen.proof.orchestrated import Shape, StepShape, begin, moves
from archgen.proof.reduction import canonical, first, one_attempt, reduced_moves
from tests.proof.shapes import result, shapes


def whole(shape: Shape) -> set[object]:
    tried = explore(begin(shape), lambda state: moves(shape, state), limit=20_000)
    assume(tried.complete)
    return {result(end) for end in tried.ends}


def reduced(shape: Shape) -> set[object]:
    small = one_attempt(shape)
    tried = explore(first(small), lambda state: reduced_moves(small, state))
    assert tried.complete
    return {result(end) for end in tried.ends}


@settings(max_examples=250, deadline=None)
@given(shapes(steps=3))
def test_the_same_ends(shape: Shape) -> None:
    assert reduced(shape) == whole(shape)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(shapes(steps=2, attempts=3))
def test_the_same_ends_with_more_attempts(shape: Shape) -> None:
    assert reduced(shape) == whole(shape)


@settings(max_examples=60, deadline=None)
@given(shapes(steps=3))
def test_a_shortest_way_stays_a_shortest_way(shape: Shape) -> None:
    """Late messages are delivered first instead of in between; none is added or left out."""
    without = explore(
        first(shape), lambda state: [(m, canonical(shape, after)) for m, after in moves(shape, state)]
    )
    with_it = explore(first(shape), lambda state: reduced_moves(shape, state))
    long, short = ({end: len(tried.way_to(end)) for end in tried.ends} for tried in (without, with_it))
    assert long == short


def test_it_is_worth_it() -> None:
    shape = Shape((StepShape("refusable", 2),) * 2, "sure", "sure", 2)
    all_states = explore(begin(shape), lambda state: moves(shape, state)).states
    small = one_attempt(shape)
    assert explore(first(small), lambda state: reduced_moves(small, state)).states * 20 < all_states
