"""What the services of a system agree on, as documents that other tools read.

Contracts are data: no service imports another one's code, in whatever language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_json

from archgen.contracts.access_file import PATH as ACCESS
from archgen.contracts.access_file import access_document
from archgen.contracts.asyncapi import asyncapi
from archgen.contracts.openapi import openapi
from archgen.contracts.proto import Proto
from archgen.contracts.proto_numbers import Numbers, dumps
from archgen.contracts.proto_text import proto_text
from archgen.contracts.schema_files import command_schema, event_schema
from archgen.contracts.traffic import traffic
from archgen.contracts.yaml_text import Json, to_yaml
from archgen.spec.model import System

__all__ = ["PROTOS", "asyncapi", "contract_files", "numbers_path", "openapi"]

PROTOS = "contracts/proto"
_BUF: dict[str, Json] = {
    "version": "v2",
    "lint": {"use": ["STANDARD", "COMMENT_MESSAGE", "COMMENT_RPC", "COMMENT_SERVICE"]},
    # What was on the wire goes on meaning the same; names, which are not on it, may change.
    # What comes back as it was gets its old number, which then is not reserved any more.
    "breaking": {"use": ["WIRE"], "except": ["RESERVED_MESSAGE_NO_DELETE", "RESERVED_ENUM_NO_DELETE"]},
}
_HEADER = "# Generated from system.yaml by archgen; edit that file instead.\n"


def contract_files(
    system: System,
    documents: Mapping[str, dict[str, Any]] | None = None,
    protos: Mapping[str, Proto] | None = None,
    numbers: Mapping[str, Numbers] | None = None,
) -> tuple[tuple[str, str], ...]:
    """Every contract of `system` as (path below the project, text).

    `documents` are the OpenAPI documents by service, where the caller has them already, and `protos` the
    contracts of services that are asked over gRPC. `numbers` stay kept when no such contract is left.
    """
    documents = documents or {service: openapi(system, service) for service in system.services}
    files = [("contracts/asyncapi.yaml", _HEADER + to_yaml(asyncapi(system)))]
    files += [
        (f"contracts/openapi/{service}.yaml", _HEADER + to_yaml(document))
        for service, document in documents.items()
    ]
    flow = traffic(system)
    files += [
        (f"contracts/schemas/events/{event.name}.json", _json(event_schema(system, event)))
        for event in flow.events
    ]
    files += [
        (f"contracts/schemas/commands/{command.name}.json", _json(command_schema(system, command)))
        for command in flow.commands
    ]
    if system.auth is not None:
        files.append((ACCESS, _json(access_document(system))))
    files += _grpc_files(system, protos or {}, numbers or {})
    return tuple(files)


def _grpc_files(
    system: System, protos: Mapping[str, Proto], numbers: Mapping[str, Numbers]
) -> Iterator[tuple[str, str]]:
    for proto in protos.values():
        yield f"{PROTOS}/{proto.path}", proto_text(proto)
    for service, kept in (dict(numbers) | {name: proto.numbers for name, proto in protos.items()}).items():
        yield numbers_path(system, service), dumps(kept)
    if protos:
        yield f"{PROTOS}/buf.yaml", _HEADER + to_yaml(_BUF)


def numbers_path(system: System, service: str) -> str:
    """The file in which the numbers of the contract of `service` are kept, below the project."""
    return f"{PROTOS}/{system.system}/{service}/v1/{service}.numbers.json"


def _json(value: dict[str, Any]) -> str:
    return to_json(value, indent=2).decode() + "\n"
