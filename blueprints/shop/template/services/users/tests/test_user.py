"""User, given-when-then: given a state, when a command, then these events."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from chassis.errors import NotFound, Refused
from users.domain.user import User, decide, evolve
from users.generated.user import (
    Deactivate,
    Deactivated,
    GrantRole,
    ProfileUpdated,
    Register,
    Registered,
    RevokeRole,
    RoleGranted,
    RoleRevoked,
    UpdateProfile,
)

ID = UUID("c0ffee00-0000-4000-8000-000000000001")
REGISTER = Register(user_id=ID, name=" Ada Lovelace ", email="ada@example.org")
ADA = User(
    user_id=ID, name="Ada Lovelace", email="ada@example.org", phone="", roles=("customer",), status="active"
)
GONE = replace(ADA, status="deactivated")


def test_who_registers_is_a_customer() -> None:
    [event] = decide(None, REGISTER)
    assert isinstance(event, Registered)
    assert evolve(None, event) == ADA


def test_a_name_is_needed() -> None:
    with pytest.raises(Refused, match="name"):
        decide(None, replace(REGISTER, name="  "))


def test_registering_twice_is_refused() -> None:
    with pytest.raises(Refused, match="exists"):
        decide(ADA, REGISTER)


def test_a_profile_is_updated_and_its_roles_stay() -> None:
    [event] = decide(ADA, UpdateProfile(user_id=ID, name="Ada King", phone="+44"))
    assert isinstance(event, ProfileUpdated)
    assert evolve(ADA, event) == replace(ADA, name="Ada King", phone="+44")


def test_an_update_that_changes_nothing_is_no_event() -> None:
    assert decide(ADA, UpdateProfile(user_id=ID, name=ADA.name, phone=ADA.phone)) == []


def test_a_role_is_granted_once() -> None:
    grant = GrantRole(user_id=ID, role="clerk")
    [event] = decide(ADA, grant)
    assert event == RoleGranted(user_id=ID, roles=("customer", "clerk"))
    assert decide(evolve(ADA, event), grant) == []


def test_a_role_is_revoked_but_not_the_last_one() -> None:
    clerk = replace(ADA, roles=("customer", "clerk"))
    [event] = decide(clerk, RevokeRole(user_id=ID, role="clerk"))
    assert isinstance(event, RoleRevoked)
    assert evolve(clerk, event) == ADA
    with pytest.raises(Refused, match="at least one role"):
        decide(ADA, RevokeRole(user_id=ID, role="customer"))


def test_revoking_a_role_that_was_not_granted_is_no_event() -> None:
    assert decide(ADA, RevokeRole(user_id=ID, role="admin")) == []


def test_a_deactivated_user_changes_no_more() -> None:
    [event] = decide(ADA, Deactivate(user_id=ID))
    assert isinstance(event, Deactivated)
    assert evolve(ADA, event) == GONE
    assert decide(GONE, Deactivate(user_id=ID)) == []
    with pytest.raises(Refused, match="deactivated"):
        decide(GONE, GrantRole(user_id=ID, role="admin"))


def test_only_who_registered_can_be_changed() -> None:
    with pytest.raises(NotFound):
        decide(None, Deactivate(user_id=ID))
