"""contracts/access.json: who may reach what in the whole system, for tools and tests."""

from __future__ import annotations

from typing import Any

from archgen.contracts.access import Access, access, audience
from archgen.contracts.addresses import Kind
from archgen.spec.model import System

PATH = "contracts/access.json"


def access_document(system: System) -> dict[str, Any]:
    """The document of a system that has `auth`.

    Of what is somebody's own, `kind` says how to try that out: `create`, `command`, `state`, `view_row` or
    `view_list`; it is empty for jobs, agents and signing in. `key` names the parameter in the path.
    """
    auth = system.auth
    assert auth is not None
    issuer = (
        {"service": auth.service} if auth.service else {"url": auth.issuer, "roles_claim": auth.roles_claim}
    )
    return {
        "system": system.system,
        "audience": audience(system),
        "issuer": issuer,
        "roles": list(auth.roles),
        "staff": list(auth.staff),
        "operations": [
            _operation(name, service.aggregates, rule)
            for name, service in system.services.items()
            for rule in access(system, name)
        ],
    }


def _operation(service: str, aggregates: Any, rule: Access) -> dict[str, Any]:
    route = rule.route
    return {
        "service": service,
        "method": rule.method.upper(),
        "path": rule.path,
        "kind": route.kind.value if route else "",
        "aggregate": route.aggregate if route else "",
        "key": aggregates[route.aggregate].id if route and route.kind is not Kind.VIEW_LIST else "",
        "roles": list(rule.roles),
        "callers": list(rule.callers),
        "public": rule.public,
        "owner": rule.owner,
    }
