"""The calls of a service to others: typed clients, and tests of them against a peer that goes away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from archgen.contracts.examples import example
from archgen.escape import py
from archgen.languages.python_domain import needed_by
from archgen.languages.python_format import list_of, tuple_of
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout, unique
from archgen.languages.python_types import annotation, imports, literal
from archgen.spec.facts import id_type
from archgen.spec.model import Fallback
from archgen.spec.names import kebab, snake


def functions(layout: Layout) -> dict[str, str]:
    """The client function of each call, by the call's `service.view`."""
    taken: set[str] = {"quote"}
    found: dict[str, str] = {}
    for reference in layout.service.calls:
        peer, _, view = reference.partition(".")
        taken.add(function := unique(f"{snake(peer)}_{view}", taken, "_"))
        found[reference] = function
    return found


def clients(layout: Layout) -> dict[str, Any]:
    """The context of generated/clients.py."""
    wanted: set[Import] = {
        ("chassis.http_client", "Peer"),
        ("chassis.last_known", "Answer"),
        ("urllib.parse", "quote"),
    }
    entries = []
    for reference, function in functions(layout).items():
        peer, _, view = reference.partition(".")
        aggregate = layout.system.services[peer].aggregates[layout.system.services[peer].views[view].of]
        kind = id_type(aggregate)
        wanted |= imports([kind], layout.package)
        entries.append(
            {
                "function": function,
                "peer": peer,
                "view": view,
                "key": unique(aggregate.id, {"peer", "path", "str", "quote"}, "_"),
                "annotation": annotation(kind),
                "key_example": (key := example(layout.system, kind, aggregate.id)),
                "example": literal(layout.system, kind, key),
                "path": f"/{kebab(view)}/",
                "last_known": layout.service.calls[reference].fallback is Fallback.LAST_KNOWN,
            }
        )
    return {"imports": layout.imports(wanted), "calls": entries}


def clients_test(layout: Layout, calls: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    """The context of tests/test_clients.py; `calls` are those of generated/clients.py."""
    wanted: set[Import] = {
        ("json", ""),
        ("collections.abc", "Awaitable"),
        ("collections.abc", "Callable"),
        ("collections.abc", "Iterator"),
        ("contextlib", "contextmanager"),
        ("dataclasses", "replace"),
        ("http.server", "BaseHTTPRequestHandler"),
        ("http.server", "ThreadingHTTPServer"),
        ("threading", "Thread"),
        ("typing", "Any"),
        ("pytest", ""),
        ("chassis.http_client", "Peer"),
        ("chassis.http_client", "PeerRefused"),
        ("chassis.http_client", "PeerUnavailable"),
        ("chassis.last_known", "Answer"),
        ("chassis.retry", "Retry"),
        (f"{layout.package}.generated", "clients"),
        (f"{layout.package}.generated.wiring", "POLICIES"),
    }
    wanted |= needed_by(call["example"] for call in calls)
    cases = [
        tuple_of(
            [
                py(call["peer"]),
                f"clients.{call['function']}",
                call["example"],
                py(call["path"] + quote(call["key_example"], safe="")),
                py(call["last_known"]),
            ]
        )
        for call in calls
    ]
    return {"imports": layout.imports(wanted), "cases": list_of(cases)}
