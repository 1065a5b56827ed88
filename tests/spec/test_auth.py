"""Who may reach what, in the description: what is refused, and what is found."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads
from archgen.spec.auth import permissions, registration
from archgen.spec.findings import check

SHOP = """\
archgen: 1
system: shop
auth: {service: users, account: User, roles: [customer, clerk], staff: [clerk], access: 5m}
services:
  users:
    aggregates:
      User:
        owned_by: user_id
        fields: {email: email, roles: [customer|clerk], status: active|gone}
        commands:
          register: {takes: {email: email}, emits: user.registered}
          promote: {emits: user.promoted, allow: [clerk]}
  orders:
    aggregates:
      Order:
        owned_by: customer_id
        allow: [customer, clerk]
        fields: {customer_id: uuid, status: open|paid}
        commands:
          create: {takes: {customer_id: uuid}, emits: order.created, allow: [customer]}
          pay: {emits: order.paid, allow: [customer]}
    views:
      open_orders: {of: Order, from: [order.*], allow: [customer, clerk]}
"""
EXTERNAL = SHOP.replace(
    "auth: {service: users, account: User, roles: [customer, clerk], staff: [clerk], access: 5m}",
    "auth: {issuer: https://login.example.com/realms/shop, audience: shop, roles: [customer, clerk], staff: [clerk], roles_claim: realm_access.roles}",
).replace("emits: user.registered}", "emits: user.registered, allow: [clerk]}")


def problems(text: str) -> list[str]:
    with pytest.raises(SpecError) as refusal:
        loads(text, "s.yaml")
    return [str(each).removeprefix("s.yaml:").strip() for each in refusal.value.problems]


def findings(text: str) -> list[str]:
    return [f"{each.severity} {each.code}: {each.message}" for each in check(loads(text))]


def test_both_ways_to_sign_in_are_accepted() -> None:
    for text in (SHOP, EXTERNAL):
        assert not [each for each in findings(text) if not each.startswith("notice")]


def test_times_and_defaults() -> None:
    auth = loads(SHOP).auth
    assert auth is not None
    assert (auth.access, auth.refresh, auth.roles_claim) == (300.0, 30 * 86_400.0, "roles")


def test_public_is_a_word_and_roles_are_a_list() -> None:
    system = loads(
        SHOP.replace("order.paid, allow: [customer]", "order.paid")
        .replace("        owned_by: customer_id\n", "")
        .replace("from: [order.*], allow: [customer, clerk]", "from: [order.*], allow: public")
    )
    by_name = {each.name: each.allow for each in permissions(system)}
    assert (by_name["open_orders"], by_name["create"], by_name["pay"]) == (("public",), ("customer",), ())


def test_users_register_with_the_command_that_creates_the_account() -> None:
    found = registration(loads(SHOP))
    assert found is not None and found[0] == "users.register"
    assert registration(loads(EXTERNAL)) is None


REFUSED = [
    ("service: users, account: User, ", "", "3:1: auth: it does not say who signs users in (give `service` or `issuer`)"),
    ("access: 5m", "issuer: https://login.example.com", "3:81: auth.issuer: users can't sign in at two places (leave out `service` or `issuer`)"),
    ("access: 5m", "roles_claim: groups", "3:81: auth.roles_claim: `roles_claim` is for the tokens of an `issuer` (leave it out)"),
    ("service: users", "service: user", "3:17: auth.service: no service `user` (did you mean `users`?)"),
    ("account: User", "account: Usr", "3:33: auth.account: `users` has no aggregate `Usr` (did you mean `User`?)"),
    ("account: User, ", "", "3:1: auth: it does not say which aggregate of `users` is an account (give `account`: one of `User`)"),
    ("staff: [clerk]", "staff: [clark]", "3:73: auth.staff[0]: no role `clark` (did you mean `clerk`?)"),
    ("roles: [customer, clerk], staff", "roles: [customer, clerk, clerk], staff", "3:64: auth.roles[2]: `clerk` is listed twice (once is enough)"),
    ("access: 5m", "access: 5", "3:89: auth.access: expected a duration with its unit (for example `200ms`, `2s`, `5m`, `1h`)"),
    ("{email: email, roles", "{mail: email, roles", "3:33: auth.account: `User`, which users sign in as, has no field `email: email` (add it under `fields`)"),
    ("roles: [customer|clerk],", "roles: customer|clerk,", "3:33: auth.account: `User`, which users sign in as, has no field `roles`, a list (add `roles: [customer|clerk]` under `fields`)"),
    ("roles: [customer|clerk],", "roles: [customer|clerk|boss],", "9:39: services.users.aggregates.User.fields.roles: accounts can have the role `boss`, which `auth` does not know (one of `clerk`, `customer`)"),
    ("status: active|gone", "status: alive|gone", "9:65: services.users.aggregates.User.fields.status: who has another status than `active` can't sign in, and nobody can have that (add `active`, or rename the field)"),
    ("register: {takes: {email: email}", "register: {takes: {email: email, roles: [customer|clerk]}", "11:44: services.users.aggregates.User.commands.register.takes.roles: whoever registers with `register` would choose their own `roles` (let the domain decide on it)"),
    ("order.paid, allow: [customer]", "order.paid, allow: [custommer]", "21:44: services.orders.aggregates.Order.commands.pay.allow[0]: no role `custommer` (did you mean `customer`?)"),
    ("order.paid, allow: [customer]", "order.paid, allow: customer", "21:43: services.orders.aggregates.Order.commands.pay.allow: 'customer' is not who may reach it: expected `public` or a list of roles (for example `[customer, clerk]`)"),
    ("order.paid, allow: [customer]", "order.paid, allow: public", "21:43: services.orders.aggregates.Order.commands.pay.allow: what has an owner (`customer_id`) can't be everybody's (name the roles that may)"),
    ("order.paid, allow: [customer]", "order.paid, allow: [customer, public]", "21:54: services.orders.aggregates.Order.commands.pay.allow[1]: `public` is everybody already (write `allow: public`, or name roles)"),
    ("owned_by: customer_id", "owned_by: custommer_id", "16:19: services.orders.aggregates.Order.owned_by: `Order` has no field `custommer_id` (did you mean `customer_id`?)"),
    ("owned_by: customer_id", "owned_by: status", "16:19: services.orders.aggregates.Order.owned_by: `status` is `open|paid`, and an owner is known by the subject of their token (let it be a uuid or a string)"),
    ("create: {takes: {customer_id: uuid}, ", "create: {", "20:11: services.orders.aggregates.Order.commands.create: `create` creates `Order` and is not told its `customer_id` (add `customer_id: uuid` to what it takes)"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), REFUSED)
def test_refused(old: str, new: str, message: str) -> None:
    assert old in SHOP
    assert message in problems(SHOP.replace(old, new))


def test_roles_without_anybody_who_signs_in_are_refused() -> None:
    told = problems("".join(line for line in SHOP.splitlines(True) if not line.startswith("auth:")))
    assert all("add `auth:` to the system" in each for each in told)
    assert len(told) == 7


@pytest.mark.parametrize(
    "url",
    ["http://login.example.com", "https://", "login", "https://a b", "https://x/?q=1", "https://{{ 1 }}"],
)
def test_an_issuer_is_an_https_address(url: str) -> None:
    text = EXTERNAL.replace("https://login.example.com/realms/shop", f"'{url}'")
    assert any("expected an https address" in each for each in problems(text))


FOUND = [
    ("order.paid, allow: [customer]", "order.paid", "warning command-unreachable: nobody may give `orders.pay` over HTTP, and no saga, reaction or agent does"),
    ("from: [order.*], allow: [customer, clerk]", "from: [order.*]", "notice view-unreachable: nobody may read `orders.open_orders`, and no service calls it"),
    ("roles: [customer, clerk], staff", "roles: [customer, clerk, boss], staff", "notice role-unused: the role `boss` is allowed nothing"),
    ("roles: [customer, clerk], staff", "roles: [customer, clerk, boss], staff", "warning role-unheld: no account can have the role `boss`"),
    ("pay: {emits", "pay: {takes: {customer_id: uuid}, emits", "warning owner-changes: `pay` can hand over a `Order` to anybody"),
    ("promote: {emits", "promote: {takes: {email: email}, emits", "warning login-differs: `promote` changes the `email`, and one still signs in with the old one"),
    ("        fields: {customer_id: uuid, status: open|paid}\n", "        fields: {customer_id: uuid, status: open|paid}\n        events: {order.created: [status]}\n", "error owner-unknown: its rows have no `customer_id`, so their owners don't see them"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "finding"), FOUND)
def test_found(old: str, new: str, finding: str) -> None:
    assert old in SHOP
    assert finding not in findings(SHOP)
    assert finding in findings(SHOP.replace(old, new))


AGENT = """\
    calls: {users.people: {}}
    agents:
      helper: {goal: Help., tools: [users.people, pay], allow: [customer]}
"""


def test_an_agent_does_not_reach_further_than_whom_it_works_for() -> None:
    people = "    views:\n      people: {of: User, from: [user.*], allow: [clerk]}\n  orders:\n"
    text = SHOP.replace("  orders:\n", people) + AGENT
    assert (
        "warning agent-reaches-further: through `helper` a `customer` reads of `users.people` what they may not read themselves"
        in findings(text)
    )
    closed = text.replace("order.paid, allow: [customer]", "order.paid").replace(
        ", allow: [customer]}\n", "}\n"
    )
    told = findings(closed)
    assert "warning agent-closed: nobody may give `helper` a task" in told
    assert "warning agent-tool-closed: `pay` is allowed to nobody, so nobody can let `helper` do it" in told
