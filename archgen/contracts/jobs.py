"""The operations on a service's jobs in its OpenAPI document: enqueue one, and ask about it."""

from __future__ import annotations

from typing import Any

from archgen.contracts.examples import example_fields
from archgen.contracts.json_schema import COMPONENTS, Schema, field_schema, object_schema
from archgen.contracts.problems import operation_problems
from archgen.spec.fieldtypes import FieldType, Scalar
from archgen.spec.model import Job, Service, System
from archgen.spec.names import kebab, title

TAG = "jobs"
STATE_PATH = "/jobs/{id}"
_STATE = "job.state"
_ACCEPTED = "job.accepted"
_ID: Schema = {"type": "string", "format": "uuid"}
_TIME = FieldType(scalar=Scalar.TIMESTAMP)


def enqueue_path(name: str) -> str:
    return f"/jobs/{kebab(name)}"


def job_paths(system: System, service: Service) -> dict[str, Any]:
    """The paths; none for a service without jobs."""
    if not service.jobs:
        return {}
    paths = {enqueue_path(name): {"post": _enqueue(system, name, job)} for name, job in service.jobs.items()}
    parameter = {"name": "id", "in": "path", "required": True, "schema": _ID}
    ok = {"description": "The job.", "content": _json(_STATE)}
    state = {
        "operationId": "get.job",
        "tags": [TAG],
        "summary": "How far a job is",
        "description": "Answers 404 once a job was done long enough ago to be removed.",
        "parameters": [parameter],
        "responses": {"200": ok, **operation_problems(404, 422, 500, 503)},
    }
    return {**paths, STATE_PATH: {"get": state}}


def job_schemas(service: Service) -> dict[str, Schema]:
    """The named schemas that the paths refer to."""
    if not service.jobs:
        return {}
    status = {"type": "string", "enum": ["waiting", "ready", "running", "done", "failed"]}
    time = field_schema(_TIME, COMPONENTS)
    finished = field_schema(_TIME.model_copy(update={"optional": True}), COMPONENTS)
    properties: dict[str, Schema] = {
        "id": _ID,
        "job": {"type": "string"},
        "status": status,
        "attempt": {"type": "integer", "minimum": 0, "description": "Attempts begun."},
        "error": {"type": "string", "description": "Why the last attempt failed."},
        "enqueued_at": time,
        "finished_at": finished,
    }
    bodies = {f"job.{name}": _body(job) for name, job in service.jobs.items() if _body(job)}
    return bodies | {
        _STATE: _closed(properties),
        _ACCEPTED: _closed({"id": _ID, "status": status}),
    }


def _body(job: Job) -> Schema:
    if job.schedule:
        due = field_schema(_TIME, COMPONENTS) | {"description": "The time to do it for; now when left out."}
        return {"type": "object", "properties": {"due": due}, "additionalProperties": False}
    return object_schema(job.takes, COMPONENTS) if job.takes else {}


def _closed(properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _enqueue(system: System, name: str, job: Job) -> dict[str, Any]:
    accepted = {
        "description": "Enqueued; a worker does it.",
        "headers": {"Location": {"description": "Where its state is told.", "schema": {"type": "string"}}},
        "content": _json(_ACCEPTED),
    }
    operation: dict[str, Any] = {
        "operationId": f"job.{name}",
        "tags": [TAG],
        "summary": f"Enqueue {title(name).lower()}",
        "parameters": [{"$ref": "#/components/parameters/idempotency_key"}],
        "responses": {"202": accepted, **operation_problems(400, 409, 413, 415, 422, 500, 503)},
    }
    if _body(job):
        typical = {} if job.schedule else example_fields(system, job.takes)
        required = any(not field.optional for field in job.takes.values())
        media = {"schema": {"$ref": f"{COMPONENTS}job.{name}"}, "examples": {"typical": {"value": typical}}}
        operation["requestBody"] = {"content": {"application/json": media}, "required": required}
    return operation


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"{COMPONENTS}{schema}"}}}
