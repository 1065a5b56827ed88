"""What a mutation is, and the items of the checklist that it is about."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.mutants.edits import Edit
from tests.mutants.workspace import Workspace

BOTH = ("orchestration", "choreography")
ORCHESTRATED, CHOREOGRAPHED = BOTH[:1], BOTH[1:]


@dataclass(frozen=True)
class Mutation:
    """One pattern of a generated project broken.

    The audit catches it when a finding that was not there before has one of `rules` and lies in a file
    that `at` matches; without rules, when the verdict on `item` is worse than before. No item but
    `item` and those in `also` may change. `systems` are those that it is tried on.
    """

    name: str
    item: str
    rules: tuple[str, ...]
    at: str
    edit: Edit
    systems: tuple[str, ...] = BOTH
    also: tuple[str, ...] = ()
    language: str = "python"


@dataclass(frozen=True)
class Same:
    """An edit that changes no behaviour, at places that chance picks: verdicts and findings must stay."""

    name: str
    edit: Callable[[Workspace, random.Random], None]
    systems: tuple[str, ...] = BOTH
    language: str = "python"
