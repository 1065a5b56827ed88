"""Random shapes of orchestrated sagas, and what of an end is to be compared."""

from __future__ import annotations

from hypothesis import strategies as st

from archgen.proof.orchestrated import End, Shape, State, StepShape, Undo

UNDOS: tuple[Undo, ...] = ("none", "sure", "refusable", "elsewhere")
ENDS: tuple[End, ...] = ("none", "sure", "refusable")


def shapes(steps: int, attempts: int = 1) -> st.SearchStrategy[Shape]:
    """Sagas of up to `steps` steps, each asked up to `attempts` times."""
    tries = st.integers(1, attempts)
    return st.builds(
        Shape,
        st.lists(st.builds(StepShape, st.sampled_from(UNDOS), tries), min_size=1, max_size=steps).map(tuple),
        st.sampled_from(ENDS),
        st.sampled_from(ENDS),
        tries,
    )


def result(end: State) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return end.status, end.outcomes, end.participants
