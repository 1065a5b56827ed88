"""An undo whose answer comes after the saga stopped waiting for it still counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from chassis.saga import Saga, Step
from chassis.saga.state import Instance, begin, on_reply, on_timeout


@dataclass(frozen=True)
class Happened:
    NAME: ClassVar[str] = "thing.happened"
    id: str


@dataclass(frozen=True)
class Do:
    NAME: ClassVar[str] = "first.do"
    ID: ClassVar[str] = "id"
    CREATES: ClassVar[bool] = False
    EMITS: ClassVar[type] = Happened
    id: str


@dataclass(frozen=True)
class DoMore(Do):
    NAME: ClassVar[str] = "second.do"


@dataclass(frozen=True)
class Undo(Do):
    NAME: ClassVar[str] = "first.undo"


@dataclass(frozen=True)
class GiveUp:
    NAME: ClassVar[str] = "owner.give_up"
    ID: ClassVar[str] = "id"
    CREATES: ClassVar[bool] = False
    id: str
    reason: str


SAGA = Saga(
    "both",
    starts_on=Happened,
    steps=[Step(Do, undo=Undo), Step(DoMore, undo=Undo)],
    otherwise=GiveUp,
    timeout=1.0,
    attempts=1,
)
FIRST, SECOND = "0.first.do", "1.second.do"


def second_undo_given_up() -> Instance:
    """The second step's outcome is unknown and its undo unanswered; the first is being undone."""
    instance, _ = begin(SAGA, "1", {"id": "a"}, now=0.0)
    instance, _ = on_reply(SAGA, instance, FIRST, "do", done=True, reason="", result={}, now=0.0)
    instance, _ = on_timeout(SAGA, instance, now=2.0)
    instance, sends = on_timeout(SAGA, instance, now=4.0)
    assert instance.outcomes[SECOND] == "undo_failed"
    assert [(send.step, send.phase) for send in sends] == [(FIRST, "undo")]
    return instance


def undone(instance: Instance, step: str) -> tuple[Instance, list[str]]:
    moved, sends = on_reply(SAGA, instance, step, "undo", done=True, reason="", result={}, now=4.0)
    return moved, [send.step for send in sends]


def test_it_counts_while_another_step_is_being_undone() -> None:
    instance, sends = undone(second_undo_given_up(), SECOND)
    assert not sends
    instance, sends = undone(instance, FIRST)
    assert (instance.status, sends) == ("aborting", ["else"])


def test_it_frees_a_saga_that_is_stuck() -> None:
    instance, sends = undone(second_undo_given_up(), FIRST)
    assert (instance.status, sends) == ("stuck", [])
    instance, sends = undone(instance, SECOND)
    assert (instance.status, sends) == ("aborting", ["else"])


def test_the_owner_is_told_why_the_saga_was_given_up_and_not_which_undo_was_late() -> None:
    instance = replace(second_undo_given_up(), reason="no answer")
    instance, _ = undone(instance, FIRST)
    _, sends = on_reply(SAGA, instance, SECOND, "undo", done=True, reason="", result={}, now=4.0)
    assert sends[0].data["reason"] == "no answer"
