"""Who uses the shop, and what they may do in it. Pure.

How somebody proves who they are (passwords, tokens) is not part of it: the chassis sees to that, and
asks for roles and status here whenever it makes a token. The e-mail is what one signs in with; it stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from chassis.errors import Refused, existing
from users.generated.user import (
    Command,
    Deactivate,
    Deactivated,
    Event,
    GrantRole,
    ProfileUpdated,
    Register,
    Registered,
    RevokeRole,
    RoleGranted,
    RoleRevoked,
    UpdateProfile,
)

Role = Literal["customer", "clerk", "admin"]


@dataclass(frozen=True, kw_only=True)
class User:
    """The state of one User."""

    user_id: UUID
    name: str
    email: str
    phone: str
    roles: tuple[Role, ...]
    status: Literal["active", "deactivated"]


def decide(user: User | None, command: Command) -> list[Event]:
    """The events that `command` leads to; none when it asks for what is so already.

    Raises Refused when a rule says no, and NotFound for one that does not exist.
    """
    if isinstance(command, Register):
        return _register(user, command)
    user = existing(user, "User", command.user_id)
    if isinstance(command, Deactivate):
        if user.status == "deactivated":
            return []
        return [Deactivated(user_id=user.user_id, status="deactivated")]
    if user.status == "deactivated":
        raise Refused("this user is deactivated")
    match command:
        case UpdateProfile():
            return _update_profile(user, command)
        case GrantRole(role=role):
            if role in user.roles:
                return []
            return [RoleGranted(user_id=user.user_id, roles=(*user.roles, role))]
        case RevokeRole(role=role):
            if role not in user.roles:
                return []
            if user.roles == (role,):
                raise Refused("a user keeps at least one role; deactivate the user instead")
            return [RoleRevoked(user_id=user.user_id, roles=tuple(r for r in user.roles if r != role))]


def _register(user: User | None, command: Register) -> list[Event]:
    if user is not None:
        raise Refused("this user exists already")
    return [
        Registered(
            user_id=command.user_id,
            name=_named(command.name),
            email=command.email,
            phone="",
            roles=("customer",),
            status="active",
        )
    ]


def _update_profile(user: User, command: UpdateProfile) -> list[Event]:
    name = _named(command.name)
    if (name, command.phone) == (user.name, user.phone):
        return []
    return [ProfileUpdated(user_id=user.user_id, name=name, phone=command.phone)]


def _named(name: str) -> str:
    if not name.strip():
        raise Refused("a user needs a name")
    return name.strip()


def evolve(user: User | None, event: Event) -> User:
    """The state after `event`."""
    if isinstance(event, Registered):
        return User(
            user_id=event.user_id,
            name=event.name,
            email=event.email,
            phone=event.phone,
            roles=event.roles,
            status=event.status,
        )
    assert user is not None
    match event:
        case ProfileUpdated():
            return replace(user, name=event.name, phone=event.phone)
        case RoleGranted() | RoleRevoked():
            return replace(user, roles=event.roles)
        case Deactivated():
            return replace(user, status=event.status)
