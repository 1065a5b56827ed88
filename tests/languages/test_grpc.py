"""What a service in Python has because of calls over gRPC."""

from __future__ import annotations

import json
import re

import pytest

from archgen.contracts.proto import protos
from archgen.contracts.proto_descriptor import descriptor
from archgen.observability.objectives import FAULTS
from archgen.plan import plan
from archgen.render import TEMPLATES, render
from archgen.spec import loads

SPEC = """
archgen: 1
system: shop
services:
  stock:
    aggregates:
      Thing: {fields: {name: string}, commands: {make: {emits: thing.made}}}
      Shelf: {id: code, fields: {code: string}, commands: {build: {emits: shelf.built}}}
    views:
      things_here: {of: Thing, from: [thing.*]}
      shelves_here: {of: Shelf, from: [shelf.*]}
      unasked: {of: Shelf, from: [shelf.*]}
  orders:
    aggregates: {Order: {commands: {place: {emits: order.placed}}}}
    calls:
      stock.things_here: {via: VIA, fallback: last_known}
      stock.shelves_here: {via: VIA}
  idle:
    aggregates: {Rest: {commands: {begin: {emits: rest.begun}}}}
"""


def files_of(via: str) -> dict[str, str]:
    return {file.path: file.contents.decode() for file in render(plan(loads(SPEC.replace("VIA", via))))}


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return files_of("grpc")


STOCK, ORDERS = "services/stock/src/stock/generated/", "services/orders/src/orders/generated/"


def test_both_sides_have_the_contract_and_nobody_else(files: dict[str, str]) -> None:
    proto = descriptor(protos(loads(SPEC.replace("VIA", "grpc")), {})["stock"])
    found = [path for path in files if "/grpc/" in path]
    assert found == [f"{ORDERS}grpc/stock.json", f"{STOCK}grpc/stock.json"]
    assert all(json.loads(files[path]) == proto for path in found)
    assert f"{ORDERS}rpcs.py" in files
    assert "services/idle/src/idle/generated/rpcs.py" not in files


def test_what_is_asked_for_is_served_and_the_rest_is_not(files: dict[str, str]) -> None:
    code = files[f"{STOCK}rpcs.py"]
    assert 'ServedView(_stock_contract.method("GetThingsHere"), "things_here", UUID),' in code
    assert 'ServedView(_stock_contract.method("GetShelvesHere"), "shelves_here"),' in code
    assert "unasked" not in code
    assert "rpcs=rpcs.SERVED," in files[f"{STOCK}wiring.py"]


def test_the_callers_code_is_the_same_for_both_protocols(files: dict[str, str]) -> None:
    def signatures(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("async def")]

    other = files_of("rest")
    assert signatures(files[f"{ORDERS}clients.py"]) == signatures(other[f"{ORDERS}clients.py"])
    assert 'peer.ask(rpcs.STOCK_THINGS_HERE, asked, fallback="last_known")' in files[f"{ORDERS}clients.py"]
    assert 'grpc_peers=("stock",),' in files[f"{ORDERS}wiring.py"]
    assert 'peers=("stock",),' in other[f"{ORDERS}wiring.py"].replace("grpc_peers", "")
    yours = {path for path in files if path.startswith("services/") and "generated" not in path}
    assert {path for path in yours if files[path] != other.get(path)} == {
        "services/orders/tests/test_grpc_clients.py"
    }


def test_ports_and_addresses_come_from_one_allocator(files: dict[str, str]) -> None:
    said = dict(
        line.split("=", 1) for line in files[".env.example"].splitlines() if "=" in line and line[0] != "#"
    )
    assert said["STOCK_GRPC_URL"] == f"grpc://127.0.0.1:{said['STOCK_GRPC_PORT']}"
    assert "ORDERS_GRPC_PORT" not in said
    numbers = [value for name, value in said.items() if name.endswith("_PORT")]
    assert len(numbers) == len(set(numbers))
    assert "GRPC_PORT=$STOCK_GRPC_PORT " in files["Procfile"]


def test_a_port_that_somebody_has_is_given_to_nobody_else() -> None:
    spec = SPEC.replace("VIA", "grpc").replace("  idle:\n", "  idle:\n    port: 7101\n")
    said = {file.path: file.contents.decode() for file in render(plan(loads(spec)))}[".env.example"]
    assert "STOCK_GRPC_PORT=7102" in said


def test_codes_that_speak_against_a_service_are_those_of_the_chassis() -> None:
    edge = (TEMPLATES / "python/chassis/src/chassis/rpc/edge.py").read_text("utf-8")
    part = edge[edge.index("FAULTS = ") : edge.index("class Edge")]
    assert set(FAULTS.split("|")) == set(re.findall(r"StatusCode\.(\w+)", part))
