"""One OpenAPI 3.1 document per service."""

from __future__ import annotations

from typing import Any

from archgen.contracts.access import Access, access, signs_in
from archgen.contracts.accounts import TAG as ACCOUNTS_TAG
from archgen.contracts.accounts import account_paths
from archgen.contracts.addresses import Kind, Route, routes
from archgen.contracts.agents import TAG as AGENTS_TAG
from archgen.contracts.agents import agent_paths
from archgen.contracts.examples import example, example_fields
from archgen.contracts.jobs import TAG as JOBS_TAG
from archgen.contracts.jobs import job_paths
from archgen.contracts.json_schema import COMPONENTS, field_schema
from archgen.contracts.openapi_components import HEALTH, body_fields, headers, parameters, schemas
from archgen.contracts.problems import GUARDED, operation_problems, problem_responses
from archgen.spec.facts import id_type
from archgen.spec.fieldtypes import FieldType
from archgen.spec.model import Aggregate, Service, System
from archgen.spec.names import title

_OPERATIONS_TAG = "operations"
_USER, _PEER = "user", "service"


def openapi(system: System, service_name: str) -> dict[str, Any]:
    """The document of one service of `system`."""
    service = system.services[service_name]
    paths: dict[str, dict[str, Any]] = {}
    for route in routes(service):
        paths.setdefault(route.path, {})[route.method] = _operation(system, service, route)
    paths |= agent_paths(system, service) | job_paths(system, service) | account_paths(system, service_name)
    for rule in access(system, service_name):
        _secure(paths[rule.path][rule.method], rule)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{system.system} {service_name}",
            "version": "1.0.0",
            "description": service.about or f"The {service_name} service of {system.system}.",
        },
        "servers": [{"url": "/"}],
        "tags": _tags(system, service_name),
        "paths": paths | _operational_paths(),
        "components": {
            "schemas": schemas(system, service_name),
            "parameters": parameters(),
            "headers": headers(),
            "responses": problem_responses(guarded=system.auth is not None),
            **_schemes(system),
        },
    }


def _schemes(system: System) -> dict[str, Any]:
    if system.auth is None:
        return {}
    user: dict[str, Any] = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": f"A user's token, from {system.auth.service or system.auth.issuer}.",
    }
    service = {**user, "description": "A token that a service of this system signed for this one."}
    return {"securitySchemes": {_USER: user, _PEER: service}}


def _secure(operation: dict[str, Any], rule: Access) -> None:
    """Add to `operation` who may reach it; an empty list of roles is nobody's."""
    if rule.public:
        operation["security"] = []
        operation["responses"] |= operation_problems(429)
    else:
        users = [{_USER: list(rule.roles)}] if rule.roles or not rule.callers else []
        operation["security"] = [*users, *([{_PEER: list(rule.callers)}] if rule.callers else [])]
        operation["responses"] |= operation_problems(*GUARDED)
        operation["x-allowed"] = [*rule.roles, *rule.callers]
    if rule.owner:
        operation["x-owned-by"] = rule.owner
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _tags(system: System, service_name: str) -> list[dict[str, str]]:
    service = system.services[service_name]
    tags = {name: f"Commands on {name}, and its state." for name in service.aggregates}
    if service.views:
        tags["views"] = "Read models, fed by events: a moment behind the state."
    if service.agents:
        tags[AGENTS_TAG] = "Models that work on a task with tools of this service, within limits."
    if signs_in(system, service_name):
        tags[ACCOUNTS_TAG] = "Signing in."
    if service.jobs:
        tags[JOBS_TAG] = "Work that the service's worker does later."
    tags[_OPERATIONS_TAG] = "Health and metrics."
    return [{"name": name, "description": description} for name, description in tags.items()]


def _operation(system: System, service: Service, route: Route) -> dict[str, Any]:
    aggregate = service.aggregates[route.aggregate]
    match route.kind:
        case Kind.CREATE | Kind.COMMAND:
            return _command_operation(system, aggregate, route)
        case Kind.STATE:
            return {
                "operationId": route.operation_id,
                "tags": [route.aggregate],
                "summary": f"The current state of one {route.aggregate}",
                "parameters": [_id_parameter(system, aggregate)],
                "responses": {
                    "200": _versioned(_json_response(f"The {route.aggregate}.", f"{route.aggregate}.state")),
                    **operation_problems(404, 422, 500, 503),
                },
            }
        case Kind.VIEW_ROW:
            return {
                "operationId": route.operation_id,
                "tags": ["views"],
                "summary": f"One row of {route.name}",
                "parameters": [_id_parameter(system, aggregate), _ref("parameters", "min_version")],
                "responses": {
                    "200": _json_response("The row.", f"{route.name}.row"),
                    **operation_problems(404, 422, 500, 503),
                },
            }
        case Kind.VIEW_LIST:
            return {
                "operationId": route.operation_id,
                "tags": ["views"],
                "summary": f"The rows of {route.name}, a page at a time",
                "parameters": [_ref("parameters", "limit"), _ref("parameters", "after")],
                "responses": {
                    "200": _json_response("A page, in the order of the keys.", f"{route.name}.page"),
                    **operation_problems(422, 500, 503),
                },
            }


def _command_operation(system: System, aggregate: Aggregate, route: Route) -> dict[str, Any]:
    command = aggregate.commands[route.name]
    creates = route.kind is Kind.CREATE
    target = [] if creates else [_id_parameter(system, aggregate)]
    outcome = f"Emits `{command.emits}`" + (f", or `{command.fails}`" if command.fails else "") + "."
    fields = body_fields(aggregate, command)
    done = _json_response("Done; what it led to follows by events.", f"{route.aggregate}.accepted")
    problems = [400, *([] if creates else [404]), 409, 412, *([413, 415] if fields else []), 422, 500, 503]
    return {
        "operationId": route.operation_id,
        "tags": [route.aggregate],
        "summary": f"{title(route.name)} ({route.aggregate})",
        "description": outcome,
        "parameters": [*target, _ref("parameters", "idempotency_key"), _ref("parameters", "if_match")],
        **_request_body(system, route, fields),
        "responses": {("201" if creates else "200"): _versioned(done), **operation_problems(*problems)},
    }


def _request_body(system: System, route: Route, fields: dict[str, FieldType]) -> dict[str, Any]:
    """A command that takes nothing has no body."""
    if not fields:
        return {}
    media = {
        "schema": {"$ref": f"{COMPONENTS}{route.operation_id}"},
        "examples": {"typical": {"value": example_fields(system, fields)}},
    }
    required = any(not field.optional for field in fields.values())
    return {"requestBody": {"content": {"application/json": media}, "required": required}}


def _operational_paths() -> dict[str, Any]:
    text = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "/health/live": _operational("health.live", "Does the process run?", _json_response("Yes.", HEALTH)),
        "/health/ready": _operational(
            "health.ready",
            "Can the service take requests?",
            _json_response("Yes.", HEALTH),
            _json_response("Not now: something it needs does not answer, or it is about to end.", HEALTH),
        ),
        "/metrics": _operational(
            "metrics",
            "Metrics in the Prometheus text format",
            {"description": "The metrics.", "content": text},
        ),
    }


def _operational(
    operation_id: str, summary: str, ok: dict[str, Any], not_now: dict[str, Any] | None = None
) -> dict[str, Any]:
    responses = {"200": ok} | ({"503": not_now} if not_now else {})
    operation = {"operationId": operation_id, "tags": [_OPERATIONS_TAG], "summary": summary}
    return {"get": operation | {"responses": responses}}


def _id_parameter(system: System, aggregate: Aggregate) -> dict[str, Any]:
    kind = id_type(aggregate)
    return {
        "name": aggregate.id,
        "in": "path",
        "required": True,
        "schema": field_schema(kind, COMPONENTS),
        "example": example(system, kind, aggregate.id),
    }


def _json_response(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"{COMPONENTS}{schema}"}}}
    return {"description": description, "content": content}


def _versioned(response: dict[str, Any]) -> dict[str, Any]:
    """The response, which says by its ETag at which version it was true."""
    return response | {"headers": {"ETag": _ref("headers", "etag")}}


def _ref(section: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{section}/{name}"}
