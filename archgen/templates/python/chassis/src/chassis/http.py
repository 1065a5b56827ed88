"""The HTTP side of a service: an app, and what its generated routes call."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from chassis import edge, freshness, idempotency, logs, preconditions, tracing, views
from chassis.domain import AggregateType, UseCase
from chassis.errors import NotFound
from chassis.health import Health
from chassis.http_client import Peer
from chassis.idempotency import StoredResponse
from chassis.jsons import encode
from chassis.policy import Policy
from chassis.problem import MEDIA_TYPE
from chassis.runtime import Runtime
from chassis.saga.participant import result_of
from chassis.security.gate import Gate
from chassis.security.guard import unguarded
from chassis.security.model import Security
from chassis.security.ownership import caller_of, check_command, owns, owns_row
from chassis.security.peers import signer
from chassis.security.settings import SecuritySettings
from chassis.server import serve
from chassis.service import Service
from chassis.settings import Settings
from chassis.uow import Origin, Session, UnitOfWork

PAGE = 50
PAGE_MAX = 500


class Body(BaseModel):
    """A request body. What it does not know it refuses, so that a misspelt field is not lost silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def create_app(
    service: Service,
    routes: APIRouter,
    settings: Settings,
    contract: Path,
    policies: Mapping[str, Policy] | None = None,
    env: Mapping[str, str] = os.environ,
) -> FastAPI:
    """The app of `service`. `contract` is its OpenAPI document, served as it is at /openapi.json.

    `policies` holds the policy of each peer that this service calls; `env` tells about agents and security.
    """
    security = service.security
    guard = None if security is None else _guard(security, settings, routes, env)
    health = Health()
    runtime = Runtime(service, settings)
    health.add("database", runtime.check_database)
    health.add("broker", runtime.check_broker)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        flush_traces = tracing.setup(service.name)
        try:
            await runtime.start()
            async with _answering_grpc(service, runtime, health, settings, app.state.gate):
                yield
        finally:
            await runtime.stop()
            if service.agents:
                await app.state.staff.close()
            for peer in app.state.peers.values():
                await peer.close()
            if app.state.gate is not None:
                await app.state.gate.close()
            flush_traces()

    app = FastAPI(title=service.name, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.runtime = runtime
    app.state.health = health
    app.state.gate = None if security is None or guard is None else Gate(security, guard)
    app.state.peers = {
        name: Peer(
            name,
            url,
            policy,
            grpc_url=grpc_url,
            token=None if security is None or guard is None else signer(security, guard, name),
        )
        for name, policy in (policies or {}).items()
        for url, grpc_url in [settings.peer_urls(name)]
    }
    if security is not None and security.accounts is not None:
        # Imported here: one service of a system has accounts.
        from chassis.security.passwords import Passwords

        app.state.passwords = Passwords()
    if service.agents:
        # Imported here: most services have none, and JSON Schema takes a while to load.
        from chassis.agents.staff import Staff

        app.state.staff = Staff(runtime, app.state.peers, env)
    app.include_router(routes)
    edge.install(app, health)
    document = json.loads(contract.read_text("utf-8"))
    app.openapi = lambda: document  # type: ignore[method-assign]

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(document)

    return app


@contextlib.asynccontextmanager
async def _answering_grpc(
    service: Service, runtime: Runtime, health: Health, settings: Settings, gate: Gate | None
) -> AsyncIterator[None]:
    if not service.rpcs:
        yield
        return
    # Imported here: most services answer over HTTP only, and gRPC takes a while to load.
    from chassis.rpc.server import Server
    from chassis.security.rpc import guard

    server = Server(
        service.rpcs, runtime, health, settings, None if gate is None else guard(gate, service.rpcs)
    )
    await server.start()
    try:
        yield
    finally:
        await server.stop()


def _guard(
    security: Security, settings: Settings, routes: APIRouter, env: Mapping[str, str]
) -> SecuritySettings:
    """What the environment says about security. Raises RuntimeError when a route would go unguarded."""
    if open := unguarded(routes.routes):
        raise RuntimeError(f"these routes don't ask the gate, make them Guarded: {', '.join(open)}")
    return SecuritySettings.from_env(security, settings, env)


def run(
    service: Service, routes: APIRouter, contract: Path, policies: Mapping[str, Policy] | None = None
) -> None:
    """Run `service` as this process, configured by the environment, until a signal ends it."""
    settings = Settings.from_env(service.name, peers=service.peers, grpc_peers=service.grpc_peers)
    logs.setup(service.name, settings.log_level)
    app = create_app(service, routes, settings, contract, policies)
    serve(app, settings, app.state.health)


async def execute(request: Request, use_case: UseCase, command: Any, *, new: bool = False) -> JSONResponse:
    """Carry `command` out and answer with the aggregate's id and version.

    201 when it created the aggregate, 200 otherwise. A failure that the domain records as an event
    (a declined payment) is kept and answered with 409, like a refusal. An If-Match that does not hold
    raises Conflict, which becomes a 412. `new` says that the id was made for this command, so that nobody
    has to look whether there is such an aggregate.
    """
    runtime: Runtime = request.app.state.runtime
    caller = caller_of(request)
    key = await idempotency.key_of(request, caller.key)
    wanted = preconditions.if_match(request)
    correlation_id = tracing.correlation_id.get() or str(uuid4())
    origin = Origin(
        runtime.service.system,
        runtime.service.name,
        trace=tracing.inject().get("traceparent", ""),
        correlation_id=correlation_id,
    )

    def act(session: Session) -> StoredResponse:
        id = str(getattr(command, use_case.command.ID))
        aggregate = runtime.service.aggregate_of(use_case)
        if new:
            session.aggregates.begin(aggregate, id)
        check_command(caller, session, aggregate, use_case, command)
        preconditions.guard(
            wanted,
            lambda: session.aggregates.load(aggregate, id).version,
            creates=use_case.command.CREATES,
        )
        unit = UnitOfWork(session, origin)
        use_case.handle(command, unit)
        unit.complete()
        outcome = result_of(use_case, unit)
        if outcome["outcome"] == "refused":
            return _failed(outcome["reason"])
        version = unit.touched.get(id, 0)
        status = 201 if use_case.command.CREATES else 200
        body = {use_case.command.ID: id, "version": version}
        return StoredResponse(status, body, preconditions.etag(version))

    answer: StoredResponse = await runtime.transact(
        lambda session: idempotency.once(session.conn, key, lambda: act(session))
    )
    return answer.response()


async def state_of(request: Request, type: AggregateType[Any], id: object) -> JSONResponse:
    """The aggregate as it is now, with its version. Raises NotFound, also for somebody else's."""
    runtime: Runtime = request.app.state.runtime
    held = await runtime.db.read(lambda conn: Session(conn).aggregates.load(type, str(id)))
    if held.state is None or not owns(caller_of(request), type, held.state):
        raise NotFound(type.name, str(id))
    body = {**encode(held.state), "version": held.version}
    return JSONResponse(body, headers=preconditions.etag(held.version))


async def view_row(request: Request, view: str, key: object, min_version: int = 0) -> JSONResponse:
    """One row of a view, showing `min_version` or a later one.

    Raises NotFound, also for somebody else's, and Unavailable when the row does not get that far in time.
    """
    runtime: Runtime = request.app.state.runtime
    found = await freshness.at_least(runtime.db, view, str(key), min_version)
    if found.row is None or not owns_row(caller_of(request), runtime.service.owner_of(view), found.row):
        raise NotFound(view, str(key))
    return JSONResponse({**found.row, "version": found.version})


async def view_page(request: Request, view: str, limit: int, after: str) -> JSONResponse:
    """A page of a view, in the order of its keys; `next` is what to ask for as `after`.

    Of what is somebody's own, the rows that are the caller's.
    """
    runtime: Runtime = request.app.state.runtime
    caller = caller_of(request)
    owner = caller.subject if runtime.service.owner_of(view) and not caller.sees_all else None
    rows, following = await runtime.db.read(
        lambda conn: views.page(conn, view, limit=limit, after=after, owner=owner)
    )
    return JSONResponse({"items": rows, "next": following})


def _failed(reason: str) -> StoredResponse:
    body = {"title": "Refused", "status": 409, "detail": reason, "reason": reason}
    return StoredResponse(409, body, {"Content-Type": MEDIA_TYPE})
