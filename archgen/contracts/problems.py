"""How every error looks over HTTP: RFC 9457, application/problem+json."""

from __future__ import annotations

from typing import Any

from archgen.contracts.json_schema import COMPONENTS, Schema

PROBLEM = "problem"

# status: (name of the component, title, when)
_PROBLEMS = {
    400: ("bad_request", "Bad Request", "The body is not JSON, or a header is malformed."),
    401: ("unauthorized", "Unauthorized", "There is no token, or it does not count."),
    403: ("forbidden", "Forbidden", "The token's roles do not allow this, or it is somebody else's."),
    404: ("not_found", "Not Found", "There is nothing with this id."),
    409: (
        "conflict",
        "Conflict",
        "A business rule says no, or it changed meanwhile, or this Idempotency-Key is still at work.",
    ),
    412: ("precondition_failed", "Precondition Failed", "It is not at the version that If-Match names."),
    413: ("too_large", "Content Too Large", "The body is larger than the service takes."),
    415: ("unsupported_media_type", "Unsupported Media Type", "The body is not application/json."),
    422: (
        "unprocessable",
        "Unprocessable Content",
        "A value is wrong, or this Idempotency-Key came with another request.",
    ),
    429: ("too_many_requests", "Too Many Requests", "Ask again after Retry-After."),
    500: ("internal_error", "Internal Server Error", "A bug on our side; nothing was changed."),
    503: ("unavailable", "Service Unavailable", "A peer does not answer; ask again after Retry-After."),
}


GUARDED = (401, 403, 429)
"""What an operation may answer because somebody looks at who asks."""


def problem_schema() -> Schema:
    """Open, because RFC 9457 lets a problem carry members of its own."""
    return {
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "default": "about:blank"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "reason": {"type": "string", "description": "Why the business says no."},
            "errors": {"type": "array", "items": {"type": "object"}, "description": "What is wrong where."},
            "trace_id": {"type": "string", "description": "What to name when asking for help."},
        },
        "required": ["title", "status"],
    }


def problem_responses(*, guarded: bool = False) -> dict[str, Any]:
    """The shared responses, by component name; those about who asks where somebody looks (`guarded`)."""
    return {
        name: _response(status)
        for status, (name, _, _) in _PROBLEMS.items()
        if guarded or status not in GUARDED
    }


def operation_problems(*statuses: int) -> dict[str, Any]:
    """References to the shared responses, by status, for one operation."""
    return {str(status): {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"} for status in statuses}


def _response(status: int) -> dict[str, Any]:
    _, title, when = _PROBLEMS[status]
    sample = {"title": title, "status": status, "detail": when}
    content = {
        "application/problem+json": {
            "schema": {"$ref": COMPONENTS + PROBLEM},
            "examples": {"typical": {"value": sample}},
        }
    }
    response: dict[str, Any] = {"description": when, "content": content}
    if status == 401:
        challenge = {"description": "How to sign in.", "schema": {"type": "string"}}
        response["headers"] = {"WWW-Authenticate": challenge}
    if status in (429, 503):
        response["headers"] = {
            "Retry-After": {
                "description": "Seconds to wait before asking again.",
                "schema": {"type": "integer", "minimum": 0},
            }
        }
    return response
