"""What is somebody's own: only they, staff and the system itself see it or change it.

To everybody else it does not exist: the answer is 404 and not 403, so that ids can't be tried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.exceptions import HTTPException

from chassis.domain import AggregateType, UseCase
from chassis.errors import NotFound, Refused
from chassis.security.gate import SCOPE
from chassis.security.model import ANYBODY, Caller
from chassis.uow import Session


def caller_of(request: Request) -> Caller:
    """Who asks, as the gate found out; anybody, in a system without one."""
    if getattr(request.app.state, "gate", None) is None:
        return ANYBODY
    caller: Caller = request.scope[SCOPE]
    return caller


def owner(request: Request, given: UUID | None) -> UUID:
    """Whose the thing to be created is: the caller's, or whose staff say.

    Raises HTTPException: 422 when staff don't say, 403 when somebody names another, or has a subject
    that is no UUID.
    """
    caller = caller_of(request)
    if caller.sees_all:
        if given is None:
            raise HTTPException(422, "Say whose it is to be: you are not its owner.")
        return given
    try:
        own = UUID(caller.subject)
    except ValueError:
        raise HTTPException(403, "Nothing can belong to the subject of your token.") from None
    if given not in (None, own):
        raise _another()
    return own


def owner_text(request: Request, given: str | None) -> str:
    """As `owner`, where owners are known by any text."""
    caller = caller_of(request)
    if caller.sees_all:
        if given is None:
            raise HTTPException(422, "Say whose it is to be: you are not its owner.")
        return given
    if given not in (None, caller.subject):
        raise _another()
    return caller.subject


def _another() -> HTTPException:
    return HTTPException(403, "You can only do this for yourself.")


def check_command(
    caller: Caller, session: Session, type: AggregateType[Any], use_case: UseCase, command: Any
) -> None:
    """Whether `command` is about what is the caller's own.

    Raises NotFound when it is about somebody else's, and Refused for something new that is to be
    somebody else's, or under an id that is taken by theirs.
    """
    if caller.sees_all or not type.owner:
        return
    id = str(getattr(command, use_case.command.ID))
    state = session.aggregates.load(type, id).state
    if not use_case.command.CREATES:
        if not owns(caller, type, state):
            raise NotFound(type.name, id)
        return
    if str(getattr(command, type.owner, "")) != caller.subject:
        raise Refused("it can only be created for yourself")
    if state is not None and not owns(caller, type, state):
        raise Refused("this id is taken")


def owns(caller: Caller, type: AggregateType[Any], state: Any) -> bool:
    """Whether the caller may know of an aggregate in this state; never of one that is not there."""
    if state is None:
        return False
    return caller.sees_all or not type.owner or str(getattr(state, type.owner, "")) == caller.subject


def owns_row(caller: Caller, field: str, row: Mapping[str, Any]) -> bool:
    """As `owns`, for a row of a view whose owner stands in `field`; empty where rows are nobody's."""
    return caller.sees_all or not field or str(row.get(field) or "") == caller.subject != ""
