"""Signed tokens (JWT): made with a key of ours, and verified with nothing left to the token to choose.

The key decides which algorithm holds, never the token's header. Issuer, audience, subject and both
times have to be there and right.
Source: RFC 8725 (best practices for JWT), RFC 9068 (access tokens).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from chassis.security.keys import SigningKey

ACCESS = "at+jwt"
SERVICE = "svc+jwt"
LONGEST = 8192
"""Characters of a token at most."""
LEEWAY = 10.0
"""Seconds by which clocks may differ."""
_BY_CURVE = {"Ed25519": "EdDSA", "P-256": "ES256"}
_RSA = ("RS256", "PS256")


class Invalid(Exception):
    """Why a token is not accepted, safe to tell its bearer."""


@dataclass(frozen=True)
class PublicKey:
    """A key to verify with, and the one algorithm that it is for."""

    kid: str
    algorithm: str
    key: Any


def public_key(jwk: Mapping[str, Any]) -> PublicKey | None:
    """The key of a JWK; None for one that is not for verifying signatures of a kind accepted here."""
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        return None
    algorithm = _algorithm(jwk)
    if algorithm is None or jwk.get("alg", algorithm) != algorithm:
        return None
    try:
        key = jwt.PyJWK(dict(jwk), algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size < 2048:
        return None
    return PublicKey(str(jwk.get("kid", "")), algorithm, key)


def _algorithm(jwk: Mapping[str, Any]) -> str | None:
    match jwk.get("kty"):
        case "OKP" | "EC":
            return _BY_CURVE.get(str(jwk.get("crv")))
        case "RSA":
            named = jwk.get("alg", "RS256")
            return named if named in _RSA else None
    return None  # `oct` above all: a shared secret is nobody's signature


def sign(key: SigningKey, kind: str, claims: Mapping[str, Any], seconds: float) -> str:
    """A token of `kind` with `claims`, valid from now for so many seconds."""
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + max(1, int(seconds)), "jti": str(uuid.uuid4())}
    headers = {"typ": kind, "kid": key.kid}
    return jwt.encode({**claims, **times}, key.private, algorithm="EdDSA", headers=headers)


def header(token: str) -> dict[str, Any]:
    """The header of `token`, of which nothing is proved yet. Raises Invalid."""
    if len(token) > LONGEST:
        raise Invalid("it is too long")
    try:
        found: dict[str, Any] = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError):
        raise Invalid("it is no signed token") from None
    if "crit" in found:
        raise Invalid("it has extensions that are not understood here")
    return found


def unproved(token: str, claim: str) -> str:
    """A claim of `token` that says where to look for the key, and is proved later. Raises Invalid."""
    try:
        found = jwt.decode(token, options={"verify_signature": False}).get(claim)
    except (jwt.PyJWTError, ValueError):
        raise Invalid("it is no signed token") from None
    return found if isinstance(found, str) else ""


def verify(token: str, key: PublicKey, issuer: str, audience: str) -> dict[str, Any]:
    """The claims of `token`, which are now proved. Raises Invalid."""
    try:
        found: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except jwt.ExpiredSignatureError:
        raise Invalid("it has expired") from None
    except jwt.InvalidAudienceError:
        raise Invalid("it is for another audience") from None
    except jwt.InvalidIssuerError:
        raise Invalid("it is from another issuer") from None
    except (jwt.PyJWTError, ValueError, TypeError):
        raise Invalid("its signature or its claims do not hold") from None
    if not found["sub"] or len(found["sub"]) > 255:
        raise Invalid("it has no usable subject")
    return found
