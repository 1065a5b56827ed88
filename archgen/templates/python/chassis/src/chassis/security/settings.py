"""What the environment says about security, checked as a whole when the service starts.

| variable | meaning | in development |
| --- | --- | --- |
| `KEYS_DIR` | the folder with key files | `data/keys`, filled by the services themselves |
| `AUTH_ISSUER` | the OpenID Connect provider, instead of the description's | the description's |
| `TRUSTED_PROXIES` | how many proxies of ours append to X-Forwarded-For | 0 |
| `RATE_PER_SECOND` | requests of one user, or of one address without token; 0 for no limit | 50 |

Production takes no key that was made in development and makes none by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chassis.security.keys import DEV, KeyProblem, KeyRing, ensure, public_path
from chassis.security.model import ExternalIssuer, OwnIssuer, Security
from chassis.security.rates import Rate
from chassis.settings import Settings, SettingsError

ISSUER = "issuer"
"""The name of the keys that users' tokens are signed with."""
BURST_SECONDS = 4
"""A burst is what so many seconds allow."""


@dataclass(frozen=True)
class SecuritySettings:
    """`issuer` is the `iss` of users' tokens, `keys_url` where their keys are, or their discovery."""

    keys: Path
    issuer: str
    keys_url: str
    proxies: int
    rate: Rate | None

    @classmethod
    def from_env(cls, security: Security, settings: Settings, env: Mapping[str, str]) -> SecuritySettings:
        """Read and check everything; in development make the keys that are missing.

        Raises SettingsError with every problem at once.
        """
        problems: list[str] = []
        folder = env.get("KEYS_DIR", "").strip() or ("" if settings.prod else "data/keys")
        needed = signers(security) or security.callers
        if needed and not folder:
            problems.append("KEYS_DIR is missing; prod makes no keys by itself: `make keys` does")
        elif needed:
            problems += _keys(security, Path(folder), prod=settings.prod)
        issuer, keys_url = _issuer(security, settings, env, problems)
        proxies = _number(env, "TRUSTED_PROXIES", 0, problems)
        rate = _number(env, "RATE_PER_SECOND", 50, problems)
        if problems:
            raise SettingsError(problems)
        limit = Rate(rate, rate * BURST_SECONDS) if rate else None
        return cls(Path(folder), issuer, keys_url, proxies, limit)


def own_issuer(system: str, service: str) -> str:
    """What tokens of a system's own issuer name as `iss`."""
    return f"{system}/{service}"


def signers(security: Security) -> list[str]:
    """The names of the keys that the service itself signs with."""
    return [*([security.service] if security.calls else []), *([ISSUER] if security.accounts else [])]


def _keys(security: Security, folder: Path, *, prod: bool) -> list[str]:
    problems = []
    for name in signers(security):
        try:
            ring = KeyRing(folder, name) if prod else ensure(folder, name, dev=True)
            if prod and any(key.kid.startswith(DEV) for key in ring.keys):
                problems.append(
                    f"{ring.path} holds a key that was made in development; `make keys` makes one"
                )
        except (KeyProblem, OSError) as error:
            problems.append(f"KEYS_DIR: {error}")
    if prod:
        for name in sorted(security.callers):
            if not public_path(folder, name).exists():
                problems.append(f"KEYS_DIR: {public_path(folder, name)} is missing, by which {name} is known")
    return problems


def _issuer(
    security: Security, settings: Settings, env: Mapping[str, str], problems: list[str]
) -> tuple[str, str]:
    if isinstance(security.issuer, OwnIssuer):
        service = security.issuer.service
        variable = f"{service.upper()}_URL"
        url = env.get(variable, "").strip()
        if service == security.service:
            url = "http://itself"  # never asked: it reads its own file
        elif not url.startswith(("http://", "https://")):
            problems.append(f"{variable} must be the http(s) address of {service}, whose tokens count here")
        return own_issuer(security.system, service), url
    url = env.get("AUTH_ISSUER", "").strip() or security.issuer.url
    if settings.prod and not url.startswith("https://"):
        problems.append("AUTH_ISSUER must be an https address in prod")
    elif not url.startswith(("http://", "https://")):
        problems.append("AUTH_ISSUER must be an http(s) address")
    return url, url


def _number(env: Mapping[str, str], name: str, default: int, problems: list[str]) -> int:
    given = env.get(name, "").strip() or str(default)
    if given.isascii() and given.isdigit() and len(given) < 7:
        return int(given)
    problems.append(f"{name} is {given!r}; it must be a whole number, 0 or above")
    return default


def discovers(security: Security) -> bool:
    """Whether the issuer's keys are found through its discovery document."""
    return isinstance(security.issuer, ExternalIssuer)
