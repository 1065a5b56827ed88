"""What came of trying everything that may happen in one saga."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archgen.spec.judgement import Judgement


@dataclass(frozen=True)
class Proof:
    """`proved`: no run of the saga ends badly. `bounded`: nothing was found, and not everything was tried.

    `violations` are the ways in which it ends badly, each with the shortest run that does. `states` and
    `moves` count what was tried, `seconds` how long that took.
    """

    saga: str
    style: Literal["orchestration", "choreography"]
    states: int
    moves: int
    seconds: float
    complete: bool
    violations: tuple[Judgement, ...]

    @property
    def verdict(self) -> Literal["proved", "refuted", "bounded"]:
        if self.violations:
            return "refuted"
        return "proved" if self.complete else "bounded"
