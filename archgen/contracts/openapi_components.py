"""What the operations of an OpenAPI document share: schemas and parameters."""

from __future__ import annotations

from typing import Any

from archgen.contracts.accounts import account_schemas
from archgen.contracts.agents import agent_schemas
from archgen.contracts.jobs import job_schemas
from archgen.contracts.json_schema import COMPONENTS, MAX_INTEGER, Schema, definitions, object_schema
from archgen.contracts.problems import PROBLEM, problem_schema
from archgen.spec.facts import id_type
from archgen.spec.model import Aggregate, Command, FieldType, Scalar, System

HEALTH = "health"

_VERSION: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_INTEGER,
    "description": "Counts the changes of the aggregate; a reader sees by it how fresh its copy is.",
}


def schemas(system: System, service_name: str) -> dict[str, Schema]:
    """The named schemas of a service's document.

    Names with a dot and in lower case can't clash with the types of the file, which are PascalCase.
    """
    service = system.services[service_name]
    found: dict[str, Schema] = {}
    used: list[FieldType] = []
    for name, aggregate in service.aggregates.items():
        identity = {aggregate.id: id_type(aggregate)}
        state = identity | aggregate.fields
        used += state.values()
        found[f"{name}.state"] = _versioned(state)
        found[f"{name}.accepted"] = _versioned(identity)
        for command_name, command in aggregate.commands.items():
            used += command.takes.values()
            if body_fields(aggregate, command):
                found[f"{name}.{command_name}"] = _body(aggregate, command)
    for name, view in service.views.items():
        aggregate = service.aggregates[view.of]
        found[f"{name}.row"] = _row(aggregate)
        found[f"{name}.page"] = _page(name)
    used += [field for job in service.jobs.values() for field in job.takes.values()]
    found |= job_schemas(service) | agent_schemas(service) | account_schemas(system, service_name)
    found[PROBLEM] = problem_schema()
    found[HEALTH] = _health()
    return definitions(system, used, COMPONENTS) | found


def body_fields(aggregate: Aggregate, command: Command) -> dict[str, FieldType]:
    """What is posted: the arguments, and the id of what is to be created; other ids are in the path."""
    arguments = {name: field for name, field in command.takes.items() if name != aggregate.id}
    return {aggregate.id: id_type(aggregate)} | arguments if command.creates else arguments


def _body(aggregate: Aggregate, command: Command) -> Schema:
    schema = object_schema(body_fields(aggregate, command), COMPONENTS)
    if command.creates and id_type(aggregate).scalar is Scalar.UUID:
        schema["properties"][aggregate.id]["description"] = "Chosen by the service when left out."
        schema["required"] = [name for name in schema["required"] if name != aggregate.id]
    owner = aggregate.owned_by
    if command.creates and owner in schema["properties"]:
        about = "Yours when left out; staff say whose."
        schema["properties"][owner] = {**schema["properties"][owner], "description": about}
        schema["required"] = [name for name in schema["required"] if name != owner]
    return schema


def _versioned(fields: dict[str, FieldType]) -> Schema:
    schema = object_schema(fields, COMPONENTS)
    schema["properties"]["version"] = _VERSION
    return schema | {"required": [*schema.get("required", []), "version"]}


def _row(aggregate: Aggregate) -> Schema:
    """Which fields a row has depends on the events seen so far, so only its key is certain."""
    schema = _versioned({aggregate.id: id_type(aggregate)} | aggregate.fields)
    return schema | {"required": [aggregate.id, "version"]}


def _page(view: str) -> Schema:
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": f"{COMPONENTS}{view}.row"}},
            "next": {"type": "string", "description": "Pass it as `after`; empty on the last page."},
        },
        "required": ["items", "next"],
        "additionalProperties": False,
    }


def _health() -> Schema:
    check = {"type": "string", "enum": ["ok", "failed", "timeout"]}
    return {
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["live", "ready", "not ready", "draining"]},
            "checks": {"type": "object", "additionalProperties": check},
        },
        "required": ["status"],
        "additionalProperties": False,
    }


def parameters() -> dict[str, Any]:
    """The shared parameters."""
    return {
        "idempotency_key": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key and body get the first answer again; nothing is done twice.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        },
        "if_match": {
            "name": "If-Match",
            "in": "header",
            "required": False,
            "description": "Do it only at this version, an ETag; else 412, and nothing is tried again.",
            "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[^"]*"(, *(W/)?"[^"]*")*)$'},
            "example": '"3"',
        },
        "min_version": {
            "name": "min_version",
            "in": "query",
            "required": False,
            "description": "Wait until the row shows at least this version, which a command answered; "
            "503 when that takes too long.",
            "schema": {"type": "integer", "minimum": 0, "default": 0},
        },
        "limit": {
            "name": "limit",
            "in": "query",
            "required": False,
            "description": "How many rows to answer at most.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
        },
        "after": {
            "name": "after",
            "in": "query",
            "required": False,
            "description": "The key that the page starts behind: `next` of the page before.",
            "schema": {"type": "string"},
        },
    }


def headers() -> dict[str, Any]:
    """The shared response headers."""
    about = "The aggregate's version in quotes; send it back as If-Match."
    return {"etag": {"description": about, "schema": {"type": "string", "pattern": '^"[0-9]+"$'}}}
