"""Which databases and which stream belong to the system, and what was promised about them.

`recovery.toml` in the project says it; the environment says where each is, as for the services.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chassis.recovery.errors import RecoveryError

FILE = "recovery.toml"


@dataclass(frozen=True)
class Layout:
    """`databases` are URLs by service; `rpo` and `rto` are seconds, None when nothing is promised."""

    system: str
    databases: Mapping[str, str]
    broker: str
    rpo: float | None = None
    rto: float | None = None

    def only(self, services: list[str]) -> Layout:
        """The same with some of the services. Raises RecoveryError for one that there is not."""
        for name in services:
            if name not in self.databases:
                raise RecoveryError(f"there is no service {name!r}; there are {', '.join(self.databases)}")
        chosen = {name: url for name, url in self.databases.items() if name in services}
        return Layout(self.system, chosen, self.broker, self.rpo, self.rto)


def load(path: Path, env: Mapping[str, str] = os.environ) -> Layout:
    """Read recovery.toml; `<SERVICE>_DATABASE_URL` and `BROKER_URL` come from `env` or from .env beside it.

    Raises RecoveryError when the file is missing or does not say what it should.
    """
    try:
        told = tomllib.loads(path.read_text("utf-8"))
        services = [str(name) for name in told["services"]]
        system = str(told["system"])
    except OSError as error:
        raise RecoveryError(f"{path} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise RecoveryError(f"{path} is not a recovery.toml: {error}") from error
    known = {**_env_file(path.parent / ".env"), **env}
    databases = {name: _database(name, known, alone=len(services) == 1) for name in services}
    broker = known.get("BROKER_URL", "").strip() or "nats://127.0.0.1:4222"
    return Layout(system, databases, broker, told.get("rpo_seconds"), told.get("rto_seconds"))


def _database(service: str, env: Mapping[str, str], *, alone: bool) -> str:
    url = env.get(f"{service.upper()}_DATABASE_URL", "").strip()
    if not url and alone:
        url = env.get("DATABASE_URL", "").strip()
    return url or f"sqlite:///data/{service}.db"


def _env_file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text("utf-8").splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs if not name.lstrip().startswith("#")}
