"""Public keys of those who sign: from a file, or from an issuer over HTTP.

An issuer is asked when its keys are old, or when a token names a key that is not known; but never
more often than once in COOLDOWN seconds, whatever tokens arrive, and by one request at a time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx

from chassis.errors import Unavailable
from chassis.security.keys import KeyRing
from chassis.security.tokens import PublicKey, public_key

log = logging.getLogger(__name__)
FRESH = 300.0
"""Seconds for which the keys are taken as they are."""
COOLDOWN = 10.0
"""Seconds between two requests to the issuer."""
STALE = 86_400.0
"""Seconds for which known keys serve on while the issuer can't be reached."""
LARGEST = 256 * 1024
DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks.json"


class Unusable(ValueError):
    """An issuer's answer from which no keys can be had."""


class KeySet(Protocol):
    """Where to look up a key by its id."""

    async def find(self, kid: str) -> PublicKey | None:
        """The key; None when there is none. Raises Unavailable when that can't be told now."""
        ...


class FileKeys:
    """The keys in the file `path`, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int], dict[str, PublicKey]] | None = None

    async def find(self, kid: str) -> PublicKey | None:
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if self._read is None or self._read[0] != stamp:
                self._read = (stamp, keys_in(json.loads(self._path.read_text("utf-8"))))
        except (OSError, ValueError):
            raise Unavailable(f"the public keys in {self._path.name} can't be read", 5.0) from None
        return self._read[1].get(kid)


class RingKeys:
    """The keys that this very service signs with."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def find(self, kid: str) -> PublicKey | None:
        return next((public_key(key.public) for key in self._ring.keys if key.kid == kid), None)


class RemoteKeys:
    """The keys of an issuer: at `url` itself, or where its discovery document says if `discover`."""

    def __init__(
        self, url: str, *, discover: bool = False, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._discover = discover
        self._keys: dict[str, PublicKey] = {}
        self._loaded = self._asked = float("-inf")
        self._lock = asyncio.Lock()
        # A redirect could lead anywhere; an issuer's documents are where it says they are.
        self._http = httpx.AsyncClient(timeout=3.0, follow_redirects=False, transport=transport)

    async def find(self, kid: str) -> PublicKey | None:
        if kid not in self._keys or time.monotonic() - self._loaded > FRESH:
            await self._refresh(kid)
        age = time.monotonic() - self._loaded
        if age > STALE:
            raise Unavailable("the issuer of tokens does not answer", COOLDOWN)
        return self._keys.get(kid)

    async def close(self) -> None:
        await self._http.aclose()

    async def _refresh(self, kid: str) -> None:
        async with self._lock:
            now = time.monotonic()
            known = kid in self._keys and now - self._loaded <= FRESH  # somebody else asked meanwhile
            if known or now - self._asked < COOLDOWN:
                return
            self._asked = now
            try:
                self._keys = keys_in(await self._fetch())
                self._loaded = time.monotonic()
            except (httpx.HTTPError, ValueError) as error:
                log.warning("the issuer's keys could not be fetched", extra={"reason": repr(error)})
                # While nothing is known nothing works, so it is worth asking sooner.
                self._asked = time.monotonic() - (0.0 if self._keys else COOLDOWN - 1.0)

    async def _fetch(self) -> Mapping[str, Any]:
        url = self._url
        if self._discover:
            found = await self._get(url + DISCOVERY)
            if str(found.get("issuer", "")).rstrip("/") != url:
                raise Unusable("the discovery document is another issuer's")
            url = str(found["jwks_uri"]) if "jwks_uri" in found else ""
            if url.partition("://")[0] != self._url.partition("://")[0]:
                raise Unusable("the keys are not where the issuer is")
        return await self._get(url)

    async def _get(self, url: str) -> Mapping[str, Any]:
        async with self._http.stream("GET", url) as response:
            response.raise_for_status()
            body = b""
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST:
                    raise Unusable("the answer is too long")
        found = json.loads(body)
        if not isinstance(found, dict):
            raise Unusable("the answer is not an object")
        return found


def keys_in(document: Mapping[str, Any]) -> dict[str, PublicKey]:
    """The usable keys of a JWK set by their ids. Raises Unusable for what is no JWK set."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise Unusable("not a set of keys")
    found = [public_key(each) for each in listed[:100] if isinstance(each, dict)]
    return {key.kid: key for key in found if key is not None and key.kid}
