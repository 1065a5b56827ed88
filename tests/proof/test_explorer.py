"""Breadth first: everything once, the shortest way, and a word when it is too much."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.proof.explorer import explore


def pairs(state: tuple[int, int]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Two counters, each up to 3, in any order."""
    one, other = state
    if one < 3:
        yield "one", (one + 1, other)
    if other < 3:
        yield "other", (one, other + 1)


def test_everything_once() -> None:
    tried = explore((0, 0), pairs)
    assert (tried.states, tried.moves, tried.complete) == (16, 24, True)
    assert tried.ends == ((3, 3),)


def test_the_way_to_an_end_is_a_shortest_one() -> None:
    shortcut = {0: [("a", 1), ("far", 3)], 1: [("b", 2)], 2: [("c", 3)], 3: []}
    tried = explore(0, lambda state: shortcut[state])
    assert tried.way_to(3) == [("far", 3)]
    assert tried.way_to(0) == []


def test_more_than_the_limit_is_not_complete() -> None:
    assert explore((0, 0), pairs, limit=16).complete
    tried = explore((0, 0), pairs, limit=15)
    assert not tried.complete
    assert tried.ends == (), "the end was not met, and nobody says that there is none"
