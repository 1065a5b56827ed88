"""The routes of an agent, and its runs as server-sent events.

    POST /agents/<name>/runs                      {task}: run it, answer with what came of it
    POST /agents/<name>/runs/{run_id}/confirm     {decisions: {<call id>: approve | reject}}: go on
    GET  /agents/<name>/runs/{run_id}             the run as it is now

Asked with `Accept: text/event-stream`, the POSTs tell what happens while it happens: events `turn`,
`attempt` (what the attempt before had said is void), `text`, `tool`, and at last `end` or `problem`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from chassis import idempotency, limits
from chassis.agents.definition import Agent
from chassis.agents.runs import Run
from chassis.agents.staff import Staff, analysis_task, once_only
from chassis.agents.toolbox import marked
from chassis.errors import NotFound, ServiceError, Unavailable
from chassis.jsons import encode
from chassis.runtime import Runtime
from chassis.security.ownership import caller_of, owns
from chassis.uow import Session

EVENTS = "text/event-stream"
# Proxies close a connection on which nothing is said for long.
HEARTBEAT = 15.0

Event = tuple[str, Mapping[str, Any]]


class RunBody(BaseModel):
    """What the agent is asked to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    task: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]


class ConfirmBody(BaseModel):
    """What a person decided, for every call that waits."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    decisions: dict[str, Literal["approve", "reject"]]


def add_agent(router: APIRouter, agent: Agent) -> None:
    """Put the routes of `agent` onto `router`."""
    base = f"/agents/{agent.name}/runs"

    @router.post(base)
    async def start(body: RunBody, request: Request) -> Response:
        staff, caller = _staff(request), caller_of(request)
        key = await idempotency.key_of(request, caller.key)
        with contextlib.ExitStack() as stack:
            stack.enter_context(staff.place(agent))
            run, new = await staff.begin(agent, body.task, key, caller)
            return await _answer(request, agent, run, new, stack)

    @router.post(base + "/{run_id}/confirm")
    async def confirm(run_id: str, body: ConfirmBody, request: Request) -> Response:
        staff, caller = _staff(request), caller_of(request)
        key = await idempotency.key_of(request, caller.key)
        with contextlib.ExitStack() as stack:
            stack.enter_context(staff.place(agent))
            run, new = await staff.confirm(agent, run_id, body.decisions, key, caller)
            return await _answer(request, agent, run, new, stack)

    @router.get(base + "/{run_id}")
    async def show(run_id: str, request: Request) -> Response:
        staff = _staff(request)
        return JSONResponse(staff.shown(await staff.find(agent, run_id, caller_of(request))))


def add_analysis(router: APIRouter, agent: Agent, path: str) -> None:
    """Put onto `router` the POST to `path` by which `agent` looks at one aggregate, once, without tools.

    The parameter in `path` is the aggregate's id.
    """
    type = agent.of
    assert type is not None
    alone = once_only(agent)

    @router.post(path)
    async def analyse(request: Request) -> Response:
        staff, caller = _staff(request), caller_of(request)
        key = await idempotency.key_of(request, caller.key)
        runtime: Runtime = request.app.state.runtime
        id = str(request.path_params[type.id_field])
        with contextlib.ExitStack() as stack:
            stack.enter_context(staff.place(agent))
            held = await runtime.db.read(lambda conn: Session(conn).aggregates.load(type, id))
            if held.state is None or not owns(caller, type, held.state):
                raise NotFound(type.name, id)
            task = analysis_task(alone, marked(type.name, encode(held.state)))
            run, new = await staff.begin(alone, task, key, caller)
            return await _answer(request, alone, run, new, stack)


def _staff(request: Request) -> Staff:
    staff: Staff = request.app.state.staff
    return staff


async def _answer(
    request: Request, agent: Agent, run: Run, new: bool, place: contextlib.ExitStack
) -> Response:
    """Let the run go on, and answer with its end, or with all that happens until then."""
    staff = _staff(request)
    if not new:
        return JSONResponse(staff.shown(run), headers={"Idempotent-Replayed": "true"})
    if EVENTS in request.headers.get("accept", ""):
        events = _events(staff, agent, run, place.pop_all())
        return StreamingResponse(
            events, media_type=EVENTS, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
    limits.extend(request, agent.limits.seconds + 10)
    after = await staff.go_on(agent, run, _silently)
    return JSONResponse(staff.shown(after))


async def _silently(_kind: str, _data: Mapping[str, Any]) -> None:
    """Tells nobody."""


def _events(staff: Staff, agent: Agent, run: Run, place: contextlib.ExitStack) -> AsyncIterator[bytes]:
    """The run as server-sent events. When the reader goes away, the run ends as interrupted."""
    happening: asyncio.Queue[Event | None] = asyncio.Queue()

    async def tell(kind: str, data: Mapping[str, Any]) -> None:
        happening.put_nowait((kind, data))

    async def work() -> None:
        with place:  # the run's, and not the reader's, who may be gone before the first line
            try:
                happening.put_nowait(("end", staff.shown(await staff.go_on(agent, run, tell))))
            except ServiceError as error:
                happening.put_nowait(("problem", _problem(error)))
            finally:
                happening.put_nowait(None)

    return _told(run, happening, staff.keep(asyncio.create_task(work(), name=f"run {run.id}")))


async def _told(
    run: Run, happening: asyncio.Queue[Event | None], task: asyncio.Task[None]
) -> AsyncIterator[bytes]:
    try:
        yield _line("run", {"run_id": run.id})
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    event = await happening.get()
            except TimeoutError:
                yield b": still at work\n\n"
                continue
            if event is None:
                break
            yield _line(*event)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _problem(error: ServiceError) -> dict[str, Any]:
    status = 503 if isinstance(error, Unavailable) else 409
    return {"title": HTTPStatus(status).phrase, "status": status, "detail": str(error)}


def _line(kind: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(dict(data))}\n\n".encode()
