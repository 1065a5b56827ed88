"""The gateway: the only way in, and only for what is meant for the outside.

One table holds every public operation; what is not in it is not found. Health, metrics and the
contract are not in it, nor are commands that sagas give.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from archgen.contracts.access import access
from archgen.contracts.addresses import Kind, Route, routes
from archgen.spec.model import Orchestration, System
from archgen.spec.names import kebab


@dataclass(frozen=True)
class Public:
    """An operation that may be asked for from outside; `pattern` is a regular expression of its path."""

    method: str
    pattern: str
    service: str


def public(system: System) -> list[Public]:
    """The table, service by service: what is allowed to somebody, where the description says who may what."""
    if system.auth is not None:
        return [
            Public(_methods(rule.method), _pattern(name, rule.path), name)
            for name in system.services
            for rule in access(system, name)
            if rule.open
        ]
    inner = internal_commands(system)
    return [
        Public(_methods(route.method), _pattern(name, route.path), name)
        for name, service in system.services.items()
        for route in routes(service)
        if not (_is_command(route) and f"{name}.{route.name}" in inner)
    ]


def internal_commands(system: System) -> set[str]:
    """Commands, as `service.command`, that only sagas give: steps, their undoing, and the last one.

    What a reaction does may be asked for by people, too: an order is made from a basket, or directly.
    """
    return set(_given(system))


def _given(system: System) -> Iterator[str]:
    for saga in system.sagas.values():
        for step in saga.steps:
            yield step.do
        if isinstance(saga, Orchestration):
            yield from (step.undo for step in saga.steps)
            yield from (saga.then, saga.otherwise)


def _is_command(route: Route) -> bool:
    return route.kind in (Kind.CREATE, Kind.COMMAND)


def _methods(method: str) -> str:
    return "POST" if method == "post" else "(GET|HEAD)"


def _pattern(service: str, path: str) -> str:
    """`/orders/{order_id}` of orders as seen from outside: below /api/orders, an id being one segment."""
    escaped = path.replace(".", r"\.")
    return f"/api/{kebab(service)}{re.sub(r'[{][^}]*[}]', '[^/]+', escaped)}"
