"""Breadth first through everything that may happen, so that the way to each end is a shortest one.

The graphs have no cycles: every move uses up a message, an attempt or a step. So each run comes to an
end, and whatever is to be judged is judged there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)
M = TypeVar("M")

LIMIT = 100_000
"""States per saga at most; a few seconds, and far more than any saga that people still understand."""


@dataclass(frozen=True)
class Exploration(Generic[S, M]):
    """What was met. `ends` are the states in which nothing more happens, nearest first.

    `complete` is false when there were more than the limit: then there may be ends that are not here.
    """

    states: int
    moves: int
    ends: tuple[S, ...]
    complete: bool
    came_from: dict[S, tuple[S, M] | None]

    def way_to(self, state: S) -> list[tuple[M, S]]:
        """The moves from the beginning to `state`, each with the state that it led to."""
        way: list[tuple[M, S]] = []
        while (step := self.came_from[state]) is not None:
            before, move = step
            way.append((move, state))
            state = before
        return way[::-1]


def explore(start: S, moves: Callable[[S], Iterable[tuple[M, S]]], limit: int = LIMIT) -> Exploration[S, M]:
    """Everything that `moves` leads to from `start`, up to `limit` states."""
    came_from: dict[S, tuple[S, M] | None] = {start: None}
    ends: list[S] = []
    level, taken = [start], 0
    while level and len(came_from) <= limit:
        following: list[S] = []
        for state in level:
            last = True
            for move, after in moves(state):
                last = False
                taken += 1
                if after not in came_from:
                    came_from[after] = (state, move)
                    following.append(after)
            if last:
                ends.append(state)
            if len(came_from) > limit:
                break
        else:
            level = following
            continue
        break
    complete = len(came_from) <= limit
    return Exploration(len(came_from), taken, tuple(ends), complete, came_from)
