"""Tokens for tests, demos and drills of a system whose description has `auth:`.

It reads `contracts/access.json` and signs with the keys that the system's own processes use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt

from chassis.security import tokens
from chassis.security.keys import KeyRing, SigningKey, ensure
from chassis.security.settings import ISSUER, own_issuer

ACCESS = "contracts/access.json"
SOMEBODY = "50eb0d1e-0000-4000-8000-000000000001"
"""The subject of a token for which it does not matter whose it is."""
SECONDS = 3600.0


@dataclass(frozen=True)
class Operation:
    """One HTTP operation, and who may reach it; see `archgen`'s contract, contracts/access.json."""

    service: str
    method: str
    path: str
    kind: str
    aggregate: str
    key: str
    roles: tuple[str, ...]
    callers: tuple[str, ...]
    public: bool
    owner: str

    def allows(self, role: str) -> bool:
        return self.public or role in self.roles


class Credentials:
    """Signs tokens as the system of the project in `root` accepts them, with the keys in `keys`.

    `url` is where a stub of an external issuer answers, for a system that has one.
    """

    def __init__(self, root: Path, keys: Path, url: str = "") -> None:
        self.document: dict[str, Any] = json.loads((root / ACCESS).read_text("utf-8"))
        self.system: str = self.document["system"]
        self.audience: str = self.document["audience"]
        self.roles: tuple[str, ...] = tuple(self.document["roles"])
        self.staff: tuple[str, ...] = tuple(self.document["staff"])
        self.keys = keys
        self._url = url

    @classmethod
    def of(cls, root: Path, keys: Path, url: str = "") -> Credentials | None:
        """None for a system without `auth`."""
        return cls(root, keys, url) if (root / ACCESS).exists() else None

    @property
    def external(self) -> bool:
        """Whether users sign in at an issuer that is no part of the system."""
        return "url" in self.document["issuer"]

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        found = self.document["operations"]
        return tuple(
            Operation(**{**each, "roles": tuple(each["roles"]), "callers": tuple(each["callers"])})
            for each in found
        )

    @property
    def signers(self) -> tuple[str, ...]:
        """Whose keys there are: those of the issuer, and of every service that calls another."""
        return (ISSUER, *dict.fromkeys(name for each in self.operations for name in each.callers))

    def make_keys(self) -> None:
        for name in self.signers:
            ensure(self.keys, name, dev=True)

    @property
    def issuer(self) -> str:
        return self._url if self.external else own_issuer(self.system, self.document["issuer"]["service"])

    def token(self, *roles: str, subject: str = SOMEBODY, **changed: Any) -> str:
        """A user's token. `changed` are claims that are to be others than they should."""
        claims = {"iss": self.issuer, "aud": self.audience, "sub": subject, **self._held(roles), **changed}
        return signed(KeyRing(self.keys, ISSUER).signing(), tokens.ACCESS, claims)

    def service_token(self, name: str, peer: str, **changed: Any) -> str:
        """A token of the service `name` for calls to `peer`."""
        claims = {"iss": name, "sub": name, "aud": f"{self.system}/{peer}", **changed}
        return signed(KeyRing(self.keys, name).signing(), tokens.SERVICE, claims)

    def everything(self, service: str, body: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Headers of somebody who has every role, and whom what `body` describes is for."""
        owners = {each.owner for each in self.operations if each.service == service and each.owner}
        named = [str(value) for name, value in (body or {}).items() if name in owners]
        return bearer(self.token(*self.roles, subject=named[0] if named else SOMEBODY))

    def _held(self, roles: tuple[str, ...]) -> dict[str, Any]:
        """The roles where the system looks for them."""
        held: Any = list(roles)
        for part in reversed(self.document["issuer"].get("roles_claim", "roles").split(".")):
            held = {part: held}
        found: dict[str, Any] = held
        return found


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def signed(key: SigningKey, kind: str, claims: Mapping[str, Any]) -> str:
    """As `tokens.sign`, but where `claims` name a time, that time holds."""
    fresh = jwt.decode(tokens.sign(key, kind, {}, SECONDS), options={"verify_signature": False})
    headers = {"typ": kind, "kid": key.kid}
    return jwt.encode({**fresh, **claims}, key.private, algorithm="EdDSA", headers=headers)
