"""Passwords: hashed with Argon2id, and compared in the same time whether there is one or not.

Only a length is asked for: rules about characters make passwords worse.
Source: NIST SP 800-63B-4, section 3.1.1; OWASP, Password Storage Cheat Sheet, for the parameters.
"""

from __future__ import annotations

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 128
"""Characters. A longer one would be work for whoever wants to waste the service's time."""
AT_ONCE = 4
"""So many are hashed at once in one process: each takes MEMORY_KIB of memory and a moment of one core."""
MEMORY_KIB = 19 * 1024


class Passwords:
    """Hashes and compares, off the event loop and a few at a time."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)
        self._places = asyncio.Semaphore(AT_ONCE)
        # What the password of nobody is compared with, so that it takes as long as anybody's.
        self._nobodys = self._hasher.hash("nobody has this password")

    async def hashed(self, password: str) -> str:
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, _same(password))

    async def matches(self, password: str, kept: str | None) -> bool:
        """Whether `password` is the one that `kept` was made from; never if nothing is kept."""
        async with self._places:
            right = await asyncio.to_thread(self._verify, password, kept or self._nobodys)
        return right and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether `kept` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, _same(password))
        except (VerificationError, InvalidHashError):
            return False


def fault(password: str) -> str:
    """Why `password` can't be one; empty if it can."""
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"A password has at most {LONGEST} characters."
    return ""


def _same(password: str) -> str:
    """One text for what looks the same, from whichever keyboard it came."""
    return unicodedata.normalize("NFC", password)
