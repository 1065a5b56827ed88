"""Tokens that look right and are not: each way to forge one that is known."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chassis.security import tokens
from chassis.security.keys import new_key
from chassis.security.tokens import Invalid, PublicKey, public_key, sign, verify
from chassis.testing.credentials import signed

KEY = new_key("issuer")
PUBLIC = public_key(KEY.public)
CLAIMS = {"iss": "shop/users", "aud": "shop", "sub": "ada", "roles": ["customer"]}


def judged(token: str, key: PublicKey | None = PUBLIC) -> dict[str, Any]:
    assert key is not None
    tokens.header(token)
    return verify(token, key, "shop/users", "shop")


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_that_is_right_counts() -> None:
    claims = judged(sign(KEY, tokens.ACCESS, CLAIMS, 60))
    assert (claims["sub"], claims["roles"]) == ("ada", ["customer"])


def test_without_a_signature() -> None:
    head, body, _ = sign(KEY, tokens.ACCESS, CLAIMS, 60).split(".")
    for algorithm in ("none", "None", "NONE", ""):
        for signature in ("", "AAAA"):
            forged = f"{part({'alg': algorithm, 'kid': KEY.kid, 'typ': 'at+jwt'})}.{body}.{signature}"
            with pytest.raises(Invalid):
                judged(forged)
    with pytest.raises(Invalid):
        judged(f"{head}.{body}.")


def test_signed_with_the_public_key_as_a_shared_secret() -> None:
    pem = KEY.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    raw = KEY.private.public_key().public_bytes_raw()
    for secret in (pem, raw, KEY.public["x"].encode()):
        body = {**CLAIMS, "iat": int(time.time()), "exp": int(time.time()) + 60}
        # PyJWT refuses to sign with such a key, so that part is done by hand.
        text = f"{part({'alg': 'HS256', 'kid': KEY.kid, 'typ': 'at+jwt'})}.{part(body)}"
        signature = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        forged = f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        with pytest.raises(Invalid):
            judged(forged)


def test_a_key_for_one_algorithm_verifies_no_other() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    forged = jwt.encode({**CLAIMS, "exp": 9e9, "iat": 1}, other, "ES256", {"kid": KEY.kid})
    with pytest.raises(Invalid):
        judged(forged)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"aud": "bank"}, "audience"),
        ({"aud": ["bank", "post"]}, "audience"),
        ({"iss": "shop/admins"}, "issuer"),
        ({"exp": int(time.time()) - 60}, "expired"),
        ({"nbf": int(time.time()) + 3600}, "do not hold"),
        ({"iat": int(time.time()) + 3600}, "do not hold"),
        ({"exp": "soon"}, "do not hold"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "do not hold"),
        ({"sub": "a" * 300}, "subject"),
    ],
)
def test_claims_that_are_wrong(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        judged(signed(KEY, tokens.ACCESS, {**CLAIMS, **changed}))


@pytest.mark.parametrize("missing", ["exp", "iat", "iss", "aud", "sub"])
def test_claims_that_are_missing(missing: str) -> None:
    claims = {**CLAIMS, "iat": 1, "exp": int(time.time()) + 60}
    del claims[missing]
    with pytest.raises(Invalid):
        judged(jwt.encode(claims, KEY.private, "EdDSA", {"kid": KEY.kid}))


def test_every_changed_character_is_noticed() -> None:
    token = sign(KEY, tokens.ACCESS, CLAIMS, 60)
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    with pytest.raises(Invalid):
        judged(f"{head}.{part({**claims, 'roles': ['admin']})}.{signature}")
    for place in (5, len(head) + 5, len(head) + len(body) + 10):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(Invalid):
            judged(token[:place] + other + token[place + 1 :])


def test_a_token_of_another_key_with_the_same_id() -> None:
    forger = new_key("issuer")
    forged = jwt.encode(
        {**CLAIMS, "iat": 1, "exp": 9e9}, forger.private, "EdDSA", {"kid": KEY.kid, "typ": "at+jwt"}
    )
    with pytest.raises(Invalid):
        judged(forged)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "a" * 100, "a" * 10_000, "null.null.null"])
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(Invalid):
        judged(text)


def test_extensions_are_not_understood() -> None:
    token = jwt.encode(
        {**CLAIMS, "exp": 9e9, "iat": 1},
        KEY.private,
        "EdDSA",
        {"kid": KEY.kid, "crit": ["b64"], "b64": False},
    )
    with pytest.raises(Invalid):
        judged(token)


def test_only_keys_for_signatures_are_taken() -> None:
    small = rsa.generate_private_key(65537, 1024)
    strong = rsa.generate_private_key(65537, 2048)

    def jwk(key: rsa.RSAPrivateKey, **more: str) -> dict[str, Any]:
        return {**jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "k", **more}

    assert public_key(jwk(small)) is None
    assert public_key(jwk(strong)) is not None
    assert public_key(jwk(strong, alg="RS256")) is not None
    assert public_key(jwk(strong, alg="HS256")) is None
    assert public_key(jwk(strong, use="enc")) is None
    assert public_key({"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "k"}) is None
    assert public_key({**KEY.public, "alg": "RS256"}) is None
    assert public_key({"kty": "OKP", "crv": "Ed25519", "kid": "k"}) is None
    assert public_key({}) is None
