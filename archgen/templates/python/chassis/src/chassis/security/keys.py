"""Private keys: one file per signer, a JWK set; and beside it the public halves, for those who verify.

A key has a time `from` which it is in use: the newest such key signs. `rotate` adds one that is
published first and signs later, and drops those whose last token has expired, so that at no time a
valid token meets a verifier that can't know its key.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LEAD = 900.0
"""Seconds for which a new key is published before it signs; longer than verifiers cache."""
OVERLAP = 3600.0
"""Seconds for which a key stays published after another took over; longer than a token lives."""
DEV = "dev-"
"""How the ids of keys begin that nobody made on purpose. Production refuses them."""


class KeyProblem(Exception):
    """A key file that can't be used; the text says which and why, and nothing of its content."""


@dataclass(frozen=True)
class SigningKey:
    """`since` is the Unix time from which it signs."""

    kid: str
    since: float
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> dict[str, str]:
        """The public half as a JWK."""
        x = _text(self.private.public_key().public_bytes_raw())
        return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.kid, "x": x}

    def _stored(self) -> dict[str, Any]:
        return {**self.public, "d": _text(self.private.private_bytes_raw()), "from": self.since}


def new_key(name: str, since: float = 0.0, *, dev: bool = False) -> SigningKey:
    kid = f"{DEV if dev else ''}{name}-{secrets.token_hex(6)}"
    return SigningKey(kid, since, Ed25519PrivateKey.generate())


class KeyRing:
    """The keys of the signer `name` in `folder`, read again whenever the file changes."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.json"
        self._read: tuple[tuple[int, int], tuple[SigningKey, ...]] | None = None

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """Oldest first. Raises KeyProblem."""
        try:
            status = self.path.stat()
        except OSError:
            raise KeyProblem(f"{self.path} is missing") from None
        stamp = (status.st_mtime_ns, status.st_size)
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, _load(self.path))
        return self._read[1]

    def signing(self, now: float | None = None) -> SigningKey:
        """The newest key that is in use. Raises KeyProblem."""
        now = time.time() if now is None else now
        in_use = [key for key in self.keys if key.since <= now]
        if not in_use:
            raise KeyProblem(f"{self.path} has no key that is in use yet")
        return in_use[-1]

    def public(self) -> dict[str, list[dict[str, str]]]:
        """The public halves as a JWK set, those to come included."""
        return {"keys": [key.public for key in self.keys]}


def public_path(folder: Path, name: str) -> Path:
    """Where the public keys of the signer `name` are."""
    return folder / f"{name}.pub.json"


def ensure(folder: Path, name: str, *, dev: bool = False) -> KeyRing:
    """The keys of `name`, made if there are none; of two processes that make them, one wins."""
    ring = KeyRing(folder, name)
    if not ring.path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = _write_beside(ring.path, [new_key(name, dev=dev)])
        with contextlib.suppress(FileExistsError):
            os.link(fresh, ring.path)
        fresh.unlink()
    publish(folder, name)
    return ring


def publish(folder: Path, name: str) -> None:
    """Write the public halves beside the private ones, if they are not there already."""
    path, text = public_path(folder, name), json.dumps(KeyRing(folder, name).public(), indent=2) + "\n"
    with contextlib.suppress(OSError):
        if path.read_text("utf-8") == text:
            return
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)


def rotate(folder: Path, name: str, now: float | None = None, *, lead: float = LEAD) -> SigningKey:
    """Add a key that signs from `lead` seconds on, and drop those that no valid token needs any more."""
    now = time.time() if now is None else now
    ring = KeyRing(folder, name)
    current = ring.signing(now)
    kept = [key for key in ring.keys if key.since > now or _needed(key, ring.keys, now)]
    dev = current.kid.startswith(DEV)
    added = new_key(name, now + lead, dev=dev)
    _write_beside(ring.path, [*kept, added]).replace(ring.path)
    publish(folder, name)
    return added


def _needed(key: SigningKey, keys: Sequence[SigningKey], now: float) -> bool:
    """Whether `key` signs, or signed until less than OVERLAP ago."""
    later = [other.since for other in keys if other.since > key.since and other.since <= now]
    return not later or min(later) > now - OVERLAP


def _load(path: Path) -> tuple[SigningKey, ...]:
    try:
        found = json.loads(path.read_text("utf-8"))["keys"]
        keys = [
            SigningKey(
                str(each["kid"]),
                float(each.get("from", 0.0)),
                Ed25519PrivateKey.from_private_bytes(_bytes(each["d"])),
            )
            for each in found
        ]
    except (OSError, ValueError, KeyError, TypeError):
        raise KeyProblem(f"{path} is not a set of private Ed25519 keys") from None
    if not keys:
        raise KeyProblem(f"{path} has no key")
    return tuple(sorted(keys, key=lambda key: key.since))


def _write_beside(path: Path, keys: Sequence[SigningKey]) -> Path:
    """A file beside `path` with `keys`, readable by its owner only."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"keys": [key._stored() for key in keys]}, file, indent=2)
        file.write("\n")
    return fresh


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
