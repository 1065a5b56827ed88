"""The gate: every request is judged here, once, before its body is read and before anything is done.

In this order: is there a valid token (401), may its bearer do this (403), does he ask too often (429)?
An operation that no rule names is closed. What belongs to others is `ownership`'s concern.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException

from chassis import metrics
from chassis.errors import Unavailable
from chassis.security import tokens
from chassis.security.addresses import client_address
from chassis.security.keys import KeyRing, public_path
from chassis.security.keysets import JWKS, FileKeys, KeySet, RemoteKeys, RingKeys
from chassis.security.model import STRANGER, Caller, ExternalIssuer, OwnIssuer, Security
from chassis.security.rates import Rates
from chassis.security.settings import ISSUER, SecuritySettings, discovers

log = logging.getLogger(__name__)
REMEMBERED = 60.0
"""Seconds for which a token that was verified needs no second look at its signature."""
TOKENS = 10_000
SCOPE = "chassis.caller"


class Gate:
    """The gate of one service."""

    def __init__(
        self, security: Security, settings: SecuritySettings, user_keys: KeySet | None = None
    ) -> None:
        self.security = security
        self.settings = settings
        self._user_keys = user_keys or _user_keys(security, settings)
        self._service_keys = {name: FileKeys(public_path(settings.keys, name)) for name in security.callers}
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()
        self._by_subject = Rates(settings.rate)
        self._by_address = Rates(settings.rate)

    async def close(self) -> None:
        if isinstance(self._user_keys, RemoteKeys):
            await self._user_keys.close()

    async def admit(self, request: Request, operation: str) -> Caller:
        """Who asks, if they may. `operation` is method and path. Raises HTTPException, or Unavailable."""
        rule = self.security.rule(operation)
        caller = await (self._recognised(request) if rule.public else self._authenticated(request))
        if not caller.meets(rule):
            metrics.denied.labels("role").inc()
            raise _forbidden("Your roles do not allow this.")
        if caller.kind == "user":
            self._slow_down(self._by_subject, caller.subject, "subject")
        elif caller.kind == "nobody":
            self._slow_down(self._by_address, self.address(request), "address")
        request.scope[SCOPE] = caller
        return caller

    def address(self, request: Request) -> str:
        return client_address(request, self.settings.proxies)

    def _slow_down(self, rates: Rates, key: str, by: str) -> None:
        if wait := rates.take(key):
            metrics.rate_limited.labels(by).inc()
            raise too_many(wait)

    async def _recognised(self, request: Request) -> Caller:
        """Who asks for what is everybody's: a token is welcome, and none is needed."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            with contextlib.suppress(tokens.Invalid, Unavailable):
                return await self.bearer(token.strip())
        return STRANGER

    async def _authenticated(self, request: Request) -> Caller:
        given = request.headers.getlist("authorization")
        if not given:
            # Without a token nothing else tells callers apart.
            self._slow_down(self._by_address, self.address(request), "address")
            metrics.denied.labels("no_token").inc()
            raise _unauthorized("Send a token: `Authorization: Bearer …`.")
        scheme, _, token = given[0].partition(" ")
        try:
            if len(given) > 1 or scheme.lower() != "bearer" or not token.strip():
                raise tokens.Invalid("it is not one bearer token")
            return await self.bearer(token.strip())
        except tokens.Invalid as why:
            self._slow_down(self._by_address, self.address(request), "address")
            metrics.denied.labels("bad_token").inc()
            raise _unauthorized(f"The token does not count: {why}.", invalid=True) from None

    async def bearer(self, token: str) -> Caller:
        """Who bears `token`. Raises Invalid, and Unavailable when that can't be told now."""
        now = time.time()
        known = self._known.get(token)
        if known is not None and now < known[0]:
            return known[1]
        head = tokens.header(token)
        kid = head.get("kid")
        if not isinstance(kid, str):
            raise tokens.Invalid("it names no key")
        if head.get("typ") == tokens.SERVICE:
            caller, claims = await self._service(token, kid)
        else:
            caller, claims = await self._user(token, kid, head.get("typ"))
        self._known[token] = (min(now + REMEMBERED, float(claims["exp"])), caller)
        if len(self._known) > TOKENS:
            self._known.popitem(last=False)
        return caller

    async def _user(self, token: str, kid: str, kind: object) -> tuple[Caller, Mapping[str, Any]]:
        security = self.security
        if isinstance(security.issuer, OwnIssuer) and kind != tokens.ACCESS:
            raise tokens.Invalid("it is no access token")
        key = await self._user_keys.find(kid)
        if key is None:
            raise tokens.Invalid("its key is not known")
        claims = tokens.verify(token, key, self.settings.issuer, security.audience)
        claim = security.issuer.roles_claim if isinstance(security.issuer, ExternalIssuer) else "roles"
        roles = roles_in(claims, claim) & security.roles
        return Caller("user", claims["sub"], roles, sees_all=bool(roles & security.staff)), claims

    async def _service(self, token: str, kid: str) -> tuple[Caller, Mapping[str, Any]]:
        name = tokens.unproved(token, "iss")
        keys = self._service_keys.get(name)
        if keys is None:
            raise tokens.Invalid("its issuer calls nothing here")
        key = await keys.find(kid)
        if key is None:
            raise tokens.Invalid("its key is not known")
        audience = f"{self.security.system}/{self.security.service}"
        claims = tokens.verify(token, key, name, audience)
        if claims["sub"] != name:
            raise tokens.Invalid("a service speaks for itself only")
        return Caller("service", name, sees_all=True), claims


def _user_keys(security: Security, settings: SecuritySettings) -> KeySet:
    if security.accounts is not None:
        return RingKeys(KeyRing(settings.keys, ISSUER))
    if discovers(security):
        return RemoteKeys(settings.keys_url, discover=True)
    return RemoteKeys(settings.keys_url + JWKS)


def roles_in(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    """The roles that a token holds under `claim`: a list of texts, or one text with spaces between."""
    found: Any = claims
    for part in claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        found = found.split()
    if not isinstance(found, list):
        return frozenset()
    return frozenset(role for role in found if isinstance(role, str))


def too_many(wait: float) -> HTTPException:
    """The answer to who has to wait so many seconds."""
    return HTTPException(429, "You ask too often.", {"Retry-After": str(max(1, math.ceil(wait)))})


def _unauthorized(detail: str, *, invalid: bool = False) -> HTTPException:
    # Source: RFC 6750, section 3: no error code for who sent no token at all.
    return HTTPException(
        401, detail, {"WWW-Authenticate": 'Bearer error="invalid_token"' if invalid else "Bearer"}
    )


def _forbidden(detail: str) -> HTTPException:
    return HTTPException(403, detail, {"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
