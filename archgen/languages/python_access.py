"""Who may reach a service's operations, as data of the service: generated/access.py."""

from __future__ import annotations

from archgen.contracts.access import Access, access, audience, signs_in
from archgen.escape import py
from archgen.languages.python_format import call, dict_of
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.plan_types import Code
from archgen.spec.auth import registration
from archgen.spec.model import Auth
from archgen.spec.names import snake


def account_routes(layout: Layout, wanted: set[Import]) -> list[Code]:
    """The statement that puts the routes for signing in onto the router, where users do so."""
    if not signs_in(layout.system, layout.name):
        return []
    wanted |= {("chassis.security.http", "add_accounts"), (f"{layout.package}.generated", "access")}
    return [call("add_accounts", [("", "router"), ("", "access.ACCOUNTS")])]


def access_file(layout: Layout) -> dict[str, object]:
    """The context of generated/access.py."""
    auth = layout.system.auth
    assert auth is not None
    wanted: set[Import] = {("chassis.security", name) for name in ("Rule", "Security")}
    rules = {rule.operation: _rule(rule) for rule in access(layout.system, layout.name)}
    assigned: list[tuple[str, Code]] = []
    arguments = [
        ("system", py(layout.system.system)),
        ("service", py(layout.name)),
        ("audience", py(audience(layout.system))),
        ("issuer", _issuer(auth, wanted)),
        ("roles", _set(auth.roles)),
        ("staff", _set(auth.staff)),
        ("rules", "RULES"),
        ("calls", py(layout.peers)),
    ]
    if signs_in(layout.system, layout.name):
        assigned.append(("ACCOUNTS", _accounts(layout, auth, wanted)))
        arguments.append(("accounts", "ACCOUNTS"))
    assigned.append((Code("RULES: dict[str, Rule]"), dict_of(rules)))
    assigned.append(("SECURITY", call("Security", arguments)))
    return {"imports": layout.imports(wanted), "assigned": assigned}


def _rule(rule: Access) -> Code:
    arguments: list[tuple[str, str]] = []
    if rule.roles:
        arguments.append(("roles", _set(rule.roles)))
    if rule.callers:
        arguments.append(("callers", _set(rule.callers)))
    if rule.public:
        arguments.append(("public", py(True)))
    if rule.does:
        arguments.append(("does", py(rule.does)))
    return call("Rule", arguments)


def _issuer(auth: Auth, wanted: set[Import]) -> Code:
    if auth.service:
        wanted.add(("chassis.security", "OwnIssuer"))
        return call("OwnIssuer", [("", py(auth.service))])
    wanted.add(("chassis.security", "ExternalIssuer"))
    return call("ExternalIssuer", [("", py(auth.issuer)), ("roles_claim", py(auth.roles_claim))])


def _accounts(layout: Layout, auth: Auth, wanted: set[Import]) -> Code:
    found = registration(layout.system)
    assert found is not None
    wanted |= {("chassis.security", "Accounts")}
    wanted |= {(f"{layout.package}.generated", name) for name in ("aggregates", "use_cases")}
    return call(
        "Accounts",
        [
            ("account", f"aggregates.{snake(auth.account).upper()}"),
            ("register", f"use_cases.{found[0].partition('.')[2].upper()}"),
            ("access", py(auth.access)),
            ("refresh", py(auth.refresh)),
        ],
    )


def _set(names: tuple[str, ...]) -> Code:
    return Code(f"frozenset({{{', '.join(map(py, names))}}})" if names else "frozenset()")
