"""A service over HTTP for tests of its agents: without a broker, on a SQLite file, the model a stub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter

from chassis.http import create_app
from chassis.policy import Policy
from chassis.security import tokens
from chassis.security.gate import Gate
from chassis.security.keys import KeyRing, ensure
from chassis.security.keysets import RingKeys
from chassis.security.model import OwnIssuer, Security
from chassis.security.settings import ISSUER, own_issuer
from chassis.service import Service
from chassis.settings import Settings
from chassis.testing.credentials import SOMEBODY, bearer

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
    """A client of `service`, whose agents are set up by `env` (see `LlmStub.env`) and by nothing else.

    It is signed in as somebody who has every role.
    """
    variables = {"DATABASE_URL": f"sqlite:///{folder}/test.db", "BROKER_URL": f"nats://{NOBODY}"}
    variables |= {f"{peer.upper()}_URL": f"http://{NOBODY}" for peer in service.peers}
    variables |= {f"{peer.upper()}_GRPC_URL": f"grpc://{NOBODY}" for peer in service.grpc_peers}
    settings = Settings.from_env(
        service.name, peers=service.peers, grpc_peers=service.grpc_peers, env=variables
    )
    settings = replace(settings, grpc_port=0)  # any that is free
    variables |= {"KEYS_DIR": str(folder / "keys"), **env}
    headers: dict[str, str] = {}
    if service.security is not None:
        keys = ensure(folder / "keys", ISSUER, dev=True)
        variables |= issuer_variables(service.security)
        headers = bearer(user_token(service.security, keys))
    app = create_app(service, routes, settings, contract, policies, variables)
    if service.security is not None:
        await app.state.gate.close()
        app.state.gate = Gate(service.security, app.state.gate.settings, RingKeys(keys))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=f"http://{service.name}", headers=headers) as client,
    ):
        yield client


def issuer_variables(security: Security) -> dict[str, str]:
    """Where the issuer is: nowhere, since its keys are known."""
    if isinstance(security.issuer, OwnIssuer):
        return {f"{security.issuer.service.upper()}_URL": f"http://{NOBODY}"}
    return {"AUTH_ISSUER": f"http://{NOBODY}"}


def user_token(security: Security, keys: KeyRing) -> str:
    """A token of somebody who has every role."""
    held: Any = sorted(security.roles)
    issuer = f"http://{NOBODY}"
    claim = "roles"
    if isinstance(security.issuer, OwnIssuer):
        issuer = own_issuer(security.system, security.issuer.service)
    else:
        claim = security.issuer.roles_claim
    for part in reversed(claim.split(".")):
        held = {part: held}
    claims = {"iss": issuer, "aud": security.audience, "sub": SOMEBODY, **held}
    return tokens.sign(keys.signing(), tokens.ACCESS, claims, 600.0)
