"""Errors over HTTP as `application/problem+json`, whatever goes wrong.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import tracing
from chassis.db import unavailable
from chassis.errors import Conflict, NotFound, Refused, ServiceError, Unavailable

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)

# For `FastAPI(responses=...)`: what the OpenAPI document says of every error.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem, described as in RFC 9457",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "title": "Problem",
                    "type": "object",
                    "required": ["title", "status"],
                    "properties": {
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                        "errors": {"type": "array", "items": {"type": "object"}},
                        "trace_id": {"type": "string"},
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True)
class Problem:
    """One answer that is not a success.

    `title` is the status's own phrase unless given; `extra` are further members of the object.
    """

    status: int
    detail: str = ""
    title: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer to send. From 500 up it names the trace, which is how the cause is found."""
        content = {
            "title": self.title or _phrase(self.status),
            "status": self.status,
            "detail": self.detail,
            "trace_id": tracing.trace_id() if self.status >= 500 else "",
            **self.extra,
        }
        return JSONResponse(
            {key: value for key, value in content.items() if value != ""},
            self.status,
            dict(self.headers),
            MEDIA_TYPE,
        )


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem. Before any other middleware, so that this one is innermost."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(Unexpected)


async def _service_error(request: Request, error: Exception) -> Response:
    match error:
        case Refused():
            return Problem(409, error.reason, title="Refused", extra={"reason": error.reason}).response()
        case NotFound():
            return Problem(404, str(error)).response()
        case Conflict():
            # The caller stated a precondition only if it sent If-Match.
            return Problem(412 if "if-match" in request.headers else 409, str(error)).response()
        case Unavailable():
            return _unavailable(str(error), error.retry_after)
    # A peer's refusal that nobody here expected: this service, not its caller, asked wrongly.
    log.error("a refusal was not handled", exc_info=error)
    return Problem(502, "A service that this one needs refused to help.").response()


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = str(error.detail) if error.detail != _phrase(error.status_code) else ""
    return Problem(error.status_code, detail, headers=error.headers or {}).response()


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes):
        # FastAPI hands the body over undecoded when its media type is not JSON.
        return Problem(415, "Send application/json.", headers={"Accept": "application/json"}).response()
    errors = error.errors()
    if errors[0]["type"] == "json_invalid":
        return Problem(400, f"The body is not JSON: {errors[0]['ctx']['error']}.").response()
    return Problem(
        422, "The request is not valid.", extra={"errors": [_place(e) | {"detail": e["msg"]} for e in errors]}
    ).response()


def _place(error: Mapping[str, Any]) -> dict[str, str]:
    """Where it is wrong. The value itself is not echoed: it may be a secret."""
    source, *path = error["loc"]
    if source != "body":
        return {"in": str(source), "parameter": ".".join(str(step) for step in path)}
    # Source of the escapes: RFC 6901, JSON Pointer.
    return {"pointer": "#" + "".join("/" + str(s).replace("~", "~0").replace("/", "~1") for s in path)}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"  # a number of somebody's own, such as 499


def _unavailable(detail: str, retry_after: float | None = None) -> Response:
    seconds = max(1, math.ceil(retry_after or 1.0))
    return Problem(503, detail, headers={"Retry-After": str(seconds)}).response()


class Unexpected:
    """ASGI middleware for what nothing else caught: it is logged, and its inside stays inside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise  # half an answer is out; only a broken connection can still say so
            if unavailable(error):
                response = _unavailable("The database does not answer.")
            else:
                response = Problem(500, "Something went wrong here. It has been logged.").response()
            await response(scope, receive, send)
