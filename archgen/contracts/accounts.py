"""Signing in, in the OpenAPI document of the service where users do so."""

from __future__ import annotations

from typing import Any

from archgen.contracts.access import KEYS, LOGIN, LOGOUT, PASSWORD, REFRESH, REGISTER, signs_in
from archgen.contracts.examples import example_fields
from archgen.contracts.json_schema import COMPONENTS, Schema, object_schema
from archgen.contracts.problems import operation_problems
from archgen.spec.auth import registration
from archgen.spec.fieldtypes import FieldType
from archgen.spec.model import System

TAG = "auth"
_REGISTER, _LOGIN, _REFRESH, _PASSWORD = "auth.register", "auth.login", "auth.refresh", "auth.password"
_TOKENS, _KEYS, _ACCEPTED = "auth.tokens", "auth.keys", "auth.accepted"
_SECRET: Schema = {"type": "string", "minLength": 12, "maxLength": 128, "format": "password"}
_ANY_SECRET: Schema = {"type": "string", "format": "password"}
_TOKEN: Schema = {"type": "string", "minLength": 1, "maxLength": 512, "pattern": "^[^\\u0000]*$"}
_EXAMPLE = "correct horse battery staple"


def account_paths(system: System, service_name: str) -> dict[str, Any]:
    """The paths; none where nobody signs in."""
    fields = registration_fields(system, service_name)
    if not fields:
        return {}
    login = {"email": example_fields(system, fields)["email"], "password": _EXAMPLE}
    register = {**example_fields(system, fields), "password": _EXAMPLE}
    token = {"refresh_token": "kT3v…"}
    return {
        REGISTER: {
            "post": _operation(
                _REGISTER,
                "Register",
                "Answers the same whether there is such an account already. Then sign in.",
                {"202": _answer("It was understood.", _ACCEPTED)},
                (_REGISTER, register),
                409,
            )
        },
        LOGIN: {"post": _operation(_LOGIN, "Sign in", "", _tokens(), (_LOGIN, login), 401)},
        REFRESH: {
            "post": _operation(
                _REFRESH,
                "Get the next token",
                "A refresh token is good once. One that comes a second time ends the session.",
                _tokens(),
                (_REFRESH, token),
                401,
            )
        },
        LOGOUT: {
            "post": _operation(
                "auth.logout",
                "Sign out",
                "Tokens that were given out stay good until they expire, minutes later.",
                {"204": {"description": "The session is over, if there was one."}},
                (_REFRESH, token),
            )
        },
        PASSWORD: {
            "post": _operation(
                _PASSWORD,
                "Change one's password",
                "Ends all sessions.",
                {"204": {"description": "It is changed."}},
                (_PASSWORD, {"current": _EXAMPLE, "new": f"{_EXAMPLE}!"}),
            )
        },
        KEYS: {
            "get": {
                "operationId": "auth.keys",
                "tags": [TAG],
                "summary": "The keys that tokens are verified with",
                "responses": {
                    "200": _answer("A JWK set.", _KEYS),
                    **operation_problems(500, 503),
                },
            }
        },
    }


def account_schemas(system: System, service_name: str) -> dict[str, Schema]:
    """The named schemas that the paths refer to."""
    fields = registration_fields(system, service_name)
    if not fields:
        return {}
    register = object_schema(fields, COMPONENTS)
    register["properties"]["password"] = _SECRET
    register["required"] = [*register.get("required", []), "password"]
    login = {"email": _TOKEN, "password": _ANY_SECRET}
    key = {"type": "object", "properties": {"kid": {"type": "string"}, "kty": {"type": "string"}}}
    count: Schema = {"type": "integer", "minimum": 0}
    tokens: dict[str, Schema] = {
        "access_token": {"type": "string"},
        "token_type": {"type": "string", "enum": ["Bearer"]},
        "expires_in": {**count, "description": "Seconds for which the token is good."},
        "refresh_token": {"type": "string"},
        "refresh_expires_in": {**count, "description": "Seconds until one has to sign in again."},
        "subject": {"type": "string", "description": "The account's id."},
        "roles": {"type": "array", "items": {"type": "string"}},
    }
    return {
        _REGISTER: register,
        _LOGIN: _closed(login),
        _REFRESH: _closed({"refresh_token": _TOKEN}),
        _PASSWORD: _closed({"current": _ANY_SECRET, "new": _SECRET}),
        _TOKENS: _closed(tokens),
        _ACCEPTED: _closed({"status": {"type": "string", "enum": ["accepted"]}}),
        _KEYS: _closed({"keys": {"type": "array", "items": key}}),
    }


def registration_fields(system: System, service_name: str) -> dict[str, FieldType]:
    """What one registers with, besides the password; empty where nobody does."""
    found = registration(system) if signs_in(system, service_name) else None
    if found is None:
        return {}
    _, account, command = found
    return {name: field for name, field in command.takes.items() if name != account.id}


def _tokens() -> dict[str, Any]:
    return {"200": _answer("Signed in.", _TOKENS)}


def _operation(
    operation_id: str,
    summary: str,
    about: str,
    responses: dict[str, Any],
    body: tuple[str, dict[str, Any]],
    *problems: int,
) -> dict[str, Any]:
    schema, typical = body
    media = {"schema": {"$ref": COMPONENTS + schema}, "examples": {"typical": {"value": typical}}}
    return {
        "operationId": operation_id,
        "tags": [TAG],
        "summary": summary,
        **({"description": about} if about else {}),
        "requestBody": {"content": {"application/json": media}, "required": True},
        "responses": {
            **responses,
            **operation_problems(*sorted({400, 413, 415, 422, 429, 500, 503, *problems})),
        },
    }


def _answer(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": COMPONENTS + schema}}}
    return {"description": description, "content": content}


def _closed(properties: dict[str, Schema]) -> Schema:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
