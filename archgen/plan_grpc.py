"""What a project has because its services ask each other over gRPC: tests of calls and contracts."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.contracts.examples import example_fields
from archgen.escape import py
from archgen.languages.python_calls import functions
from archgen.languages.python_format import formatted, list_of, tuple_of
from archgen.languages.python_imports import Import, block
from archgen.languages.python_layout import Layout
from archgen.plan_types import Copy, Item, Template
from archgen.render import TEMPLATES
from archgen.spec.calls import over_grpc
from archgen.spec.model import Fallback, Via
from archgen.spec.names import collection

_CALLS: set[Import] = {
    ("asyncio", ""),
    ("time", ""),
    ("collections.abc", "Awaitable"),
    ("collections.abc", "Callable"),
    ("contextlib", "suppress"),
    ("dataclasses", "replace"),
    ("functools", "partial"),
    ("typing", "Any"),
    ("uuid", "uuid4"),
    ("grpc", ""),
    ("httpx", ""),
    ("pytest", ""),
    ("chassis.breaker", "State"),
    ("chassis.http_client", "Peer"),
    ("chassis.http_client", "PeerRefused"),
    ("chassis.http_client", "PeerUnavailable"),
    ("chassis.last_known", "Answer"),
    ("chassis.policy", "BreakerPolicy"),
    ("chassis.policy", "Policy"),
    ("chassis.retry", "Retry"),
    ("chassis.testing", "System"),
}


def grpc_items(layouts: list[Layout]) -> Iterator[Item]:
    """Tests of the whole system; nothing where no call goes over gRPC."""
    system = layouts[0].system if layouts else None
    served = [name for name in system.services if over_grpc(system, name)] if system else []
    if not served:
        return
    wanted = set(_CALLS)
    cases = [case for layout in layouts for case in _cases(layout, wanted)]
    yield Template(
        "tests/test_grpc_calls.py",
        "system/tests/test_grpc_calls.py.jinja",
        {
            "python": formatted,
            "imports": block(wanted, layouts[0].index.packages),
            "cases": list_of(cases),
            "served": served,
        },
    )
    yield Copy("tests/test_grpc_contracts.py", TEMPLATES / "system" / "tests" / "test_grpc_contracts.py")


def _cases(layout: Layout, wanted: set[Import]) -> Iterator[str]:
    """A case per call over gRPC: whom it asks, and what must have been posted there for an answer."""
    system, package = layout.system, layout.package
    for reference, function in functions(layout).items():
        call = layout.service.calls[reference]
        if call.via is not Via.GRPC:
            continue
        peer, _, view = reference.partition(".")
        name = system.services[peer].views[view].of
        aggregate = system.services[peer].aggregates[name]
        creating = next(command for command in aggregate.commands.values() if command.creates)
        takes = {each: kind for each, kind in creating.takes.items() if each != aggregate.id}
        clients, wiring = f"{package}_clients", f"{package}_wiring"
        wanted |= {
            (f"{package}.generated", f"clients as {clients}"),
            (f"{package}.generated", f"wiring as {wiring}"),
        }
        yield tuple_of(
            [
                py(layout.name),
                py(peer),
                py(f"/{collection(name)}"),
                py(aggregate.id),
                py(example_fields(system, takes)),
                f"{clients}.{function}",
                f"{wiring}.POLICIES[{py(peer)}]",
                py(call.fallback is Fallback.LAST_KNOWN),
            ]
        )
