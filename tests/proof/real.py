"""The chassis's saga, imported from where it lies, led by the moves of the model."""

from __future__ import annotations

from dataclasses import make_dataclass
from pathlib import Path
from typing import Any

from archgen.proof.orchestrated import IDLE, Move, Shape

CHASSIS = Path(__file__).parents[2] / "archgen" / "templates" / "python" / "chassis" / "src"


Started = make_dataclass("Started", [("id", str)], namespace={"NAME": "order.created"}, frozen=True)


def command(name: str) -> type[Any]:
    names = {"NAME": name, "ID": "id", "CREATES": False, "EMITS": Started}
    return make_dataclass("Command", [("id", str)], namespace=names, frozen=True)


class Real:
    """An instance of the chassis's saga, led by the moves of the model."""

    def __init__(self, chassis: Any, shape: Shape) -> None:
        definition, self.state = chassis["definition"], chassis["state"]
        steps = [
            definition.Step(
                command(f"s{i}.do"), None if s.undo == "none" else command(f"s{i}.undo"), attempts=s.attempts
            )
            for i, s in enumerate(shape.steps)
        ]
        ends = [None if end == "none" else command("o.end") for end in (shape.then, shape.otherwise)]
        self.saga = definition.Saga(
            "s", Started, steps, then=ends[0], otherwise=ends[1], timeout=1.0, attempts=shape.attempts
        )
        self.keys = [*self.saga.keys, definition.THEN, definition.OTHERWISE]
        self.now = 0.0
        self.instance, self.sends = self.state.begin(self.saga, "i", {"id": "1"}, self.now)

    def follow(self, move: Move) -> None:
        self.sends = ()
        if move.kind == "reply":
            self.instance, self.sends = self.state.on_reply(
                self.saga,
                self.instance,
                self.keys[move.slot],
                "undo" if move.undo else "do",
                done=move.done,
                reason="no",
                result={},
                now=self.now,
            )
        elif move.kind == "silence":
            self.now = self.instance.deadline
            self.instance, self.sends = self.state.on_timeout(self.saga, self.instance, self.now)

    def seen(self) -> dict[str, Any]:
        """What the model says, too."""
        now = self.instance
        return {
            "status": now.status,
            "at": self.keys.index(now.step) if now.step else IDLE,
            "undoing": now.phase == "undo",
            "attempt": now.attempt,
            "outcomes": tuple(now.outcomes.get(key, "") for key in self.keys[:-2]),
            "waits": now.deadline is not None,
            "sends": {(self.keys.index(s.step), s.phase == "undo", s.attempt) for s in self.sends},
        }
