"""The calls of a service to others: typed clients, and tests of them against a peer that goes away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from archgen.contracts.examples import example, example_fields
from archgen.escape import py
from archgen.languages.python_domain import needed_by
from archgen.languages.python_format import list_of, tuple_of
from archgen.languages.python_grpc import RPCS, methods
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.languages.python_types import annotation, imports, literal
from archgen.spec.facts import id_type
from archgen.spec.model import Fallback, Via
from archgen.spec.names import kebab, snake, unique


def functions(layout: Layout) -> dict[str, str]:
    """The client function of each call, by the call's `service.view`."""
    taken: set[str] = {"quote", RPCS}
    found: dict[str, str] = {}
    for reference in layout.service.calls:
        peer, _, view = reference.partition(".")
        taken.add(function := unique(f"{snake(peer)}_{view}", taken, "_"))
        found[reference] = function
    return found


def clients(layout: Layout) -> dict[str, Any]:
    """The context of generated/clients.py."""
    wanted: set[Import] = {("chassis.http_client", "Peer"), ("chassis.last_known", "Answer")}
    entries = []
    for reference, function in functions(layout).items():
        peer, _, view = reference.partition(".")
        aggregate = layout.system.services[peer].aggregates[layout.system.services[peer].views[view].of]
        kind = id_type(aggregate)
        wanted |= imports([kind], layout.package)
        grpc = layout.service.calls[reference].via is Via.GRPC
        wanted.add((f"{layout.package}.generated", RPCS) if grpc else ("urllib.parse", "quote"))
        entries.append(
            {
                "function": function,
                "peer": peer,
                "view": view,
                "key": unique(aggregate.id, {"peer", "path", "asked", "str", "quote", RPCS}, "_"),
                "id": aggregate.id,
                "method": f"{RPCS}.{methods(layout)[reference]}" if grpc else "",
                "row": example_fields(layout.system, {aggregate.id: kind, **aggregate.fields})
                | {"version": 3},
                "annotation": annotation(kind),
                "key_example": (key := example(layout.system, kind, aggregate.id)),
                "example": literal(layout.system, kind, key),
                "path": f"/{kebab(view)}/",
                "last_known": layout.service.calls[reference].fallback is Fallback.LAST_KNOWN,
            }
        )
    return {"imports": layout.imports(wanted), "calls": entries}


_TESTING: set[Import] = {
    ("collections.abc", "Awaitable"),
    ("collections.abc", "Callable"),
    ("dataclasses", "replace"),
    ("typing", "Any"),
    ("pytest", ""),
    ("chassis.http_client", "Peer"),
    ("chassis.http_client", "PeerRefused"),
    ("chassis.http_client", "PeerUnavailable"),
    ("chassis.last_known", "Answer"),
    ("chassis.retry", "Retry"),
}
_OVER_HTTP: set[Import] = {
    ("json", ""),
    ("collections.abc", "Iterator"),
    ("contextlib", "contextmanager"),
    ("http.server", "BaseHTTPRequestHandler"),
    ("http.server", "ThreadingHTTPServer"),
    ("threading", "Thread"),
}
_OVER_GRPC: set[Import] = {
    ("collections.abc", "AsyncIterator"),
    ("collections.abc", "Mapping"),
    ("contextlib", "asynccontextmanager"),
    ("chassis.errors", "NotFound"),
    ("chassis.rpc", "Method"),
    ("chassis.testing.rpc", "peer_answering"),
}


def clients_tests(layout: Layout, calls: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The contexts of tests/test_clients.py and test_grpc_clients.py, as far as there are such calls.

    `calls` are those of generated/clients.py.
    """
    rest = [one for one in calls if not one["method"]]
    grpc = [one for one in calls if one["method"]]
    found: dict[str, dict[str, Any]] = {}
    if rest:
        paths = [py(one["path"] + quote(one["key_example"], safe="")) for one in rest]
        found["clients"] = _tests(layout, rest, [[path] for path in paths], _OVER_HTTP)
    if grpc:
        wanted = {*_OVER_GRPC, (f"{layout.package}.generated", RPCS)}
        found["grpc_clients"] = _tests(
            layout, grpc, [[one["method"], py(one["row"])] for one in grpc], wanted
        )
    return found


def _tests(
    layout: Layout, calls: list[Mapping[str, Any]], inside: list[list[Any]], more: set[Import]
) -> dict[str, Any]:
    """`inside` is what a case has between the key and whether the last known answer may stand in."""
    wanted = _TESTING | more
    wanted |= {(f"{layout.package}.generated", "clients"), (f"{layout.package}.generated.wiring", "POLICIES")}
    wanted |= needed_by(one["example"] for one in calls)
    cases = [
        tuple_of(
            [py(one["peer"]), f"clients.{one['function']}", one["example"], *parts, py(one["last_known"])]
        )
        for one, parts in zip(calls, inside, strict=True)
    ]
    return {"imports": layout.imports(wanted), "cases": list_of(cases)}
