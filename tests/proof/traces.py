"""Random runs of the model of an orchestrated saga, for the chassis to follow."""

from __future__ import annotations

import random
from typing import Any

from archgen.proof.orchestrated import Move, Shape, State, StepShape, begin, moves
from tests.proof.shapes import ENDS, UNDOS


def random_shape(dice: random.Random) -> Shape:
    steps = tuple(StepShape(dice.choice(UNDOS), dice.randint(1, 3)) for _ in range(dice.randint(1, 4)))
    return Shape(steps, dice.choice(ENDS), dice.choice(ENDS), dice.randint(1, 3))


def walk(shape: Shape, dice: random.Random) -> list[tuple[Move, State]]:
    """One run until nothing more happens. Now and then nobody is heard for long, so that deadlines pass."""
    state, taken = begin(shape), []
    patience = dice.choice((0.02, 0.2, 0.6))
    while choices := list(moves(shape, state)):
        silent = [each for each in choices if each[0].kind == "silence"]
        heard = [each for each in choices if each[0].kind != "silence"]
        move, state = dice.choice(silent if silent and (not heard or dice.random() < patience) else heard)
        taken.append((move, state))
    return taken


def as_json(shape: Shape, taken: list[tuple[Move, State]]) -> dict[str, Any]:
    """The run as the chassis's side of the test reads it: what happens, and what must hold then."""
    return {
        "steps": [step._asdict() for step in shape.steps],
        "then": shape.then,
        "otherwise": shape.otherwise,
        "attempts": shape.attempts,
        "run": [{"move": move._asdict(), "after": _seen(state)} for move, state in taken],
    }


def _seen(state: State) -> dict[str, Any]:
    return {
        "status": state.status,
        "at": state.at,
        "undoing": state.undoing,
        "attempt": state.attempt,
        "outcomes": state.outcomes,
        "participants": state.participants,
    }
