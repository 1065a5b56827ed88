"""What makes an orchestrated saga small enough to try everything, and why each part changes no end.

The ends are those of the unreduced model; `tests/proof/test_reduction.py` compares them on small sagas.

- **dropped**: a message that can't change anything any more, whatever happens, is not kept: an answer that
  nobody awaits, a command to a participant that will only repeat itself to somebody who does not listen.
- **alike**: of commands that would have the same effect and whose answers would read the same, one is
  kept. Two that may be answered differently (an undo that may be refused) stay two.
- **one attempt**: a step is asked once. Whatever comes of asking again comes of one attempt, too: the
  participant decides at once as it would decide in the end, and the answer is in time or late.
- **late first** (a persistent set, Patrice Godefroid, "Partial-Order Methods for the Verification of
  Concurrent Systems", 1996): what concerns a step that the saga has given up, and nothing else, happens at
  once. It touches that step's participant and its outcome in the log. Whatever else happens can't disable
  it, and leads to the same state before it and after it: only when the last undo is through is it asked
  whether one failed, and a late answer then leads on from `stuck` to where an early one would have led.
"""

from __future__ import annotations

from archgen.proof.orchestrated import (
    DONE,
    ENDED,
    REFUSED,
    UNSEEN,
    Command,
    Move,
    Reply,
    Shape,
    State,
    begin,
    moves,
)


def one_attempt(shape: Shape) -> Shape:
    """The same saga, with every step asked once."""
    steps = tuple(step._replace(attempts=1) for step in shape.steps)
    return shape._replace(steps=steps, attempts=1)


def first(shape: Shape) -> State:
    """The beginning, reduced."""
    return canonical(shape, begin(shape))


def reduced_moves(shape: Shape, state: State) -> list[tuple[Move, State]]:
    """What may happen next, as far as it has to be tried."""
    found = [(move, canonical(shape, after)) for move, after in moves(shape, state)]
    late = next((m.slot for m, _ in found if m.kind != "silence" and _late(shape, state, m.slot)), None)
    return found if late is None else [(move, after) for move, after in found if move.slot == late]


def _late(shape: Shape, state: State, slot: int) -> bool:
    return slot < len(shape.steps) and slot != state.at and state.outcomes[slot] in ("undo_failed", "undone")


def canonical(shape: Shape, state: State) -> State:
    """The state with what no longer matters left out and what is alike told once."""
    alike: set[Command] = set()
    for command in sorted(state.commands):
        if _matters(shape, state, command):
            alike.add(command if _decides(shape, state, command) else command._replace(attempt=0))
    replies = frozenset(reply._replace(attempt=0) for reply in state.replies if _heard(state, reply))
    return state._replace(commands=frozenset(alike), replies=replies)


def _awaited(state: State, slot: int, undo: bool) -> bool:
    return (slot, undo) == (state.at, state.undoing) and state.status not in ENDED


def _matters(shape: Shape, state: State, command: Command) -> bool:
    slot, undo, _ = command
    if _awaited(state, slot, undo):
        return True
    memory = state.participants[slot]
    if not undo:
        return memory == UNSEEN
    if shape.steps[slot].undo == "elsewhere":
        return state.outcomes[slot] == "undo_failed"
    return memory in (UNSEEN, DONE, REFUSED) or state.outcomes[slot] == "undo_failed"


def _decides(shape: Shape, state: State, command: Command) -> bool:
    """Whether the answer to this very command may be another than that to the one before it."""
    slot, undo, _ = command
    if undo:
        return shape.steps[slot].undo == "refusable" and state.participants[slot] in (UNSEEN, DONE)
    return slot == shape.else_slot and shape.otherwise == "refusable" and state.participants[slot] != DONE


def _heard(state: State, reply: Reply) -> bool:
    if reply.undo and not reply.done:
        return False  # it leaves a word in the log, and no more
    return _awaited(state, reply.slot, reply.undo) or (
        reply.undo and state.outcomes[reply.slot] == "undo_failed"
    )
