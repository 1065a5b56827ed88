"""What the generated routes of a service's jobs call: enqueue one, and ask what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from chassis import idempotency, tracing
from chassis.errors import NotFound
from chassis.idempotency import StoredResponse
from chassis.jobs import queue
from chassis.jobs.definition import JobArgs
from chassis.runtime import Runtime
from chassis.uow import Origin, Session, UnitOfWork


async def enqueue(request: Request, args: JobArgs) -> JSONResponse:
    """Enqueue a job: 202 with its id, and its address as Location."""
    runtime: Runtime = request.app.state.runtime
    key = await idempotency.key_of(request)
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


async def state_of(request: Request, id: object) -> JSONResponse:
    """How far a job is. Raises NotFound, also for one that was done long enough ago to be removed."""
    runtime: Runtime = request.app.state.runtime
    row = await runtime.db.read(lambda conn: queue.find(conn, str(id)))
    if row is None:
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


def _time(seconds: float | None) -> Any:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
