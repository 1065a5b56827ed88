"""Answers of a peer, kept for when it does not answer: better an old price list than none."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the peer said: its JSON (`None` for an empty body). A `stale` one was said `age` seconds ago."""

    status: int
    value: Any
    age: float = 0.0
    stale: bool = False


class LastKnown:
    """The last good answer to each of the `size` questions asked most recently."""

    def __init__(self, size: int = 1000) -> None:
        self._size = size
        self._answers: OrderedDict[str, tuple[float, Answer]] = OrderedDict()

    def put(self, question: str, answer: Answer) -> None:
        self._answers[question] = (time.monotonic(), answer)
        self._answers.move_to_end(question)
        if len(self._answers) > self._size:
            self._answers.popitem(last=False)

    def get(self, question: str) -> Answer | None:
        if question not in self._answers:
            return None
        self._answers.move_to_end(question)
        when, answer = self._answers[question]
        return replace(answer, age=time.monotonic() - when, stale=True)

    def forget(self, question: str) -> None:
        self._answers.pop(question, None)
