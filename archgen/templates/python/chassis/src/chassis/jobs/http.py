"""What the generated routes of a service's jobs call: enqueue one, and ask what became of it."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from chassis import idempotency, tracing
from chassis.errors import NotFound
from chassis.idempotency import StoredResponse
from chassis.jobs import queue
from chassis.jobs.definition import JobArgs
from chassis.jsons import decode, loads
from chassis.runtime import Runtime
from chassis.security.ownership import caller_of
from chassis.service import Service
from chassis.uow import Origin, Session, UnitOfWork


async def enqueue(request: Request, job: type[JobArgs]) -> JSONResponse:
    """Enqueue a job with the arguments in the body: 202 with its id, and its address as Location."""
    return await _enqueue(request, _arguments(job, await _body(request)))


async def enqueue_scheduled(request: Request, job: type[JobArgs]) -> JSONResponse:
    """As `enqueue`, out of turn: for the time given as `due`, or else for now."""
    return await _enqueue(request, _arguments(job, {"due": datetime.now(UTC), **await _body(request)}))


async def _body(request: Request) -> dict[str, Any]:
    text = await request.body()
    try:
        given = loads(text) if text else {}
    except ValueError as error:
        detail = {"type": "json_invalid", "loc": ("body",), "msg": str(error), "ctx": {"error": str(error)}}
        raise RequestValidationError([detail]) from error
    if not isinstance(given, dict):
        raise _invalid("dict_type", "the body must be an object")
    return given


def _arguments(job: type[JobArgs], given: dict[str, Any]) -> JobArgs:
    known = {field.name for field in fields(job)}  # type: ignore[arg-type]
    for name in sorted(given.keys() - known):
        raise _invalid("extra_forbidden", "there is no such argument", name)
    try:
        return decode(job, given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from error


def _invalid(type: str, message: str, *place: str) -> RequestValidationError:
    return RequestValidationError([{"type": type, "loc": ("body", *place), "msg": message}])


async def _enqueue(request: Request, args: JobArgs) -> JSONResponse:
    runtime: Runtime = request.app.state.runtime
    key = await idempotency.key_of(request, caller_of(request).key)
    origin = Origin(
        runtime.service.system,
        runtime.service.name,
        trace=tracing.inject().get("traceparent", ""),
        correlation_id=tracing.correlation_id.get(),
    )

    def act(session: Session) -> StoredResponse:
        unit = UnitOfWork(session, origin)
        id = unit.enqueue(args)
        unit.complete()
        return StoredResponse(202, {"id": id, "status": "ready"}, {"Location": f"/jobs/{id}"})

    answer: StoredResponse = await runtime.transact(
        lambda session: idempotency.once(session.conn, key, lambda: act(session))
    )
    return answer.response()


async def state_of_job(request: Request, id: object) -> JSONResponse:
    """How far a job is. Raises NotFound, also for one that was done long enough ago to be removed."""
    runtime: Runtime = request.app.state.runtime
    row = await runtime.db.read(lambda conn: queue.find(conn, str(id)))
    if row is None or not _may_see(request, runtime.service, row.name):
        raise NotFound("job", str(id))
    return JSONResponse(
        {
            "id": row.id,
            "job": row.name,
            "status": row.status,
            "attempt": row.attempt,
            "error": row.error,
            "enqueued_at": _time(row.enqueued_at),
            "finished_at": _time(row.finished_at),
        }
    )


def _may_see(request: Request, service: Service, job: str) -> bool:
    """Whether the caller may enqueue such a job: whoever may, may ask about it."""
    security = service.security
    return security is None or caller_of(request).meets(security.rule_of(f"job {job}"))


def _time(seconds: float | None) -> Any:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
