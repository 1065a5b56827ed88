"""What a service is told from outside: its environment, read once and checked as a whole.

In the `dev` profile everything has a default that works on a laptop. In `prod` nothing that
matters is guessed: a missing address or a placeholder for a secret stops the service at start.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# What people leave behind in an example file; compared after dropping case and punctuation.
PLACEHOLDERS = frozenset(
    {"admin", "change", "changeit", "changeme", "changethis", "default", "dev", "example", "guest"}
    | {"insecure", "none", "pass", "password", "placeholder", "postgres", "replaceme", "root", "secret"}
    | {"test", "todo", "xxx", "yoursecret", "yoursecrethere"}
)


class SettingsError(Exception):
    """The environment does not describe a service that can start; `problems` lists every reason."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("the environment is not usable:\n" + "\n".join(f"  {p}" for p in self.problems))


@dataclass(frozen=True)
class Settings:
    """The settings of one service. Addresses may carry passwords, so they are not in its `repr`."""

    service: str
    profile: str
    host: str
    port: int
    grpc_port: int
    log_level: str
    shutdown_seconds: float
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    _peers: Mapping[str, str] = field(repr=False, default_factory=dict)
    _grpc_peers: Mapping[str, str] = field(repr=False, default_factory=dict)
    _secrets: Mapping[str, str] = field(repr=False, default_factory=dict)

    @classmethod
    def from_env(
        cls,
        service: str,
        *,
        peers: Iterable[str] = (),
        grpc_peers: Iterable[str] = (),
        secrets: Mapping[str, str] | None = None,
        env: Mapping[str, str] = os.environ,
    ) -> Settings:
        """Read the settings of `service`.

        `peers` names the services whose `<SERVICE>_URL` must be there, and `grpc_peers` those whose
        `<SERVICE>_GRPC_URL` must. `secrets` maps the name of
        each secret variable to the value it has in development, which production never accepts.
        Raises `SettingsError` with every problem at once.
        """
        read = _Reader(env)
        settings = cls(
            service=service,
            profile=read.profile,
            host=read.text("HOST", "0.0.0.0" if read.prod else "127.0.0.1"),
            port=read.port("PORT", 8000),
            grpc_port=read.port("GRPC_PORT", 9000),
            log_level=read.choice("LOG_LEVEL", "INFO", LEVELS),
            shutdown_seconds=read.seconds("SHUTDOWN_SECONDS", 20.0),
            database_url=read.address("DATABASE_URL", f"sqlite:///data/{service}.db"),
            broker_url=read.address("BROKER_URL", "nats://127.0.0.1:4222"),
            _peers={peer: read.peer(peer) for peer in peers},
            _grpc_peers={peer: read.grpc_peer(peer) for peer in grpc_peers},
            _secrets={name: read.secret(name, dev) for name, dev in (secrets or {}).items()},
        )
        if read.problems:
            raise SettingsError(read.problems)
        return settings

    @property
    def prod(self) -> bool:
        return self.profile == "prod"

    def peer_url(self, name: str) -> str:
        """The base URL of a peer that was named to `from_env`; `KeyError` otherwise."""
        return self._peers[name]

    def peer_urls(self, name: str) -> tuple[str, str]:
        """The base URL of a peer and its gRPC address; empty for the one that no call goes to."""
        return self._peers.get(name, ""), self._grpc_peers.get(name, "")

    def secret(self, name: str) -> str:
        """The value of a secret that was named to `from_env`; `KeyError` otherwise."""
        return self._secrets[name]


class _Reader:
    """Reads variables, noting what is wrong instead of stopping at the first."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []
        self.profile = self.choice("PROFILE", "dev", ("dev", "prod"))
        self.prod = self.profile.lower() == "prod"

    def text(self, name: str, default: str) -> str:
        return self.env.get(name, "").strip() or default

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        given = self.text(name, default)
        for value in allowed:
            if given.lower() == value.lower():
                return value
        self.problems.append(f"{name} is {given!r}; it must be one of {', '.join(allowed)}")
        return default

    def port(self, name: str, default: int) -> int:
        given = self.text(name, str(default))
        if given.isascii() and given.isdigit() and int(given) <= 65535:
            return int(given)
        self.problems.append(f"{name} is {given!r}; it must be a port from 0 to 65535")
        return default

    def seconds(self, name: str, default: float) -> float:
        given = self.text(name, str(default))
        if re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", given):
            return float(given)
        self.problems.append(f"{name} is {given!r}; it must be a number of seconds")
        return default

    def address(self, name: str, default: str) -> str:
        given = self.text(name, "" if self.prod else default)
        if not given:
            self.problems.append(f"{name} is missing; prod has no default for it")
        elif "://" not in given:
            self.problems.append(f"{name} is not a URL")  # not shown: it may hold a password
        elif self.prod and is_placeholder(_password(given)):
            self.problems.append(f"{name} holds a placeholder for its password")
        return given

    def peer(self, name: str) -> str:
        variable = f"{name.replace('-', '_').upper()}_URL"
        given = self.text(variable, "")
        if not given.startswith(("http://", "https://")):
            self.problems.append(f"{variable} must be the http(s) address of {name}")
        return given.rstrip("/")

    def grpc_peer(self, name: str) -> str:
        variable = f"{name.replace('-', '_').upper()}_GRPC_URL"
        given = self.text(variable, "").rstrip("/")
        if not re.fullmatch(r"grpc://[^/:@\s]+:[0-9]{1,5}|grpc://\[[0-9a-fA-F:.]+\]:[0-9]{1,5}", given):
            self.problems.append(f"{variable} must be the address of {name}, as grpc://host:port")
        return given

    def secret(self, name: str, dev: str) -> str:
        given = self.text(name, "" if self.prod else dev)
        if not given:
            self.problems.append(f"{name} is missing; it is a secret and has no default in {self.profile}")
        elif self.prod and (given == dev or is_placeholder(given)):
            self.problems.append(f"{name} holds a placeholder, not a secret")
        return given


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None


def is_placeholder(value: str | None) -> bool:
    """Whether `value` is what people leave behind in an example file."""
    return value is not None and re.sub(r"[^a-z]", "", value.lower()) in PLACEHOLDERS
