"""A service over HTTP for tests of its agents: without a broker, on a SQLite file, the model a stub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
from fastapi import APIRouter

from chassis.agents.staff import Staff
from chassis.http import create_app
from chassis.policy import Policy
from chassis.service import Service
from chassis.settings import Settings

# Nothing listens there: who calls a peer or the broker is refused at once.
NOBODY = "127.0.0.1:1"


@asynccontextmanager
async def serving(
    service: Service,
    routes: APIRouter,
    contract: Path,
    policies: Mapping[str, Policy],
    folder: Path,
    env: Mapping[str, str],
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `service`, whose agents are set up by `env` (see `LlmStub.env`) and by nothing else."""
    variables = {"DATABASE_URL": f"sqlite:///{folder}/test.db", "BROKER_URL": f"nats://{NOBODY}"}
    variables |= {f"{peer.upper()}_URL": f"http://{NOBODY}" for peer in service.peers}
    variables |= {f"{peer.upper()}_GRPC_URL": f"grpc://{NOBODY}" for peer in service.grpc_peers}
    settings = Settings.from_env(
        service.name, peers=service.peers, grpc_peers=service.grpc_peers, env=variables
    )
    settings = replace(settings, grpc_port=0)  # any that is free
    app = create_app(service, routes, settings, contract, policies)
    await app.state.staff.close()
    app.state.staff = Staff(app.state.runtime, app.state.peers, env)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=f"http://{service.name}") as client,
    ):
        yield client
