"""Tokens for calls to other services: signed by the caller's own key, good for one peer and a minute."""

from __future__ import annotations

import time
from collections.abc import Callable

from chassis.security import tokens
from chassis.security.keys import KeyRing
from chassis.security.model import Security
from chassis.security.settings import SecuritySettings

SECONDS = 60.0
RENEWED = 30.0
"""A token is used for so many seconds, and then there is a new one."""


def signer(security: Security, settings: SecuritySettings, peer: str) -> Callable[[], str]:
    """A function that gives a token for the next call to `peer`."""
    ring = KeyRing(settings.keys, security.service)
    claims = {
        "iss": security.service,
        "sub": security.service,
        "aud": f"{security.system}/{peer}",
    }
    held: list[tuple[float, str]] = []

    def token() -> str:
        now = time.monotonic()
        if not held or held[0][0] < now:
            held[:] = [(now + RENEWED, tokens.sign(ring.signing(), tokens.SERVICE, claims, SECONDS))]
        return held[0][1]

    return token
