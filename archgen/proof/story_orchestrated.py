"""A run of an orchestrated saga, told to people: one line per thing that matters."""

from __future__ import annotations

from archgen.proof.judge_orchestrated import Orchestrated
from archgen.proof.orchestrated import BARRED, DONE, REFUSED, UNDONE, Move, State
from archgen.spec.suggest import listed

Way = list[tuple[Move, State]]


def tell(saga: Orchestrated, start: State, way: Way) -> tuple[str, ...]:
    """The run from `start` along `way`. An answer is told only where it comes late."""
    lines = [f"`{saga.saga.trigger}` starts the saga"]
    before = start
    for index, (move, after) in enumerate(way):
        if move.kind == "command":
            lines.append(_command(saga, move, before, after))
        elif move.kind == "reply" and not _at_once(way, index):
            lines.append(f"{saga.saga.owner} gets the late answer about `{_name(saga, move)}`")
        elif move.kind == "silence":
            lines.append(_silence(saga, move, after))
        before = after
    return (*lines, _ending(saga, before))


def _at_once(way: Way, index: int) -> bool:
    move, before = way[index][0], way[index - 1][0]
    return before.kind == "command" and (before.slot, before.undo) == (move.slot, move.undo)


def _name(saga: Orchestrated, move: Move) -> str:
    return saga.binding(move.slot, move.undo).command


def _command(saga: Orchestrated, move: Move, before: State, after: State) -> str:
    service, _, command = _name(saga, move).partition(".")
    was, now = before.participants[move.slot], after.participants[move.slot]
    do = saga.binding(move.slot).command.partition(".")[2] if move.undo else command
    if move.undo:
        if now == UNDONE != was:
            return f"{service} undoes `{do}` by `{command}`"
        if not move.done:
            return f"{service} refuses `{command}`" + _saying(saga, move)
        if now == BARRED != was:
            return (
                f"{service} gets `{command}` before `{do}`: nothing to take back, and it will refuse `{do}`"
            )
        return f"{service} gets `{command}` and has nothing to take back"
    if now == DONE != was:
        return f"{service} does `{command}`"
    if now == REFUSED != was:
        return f"{service} refuses `{command}`" + _saying(saga, move)
    return (
        f"{service} gets `{command}` again and answers as before"
        if was != BARRED
        else (f"{service} gets the late `{command}` and refuses it")
    )


def _saying(saga: Orchestrated, move: Move) -> str:
    event = saga.command(saga.binding(move.slot, move.undo)).fails
    return f" (`{event}`)" if event else ""


def _silence(saga: Orchestrated, move: Move, after: State) -> str:
    name, owner = _name(saga, move), saga.saga.owner
    if move.undo:
        return f"{owner} has no success from `{name}` in {_times(saga, move)} and gives it up"
    about = f"{owner} has no answer about `{name}` in {_times(saga, move)}"
    return f"{about}, and waits for it" if after.status == "stuck" else f"{about}, so it may have been done"


def _times(saga: Orchestrated, move: Move) -> str:
    steps = saga.saga.steps
    attempts = steps[move.slot].attempts if move.slot < len(steps) else saga.described.attempts
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"


def _ending(saga: Orchestrated, end: State) -> str:
    left = [f"`{saga.binding(slot).command}`" for slot in sorted(saga.left(end))]
    if end.status == "done":
        return "the saga ends as done"
    still = f", and {listed(left)} {'is' if len(left) == 1 else 'are'} still done" if left else ""
    return f"the saga {'is stuck' if end.status == 'stuck' else 'ends as compensated'}{still}"
