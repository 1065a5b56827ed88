"""The model moves as the chassis does: its state machine, from where it lies, follows random runs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from archgen.proof.orchestrated import ENDED, State, begin
from tests.proof.real import Real
from tests.proof.traces import random_shape, walk

RUNS = 600


def expected(state: State, before: State | None) -> dict[str, Any]:
    sent = state.commands - (before.commands if before else frozenset())
    return {
        "status": state.status,
        "at": state.at,
        "undoing": state.undoing,
        "attempt": state.attempt,
        "outcomes": state.outcomes,
        "waits": state.waits,
        "sends": {tuple(each) for each in sent},
    }


@pytest.mark.parametrize("seed", range(6))
def test_the_chassis_follows_the_model(chassis: Any, seed: int) -> None:
    dice = random.Random(seed)
    met: set[str] = set()
    for _ in range(RUNS // 6):
        shape = random_shape(dice)
        real, before = Real(chassis, shape), begin(shape)
        assert real.seen() == expected(before, None)
        for move, after in walk(shape, dice):
            real.follow(move)
            assert real.seen() == expected(after, before), (shape, move, before)
            before = after
        met.add(before.status)
        assert before.status in ENDED or before.status == "stuck"
    assert met == {"done", "compensated", "stuck"}
