"""A model of an orchestrated saga at run time: the saga log, the participants, and what is on its way.

It follows the chassis move by move (`saga/state.py`, `saga/participant.py`), which a test holds it to. What
the chassis makes harmless is not a move here: a message that comes again is known to the inbox by its
id, and a crash before the acknowledgement makes a message come again, one before the commit makes it
come later. Messages overtake each other at will, a deadline may pass at any time, nothing is lost for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

Undo = Literal["none", "sure", "refusable", "elsewhere"]
End = Literal["none", "sure", "refusable"]

ENDED = ("done", "compensated")
IDLE = -1

# What a participant remembers of its slot, and what became of it: `undone` after it was done, `barred`
# when the undo came first, `dropped` after it was refused. The chassis calls all three `undone`.
UNSEEN, DONE, REFUSED, UNDONE, BARRED, DROPPED = "unseen", "done", "refused", "undone", "barred", "dropped"
_TAKEN_BACK = {UNSEEN: BARRED, REFUSED: DROPPED, UNDONE: UNDONE, BARRED: BARRED, DROPPED: DROPPED}


class StepShape(NamedTuple):
    """What matters of a step. An undo is `elsewhere` when another service than the step's is told to do it.

    Every step may be refused, with or without an event that says so: domain code may always say no.
    What ends or undoes something is taken at its word: it is refused only if it names an event for it.
    """

    undo: Undo
    attempts: int


class Shape(NamedTuple):
    """What matters of a saga. Its slots are its steps, then `then`, then `else`."""

    steps: tuple[StepShape, ...]
    then: End
    otherwise: End
    attempts: int

    @property
    def then_slot(self) -> int:
        return len(self.steps)

    @property
    def else_slot(self) -> int:
        return len(self.steps) + 1


class Command(NamedTuple):
    slot: int
    undo: bool
    attempt: int


class Reply(NamedTuple):
    slot: int
    undo: bool
    attempt: int
    done: bool


class State(NamedTuple):
    """`at` is the slot whose reply is awaited, `undoing` if it is its undo's; `outcomes` as in the log."""

    status: str
    at: int
    undoing: bool
    attempt: int
    outcomes: tuple[str, ...]
    participants: tuple[str, ...]
    commands: frozenset[Command]
    replies: frozenset[Reply]

    @property
    def waits(self) -> bool:
        """Whether a deadline may pass."""
        return self.status not in ENDED and self.status != "stuck"


class Move(NamedTuple):
    """`command` arrives and is `done` or not; `reply` arrives; or there was `silence` for too long."""

    kind: Literal["command", "reply", "silence"]
    slot: int
    undo: bool
    attempt: int
    done: bool = False


def begin(shape: Shape) -> State:
    """The saga as the event that starts it leaves it: the first command is on its way."""
    nothing: frozenset[Reply] = frozenset()
    unseen = (UNSEEN,) * (len(shape.steps) + 2)
    blank = State("running", 0, False, 0, ("",) * len(shape.steps), unseen, frozenset(), nothing)
    return _forward(shape, blank, 0)


def moves(shape: Shape, state: State) -> Iterator[tuple[Move, State]]:
    """Everything that may happen next."""
    for command in sorted(state.commands):
        for done, memory in _answers(shape, state.participants[command.slot], command):
            yield Move("command", *command, done), _carried_out(state, command, done, memory)
    for reply in sorted(state.replies):
        heard = on_reply(shape, state._replace(replies=state.replies - {reply}), reply)
        yield Move("reply", *reply), heard
    if state.waits:
        yield Move("silence", state.at, state.undoing, state.attempt), on_silence(shape, state)


# A participant


def _answers(shape: Shape, memory: str, command: Command) -> Iterator[tuple[bool, str]]:
    """What a participant may answer, and what it remembers then."""
    slot, undo, _ = command
    if undo:
        kind = shape.steps[slot].undo
        if kind == "elsewhere":
            # Another service has never heard of the step, so it has nothing to take back.
            yield True, memory
        elif memory == DONE:
            yield True, UNDONE
            if kind == "refusable":
                yield False, DONE
        else:
            yield True, _TAKEN_BACK[memory]
    elif memory == UNSEEN or (memory == REFUSED and slot == shape.else_slot):
        yield True, DONE
        if _refusable(shape, slot):
            yield False, REFUSED
    else:
        yield memory == DONE, memory


def _refusable(shape: Shape, slot: int) -> bool:
    if slot == shape.then_slot:
        return shape.then == "refusable"
    if slot == shape.else_slot:
        return shape.otherwise == "refusable"
    return True


def _carried_out(state: State, command: Command, done: bool, memory: str) -> State:
    participants = list(state.participants)
    participants[command.slot] = memory
    return state._replace(
        participants=tuple(participants),
        commands=state.commands - {command},
        replies=state.replies | {Reply(*command, done)},
    )


# The orchestrator


def on_reply(shape: Shape, state: State, reply: Reply) -> State:
    """`chassis.saga.state.on_reply`."""
    slot, undo, _, done = reply
    if undo and done and state.outcomes[slot] == "undo_failed":
        known = _note(state, slot, "undone")
        return _compensate(shape, known) if state.status == "stuck" else known
    if (slot, undo) != (state.at, state.undoing) or state.status in ENDED:
        return state
    if undo:
        return _compensate(shape, _note(state, slot, "undone")) if done else state
    if slot == shape.then_slot:
        return _end(state, "done") if done else _compensate(shape, state)
    if slot == shape.else_slot:
        return _end(state, "compensated") if done else state._replace(status="stuck")
    if done:
        return _forward(shape, _note(state, slot, "done"), slot + 1)
    return _compensate(shape, _note(state, slot, "refused"))


def on_silence(shape: Shape, state: State) -> State:
    """`chassis.saga.state.on_timeout`, once the deadline has passed."""
    step = shape.steps[state.at] if state.at < len(shape.steps) else None
    if state.attempt < (step.attempts if step else shape.attempts):
        return _send(state, state.status, state.at, state.undoing, state.attempt + 1)
    if step is None or (not state.undoing and step.undo == "none"):
        return state._replace(status="stuck")
    return _compensate(shape, _note(state, state.at, "undo_failed" if state.undoing else "unknown"))


def _forward(shape: Shape, state: State, slot: int) -> State:
    if slot < len(shape.steps):
        return _send(state, "running", slot, False)
    if shape.then != "none":
        return _send(state, "finishing", shape.then_slot, False)
    return _end(state, "done")


def _compensate(shape: Shape, state: State) -> State:
    for slot in reversed(range(len(shape.steps))):
        if shape.steps[slot].undo != "none" and state.outcomes[slot] in ("done", "unknown"):
            return _send(state, "compensating", slot, True)
    if "undo_failed" in state.outcomes:
        return state._replace(status="stuck")
    if shape.otherwise != "none":
        return _send(state, "aborting", shape.else_slot, False)
    return _end(state, "compensated")


def _send(state: State, status: str, slot: int, undo: bool, attempt: int = 1) -> State:
    sent = state.commands | {Command(slot, undo, attempt)}
    return state._replace(status=status, at=slot, undoing=undo, attempt=attempt, commands=sent)


def _note(state: State, slot: int, outcome: str) -> State:
    outcomes = list(state.outcomes)
    outcomes[slot] = outcome
    return state._replace(outcomes=tuple(outcomes))


def _end(state: State, status: str) -> State:
    return state._replace(status=status, at=IDLE, undoing=False, attempt=0)
