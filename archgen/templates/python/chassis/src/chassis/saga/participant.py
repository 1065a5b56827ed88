"""The side of a saga that is asked: do this step, undo that one, and answer.

Per instance and step a participant keeps what became of it. So a command that comes again gets
the answer of the first time, an undo undoes only what was done, and a command that comes after
its undo is refused. What ends a saga that was given up must succeed once, so only a refusal of that
is thought over again.
"""

from __future__ import annotations

from typing import Any

from chassis.domain import UseCase
from chassis.errors import NotFound, Refused
from chassis.jsons import decode, encode
from chassis.messages import Message, derived_id
from chassis.saga.definition import OTHERWISE
from chassis.saga.steps import State
from chassis.uow import Origin, Session, UnitOfWork


def carry_out(use_case: UseCase, session: Session, origin: Origin, message: Message) -> None:
    """Handle a command message and put the reply into the outbox. Raises what is not a refusal."""
    if not message.saga_id:
        _run(use_case, session, origin, message)
        return
    known = session.steps.load(message.saga_id, message.saga_step)
    if message.saga_phase == "undo":
        state, reply = _undo(use_case, session, origin, message, known.state if known else None)
    elif known and known.state == "undone":
        state, reply = known.state, _refused("this step was undone before it was done")
    elif known and (known.state, message.saga_step) != ("refused", OTHERWISE):
        state, reply = known.state, known.reply
    else:
        reply = _run(use_case, session, origin, message)
        state = "done" if reply["outcome"] == "done" else "refused"
    if known is None or known.state != state:
        session.steps.save(message.saga_id, message.saga_step, state, reply)
    _answer(session, origin, message, reply)


def _undo(
    use_case: UseCase, session: Session, origin: Origin, message: Message, state: State | None
) -> tuple[State, dict[str, Any]]:
    if state == "done":
        reply = _run(use_case, session, origin, message)
        return ("undone" if reply["outcome"] == "done" else "done"), reply
    # Never seen, refused, or undone already: there is nothing to take back.
    return "undone", _done({})


def _run(use_case: UseCase, session: Session, origin: Origin, message: Message) -> dict[str, Any]:
    unit = UnitOfWork(session, origin)
    command = decode(use_case.command, message.data)
    try:
        use_case.handle(command, unit)
    except (Refused, NotFound) as refusal:
        return _refused(str(refusal))
    unit.complete()
    return result_of(use_case, unit)


def result_of(use_case: UseCase, unit: UnitOfWork) -> dict[str, Any]:
    """What the use case's events amount to: the first one it promises, or the one for failure."""
    fails, emits = use_case.command.FAILS, use_case.command.EMITS
    for recorded in unit.recorded:
        if fails is not None and isinstance(recorded.event, fails):
            data = encode(recorded.event)
            return _refused(str(data.get("reason") or fails.NAME), data)
        if isinstance(recorded.event, emits):
            return _done(encode(recorded.event))
    return _done({})


def _done(result: dict[str, Any]) -> dict[str, Any]:
    return {"outcome": "done", "reason": "", "result": result}


def _refused(reason: str, result: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"outcome": "refused", "reason": reason, "result": result or {}}


def _answer(session: Session, origin: Origin, message: Message, reply: dict[str, Any]) -> None:
    if not message.reply_to:
        return
    session.outbox.add(
        Message(
            id=derived_id(message.id, "reply"),
            type=f"{origin.system}.reply.v1",
            source=origin.source,
            subject=message.subject,
            data=reply,
            address=message.reply_to,
            correlation_id=origin.correlation_id,
            causation_id=message.id,
            trace=origin.trace,
            saga=message.saga,
            saga_id=message.saga_id,
            saga_step=message.saga_step,
            saga_phase=message.saga_phase,
        )
    )
