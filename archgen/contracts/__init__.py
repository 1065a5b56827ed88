"""What the services of a system agree on, as documents that other tools read.

Contracts are data: no service imports another one's code, in whatever language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from archgen.contracts.access_file import PATH as ACCESS
from archgen.contracts.access_file import access_document
from archgen.contracts.asyncapi import asyncapi
from archgen.contracts.openapi import openapi
from archgen.contracts.schema_files import command_schema, event_schema
from archgen.contracts.traffic import traffic
from archgen.contracts.yaml_text import to_yaml
from archgen.spec.model import System

__all__ = ["asyncapi", "contract_files", "openapi"]

_HEADER = "# Generated from system.yaml by archgen; edit that file instead.\n"


def contract_files(
    system: System, documents: Mapping[str, dict[str, Any]] | None = None
) -> tuple[tuple[str, str], ...]:
    """Every contract of `system` as (path below the project, text).

    `documents` are the OpenAPI documents by service, where the caller has them already.
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
    return tuple(files)


def _json(value: dict[str, Any]) -> str:
    return to_json(value, indent=2).decode() + "\n"
