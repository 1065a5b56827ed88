"""Agents in a service's contracts: their operations over HTTP, and their tools as the model sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from archgen.contracts.examples import example
from archgen.contracts.json_schema import COMPONENTS, Schema, definitions, field_schema, object_schema
from archgen.contracts.problems import operation_problems
from archgen.spec.agents import ANALYSE
from archgen.spec.facts import id_type
from archgen.spec.fieldtypes import FieldType, Scalar
from archgen.spec.model import Agent, Aggregate, Service, System
from archgen.spec.names import collection, title

TAG = "agents"
_RUN, _TASK, _DECISIONS = "agent.run", "agent.task", "agent.decisions"
_STATUSES = ["running", "needs_confirmation", "done", "limit", "refused", "failed", "interrupted"]
_OUTCOMES = ["waiting", "ok", "error", "unknown", "invalid", "rejected"]
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXT: Schema = {"type": "string"}


@dataclass(frozen=True)
class Tool:
    """A tool of an agent: `name` is what the model calls it, `subject` the view or command, `key` the id."""

    name: str
    kind: Literal["view", "call", "command"]
    service: str
    subject: str
    key: str
    about: str
    schema: Schema

    @property
    def reference(self) -> str:
        """How the description names it."""
        return f"{self.service}.{self.subject}" if self.kind == "call" else self.subject


# Over HTTP


def agent_paths(system: System, service: Service) -> dict[str, Any]:
    """The paths of all agents; none for a service without."""
    paths: dict[str, Any] = {}
    for name, agent in service.agents.items():
        runs = f"/agents/{name}/runs"
        paths[runs] = {"post": _start(name, agent)}
        paths[f"{runs}/{{run_id}}"] = {"get": _show(name)}
        paths[f"{runs}/{{run_id}}/confirm"] = {"post": _confirm(name)}
        if agent.of:
            paths[analysis_path(service, agent)] = {"post": _analyse(system, service, name, agent)}
    return paths


def analysis_path(service: Service, agent: Agent) -> str:
    """Where the agent looks at one aggregate."""
    return f"/{collection(agent.of)}/{{{service.aggregates[agent.of].id}}}/{ANALYSE}"


def agent_schemas(service: Service) -> dict[str, Schema]:
    """The named schemas that the paths refer to."""
    if not service.agents:
        return {}
    call = _closed({"id": _TEXT, "turn": _COUNT, "tool": _TEXT, "outcome": _one_of(_OUTCOMES)})
    pending = _closed({"id": _TEXT, "tool": _TEXT, "arguments": {"description": "Exactly as asked for."}})
    usage = _closed(
        {
            "turns": _COUNT,
            "input_tokens": _COUNT,
            "output_tokens": _COUNT,
            "seconds": {"type": "number", "minimum": 0},
            "cost": {
                "type": ["number", "null"],
                "description": "By the configured prices.",
            },
        }
    )
    run = {
        "run_id": {**_TEXT, "format": "uuid"},
        "agent": _TEXT,
        "status": _one_of(_STATUSES),
        "reason": {**_TEXT, "description": "Why it ended without being done."},
        "answer": _TEXT,
        "pending": {"type": "array", "items": pending, "description": "Calls that wait for a decision."},
        "calls": {"type": "array", "items": call},
        "usage": usage,
        "model": _TEXT,
    }
    task = {**_TEXT, "minLength": 1, "maxLength": 8000, "pattern": r"\S"}
    decisions = {
        "type": "object",
        "additionalProperties": _one_of(["approve", "reject"]),
        "description": "For every pending call, by its id.",
    }
    return {_RUN: _closed(run), _TASK: _closed({"task": task}), _DECISIONS: _closed({"decisions": decisions})}


def _start(name: str, agent: Agent) -> dict[str, Any]:
    return {
        "operationId": f"run.{name}",
        "tags": [TAG],
        "summary": f"Give {title(name)} a task",
        "description": agent.goal,
        "parameters": [_KEY],
        "requestBody": _body(_TASK, {"task": "What would you do about this?"}),
        "responses": _responses(400, 409, 413, 415, 422, 500, 503),
    }


def _confirm(name: str) -> dict[str, Any]:
    return {
        "operationId": f"confirm.{name}",
        "tags": [TAG],
        "summary": "Decide on the calls that wait, and go on",
        "parameters": [_RUN_ID, _KEY],
        "requestBody": _body(_DECISIONS, {"decisions": {"toolu_1": "approve"}}),
        "responses": _responses(400, 404, 409, 413, 415, 422, 500, 503),
    }


def _show(name: str) -> dict[str, Any]:
    ok = {"description": "The run.", "content": _json(_RUN)}
    return {
        "operationId": f"get.{name}",
        "tags": [TAG],
        "summary": "A run as it is now",
        "parameters": [_RUN_ID],
        "responses": {"200": ok, **operation_problems(404, 500, 503)},
    }


def _analyse(system: System, service: Service, name: str, agent: Agent) -> dict[str, Any]:
    aggregate = service.aggregates[agent.of]
    kind = id_type(aggregate)
    parameter = {
        "name": aggregate.id,
        "in": "path",
        "required": True,
        "schema": field_schema(kind, COMPONENTS),
        "example": example(system, kind, aggregate.id),
    }
    return {
        "operationId": f"analyse.{agent.of}",
        "tags": [TAG],
        "summary": f"Let {title(name)} look at one {agent.of}",
        "description": agent.goal,
        "parameters": [parameter, _KEY],
        "responses": _responses(400, 404, 409, 422, 500, 503),
    }


_KEY = {"$ref": "#/components/parameters/idempotency_key"}
_RUN_ID = {"name": "run_id", "in": "path", "required": True, "schema": _TEXT}


def _responses(*problems: int) -> dict[str, Any]:
    events = {"text/event-stream": {"schema": {**_TEXT, "description": "What happens, while it happens."}}}
    ok = {"description": "What came of it, so far.", "content": _json(_RUN) | events}
    return {"200": ok, **operation_problems(*problems)}


def _body(schema: str, typical: dict[str, Any]) -> dict[str, Any]:
    media = {"schema": {"$ref": f"{COMPONENTS}{schema}"}, "examples": {"typical": {"value": typical}}}
    return {"content": {"application/json": media}, "required": True}


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"{COMPONENTS}{schema}"}}}


def _one_of(values: list[str]) -> Schema:
    return {"type": "string", "enum": values}


def _closed(properties: dict[str, Schema]) -> Schema:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


# To the model


def tools(system: System, service_name: str) -> tuple[Tool, ...]:
    """All tools of a service's agents, each once, in the order of the file."""
    service = system.services[service_name]
    named = dict.fromkeys(tool for agent in service.agents.values() for tool in agent.tools)
    return tuple(_tool(system, service_name, tool) for tool in named)


def tool_contract(found: tuple[Tool, ...]) -> list[dict[str, Any]]:
    """What the model is told, as the Messages API has it."""
    return [{"name": tool.name, "description": tool.about, "input_schema": tool.schema} for tool in found]


def _tool(system: System, service_name: str, reference: str) -> Tool:
    peer, dot, view = reference.partition(".")
    service = system.services[service_name]
    if dot:
        # No name of the file has two underscores side by side, so it is nobody else's.
        return _view(system, peer, view, f"{peer}__{view}", "call")
    if reference in service.views:
        return _view(system, service_name, reference, reference, "view")
    return _command(system, service_name, reference)


def _view(system: System, owner: str, view: str, name: str, kind: Literal["view", "call"]) -> Tool:
    service = system.services[owner]
    of = service.views[view].of
    aggregate = service.aggregates[of]
    about = f"Looks up one row of {title(view).lower()} ({of} of {owner}) by its {aggregate.id}."
    schema = _arguments(system, {aggregate.id: id_type(aggregate)})
    return Tool(name, kind, owner, view, aggregate.id, " ".join([about, service.about]).strip(), schema)


def _command(system: System, owner: str, name: str) -> Tool:
    of, aggregate = next(_owning(system.services[owner], name))
    command = aggregate.commands[name]
    about = f"{title(name)} ({of}): changes it, and the event {command.emits} follows."
    fields = {aggregate.id: id_type(aggregate), **command.takes}
    schema = _arguments(system, fields)
    if command.creates and id_type(aggregate).scalar is Scalar.UUID:
        schema["required"] = [field for field in schema["required"] if field != aggregate.id]
    return Tool(name, "command", owner, name, aggregate.id, about, schema)


def _owning(service: Service, command: str) -> Iterator[tuple[str, Aggregate]]:
    for name, aggregate in service.aggregates.items():
        if command in aggregate.commands:
            yield name, aggregate


def _arguments(system: System, fields: dict[str, FieldType]) -> Schema:
    found = definitions(system, fields.values())
    return object_schema(fields) | ({"$defs": found} if found else {})
