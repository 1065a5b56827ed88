"""A service's gRPC side: what it answers, what it asks, and the contracts for both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from archgen.contracts.proto import Proto, rpc_name
from archgen.contracts.proto_descriptor import descriptor_text
from archgen.escape import py
from archgen.languages.python_format import call, tuple_of
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.plan_types import Code, Item, Text
from archgen.spec.calls import over_grpc, peers
from archgen.spec.facts import id_type
from archgen.spec.model import Scalar, Via
from archgen.spec.names import snake, unique

RPCS = "rpcs"


def grpc_items(layout: Layout, generated: Callable[..., Item], protos: Mapping[str, Proto]) -> Iterator[Item]:
    """The files that a service has because it answers or asks over gRPC."""
    contracts = _contracts(layout)
    source = f"services/{layout.name}/src/{layout.package}/generated"
    for name in contracts:
        yield Text(f"{source}/grpc/{name}.json", descriptor_text(protos[name]), kind="generated")
    if contracts:
        yield generated("rpcs.py", "rpcs.py.jinja", **_rpcs(layout, contracts))


def served(layout: Layout, wanted: set[Import]) -> str:
    """The tuple of what the service answers over gRPC, for its wiring; empty for nothing."""
    if not over_grpc(layout.system, layout.name):
        return ""
    wanted.add((f"{layout.package}.generated", RPCS))
    return f"{RPCS}.SERVED"


def methods(layout: Layout) -> dict[str, str]:
    """The variable in `rpcs` of the method that each call over gRPC goes to, by `service.view`."""
    taken = {"SERVED"}
    found: dict[str, str] = {}
    for reference, one in layout.service.calls.items():
        if one.via is Via.GRPC:
            taken.add(name := unique(snake(reference).upper(), taken, "_"))
            found[reference] = name
    return found


def _contract(service: str) -> str:
    return f"_{snake(service)}_contract"


def _contracts(layout: Layout) -> list[str]:
    own = [layout.name] if over_grpc(layout.system, layout.name) else []
    return [*own, *peers(layout.service, Via.GRPC)]


def _rpcs(layout: Layout, contracts: list[str]) -> dict[str, Any]:
    wanted: set[Import] = {("pathlib", "Path"), ("chassis.rpc", "contract")}
    assigned: list[tuple[str, Code]] = [("_FOLDER", Code('Path(__file__).with_name("grpc")'))]
    for name in contracts:
        path = f"_FOLDER / {py(f'{name}.json')}"
        assigned.append((_contract(name), call("contract", [("", path)])))
    for reference, variable in methods(layout).items():
        peer, _, view = reference.partition(".")
        assigned.append((variable, Code(f"{_contract(peer)}.method({py(rpc_name(view))})")))
    entries = []
    for view in over_grpc(layout.system, layout.name):
        wanted.add(("chassis.rpc", "ServedView"))
        aggregate = layout.service.aggregates[layout.service.views[view].of]
        arguments = [("", f"{_contract(layout.name)}.method({py(rpc_name(view))})"), ("", py(view))]
        if id_type(aggregate).scalar is Scalar.UUID:
            wanted.add(("uuid", "UUID"))
            arguments.append(("", "UUID"))
        entries.append(call("ServedView", arguments))
    if entries:
        assigned.append(("SERVED", tuple_of(entries)))
    return {"imports": layout.imports(wanted), "assigned": assigned}
