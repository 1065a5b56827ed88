"""The system as its Procfile describes it, on free ports and in a folder of its own.

with System(project, folder) as system:
    httpx.post(f"{system.url('orders')}/orders", json=...)
    system.kill("payments")   # SIGKILL
    system.start("payments")
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from chassis.testing.credentials import Credentials
from chassis.testing.issuer import StubIssuer
from chassis.testing.servers import free_ports

BROKER = "broker"
_LINE = re.compile(r"^(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>.+)$")


class NotReady(Exception):
    """A process ended or did not become ready in time; the text holds the end of its log."""


class System:
    """All processes of the project in `root`; what they write goes below `folder`.

    `env` overrides what .env.example says, such as DATABASE_URL. Processes are stopped by their
    process ids, never by name.
    """

    def __init__(self, root: Path, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.root = root.resolve()
        self.folder = folder.resolve()
        self.commands = dict(_procfile(self.root / "Procfile"))
        self.env = {**os.environ, **_env(self.root / ".env.example"), **(env or {})}
        self.env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        self.env["PYTHONUNBUFFERED"] = "1"
        # Tests ask more often than people do; what limits do has tests of its own.
        self.env.setdefault("RATE_PER_SECOND", "0")
        self._issuer: StubIssuer | None = None
        self.credentials = self._credentials()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._move_to_free_ports()

    @property
    def services(self) -> list[str]:
        """Those that others may call; a worker has a port, for its health and metrics, and no URL."""
        named = (name for name in self.commands if name != BROKER)
        return [name for name in named if f"{name.upper().replace('-', '_')}_URL" in self.env]

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.port(service)}"

    def port(self, process: str) -> int:
        return int(self.env[_port_variable(process)])

    def headers(self, service: str, body: Mapping[str, Any] | None = None) -> dict[str, str]:
        """What lets a request through whatever it asks for; `body` says whom it is for.

        Nothing, in a system without `auth`.
        """
        return {} if self.credentials is None else self.credentials.everything(service, body)

    def start(self, *names: str, wait: bool = True, timeout: float = 60.0) -> None:
        """Start these processes, or all; with `wait`, return when each of them is ready."""
        chosen = names or tuple(self.commands)
        for name in chosen:
            self._start(name)
        if wait:
            deadline = time.monotonic() + timeout
            for name in chosen:
                self.wait_ready(name, deadline - time.monotonic())

    def kill(self, name: str) -> None:
        """End the process as a crash would: SIGKILL, no chance to tidy up."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def end(self, name: str, timeout: float = 20.0) -> int:
        """Ask the process to end; returns its exit code."""
        process = self._processes.pop(name)
        process.terminate()
        return _end(process, timeout)

    def freeze(self, name: str) -> None:
        """Stop the process without ending it, as a long pause would; POSIX only."""
        self._processes[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._processes[name].send_signal(signal.SIGCONT)

    def running(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def stop(self, timeout: float = 20.0) -> dict[str, int]:
        """Ask every process to end, services first; returns their exit codes."""
        codes: dict[str, int] = {}
        ordered = [name for name in self._processes if name != BROKER]
        for group in (ordered, [name for name in self._processes if name == BROKER]):
            for name in group:
                self._processes[name].send_signal(signal.SIGCONT)
                self._processes[name].terminate()
            for name in group:
                codes[name] = _end(self._processes.pop(name), timeout)
        return codes

    def wait_ready(self, name: str, timeout: float) -> None:
        """Return when `name` takes work. Raises NotReady when it ended or is too slow."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.running(name):
                raise NotReady(f"{name} ended at start:\n{self.log(name)}")
            if self._ready(name):
                return
            time.sleep(0.05)
        raise NotReady(f"{name} was not ready after {timeout:.0f} s:\n{self.log(name)}")

    def log(self, name: str, lines: int = 30) -> str:
        """The end of what the process printed."""
        path = self.folder / "logs" / f"{name}.log"
        return "\n".join(path.read_text("utf-8", "replace").splitlines()[-lines:]) if path.exists() else ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self._issuer is not None:
                stack.callback(self._issuer.__exit__)
                self._issuer.__enter__()
            stack.callback(self.stop)
            self.start()
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._issuer is not None:
            self._issuer.__exit__()

    def _credentials(self) -> Credentials | None:
        """What signs tokens, with keys in the system's folder before any process starts."""
        keys = self.folder / (self.env.get("KEYS_DIR") or "data/keys")
        found = Credentials.of(self.root, keys)
        if found is None:
            return None
        found.make_keys()
        if not found.external:
            return found
        self._issuer = StubIssuer(keys)
        self.env["AUTH_ISSUER"] = self._issuer.url
        return Credentials(self.root, keys, self._issuer.url)

    def _start(self, name: str) -> None:
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        (self.folder / "data").mkdir(exist_ok=True)
        with (logs / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                ["/bin/sh", "-c", self.commands[name]],
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _ready(self, name: str) -> bool:
        if name == BROKER:
            with socket.socket() as probe:
                probe.settimeout(0.2)
                return probe.connect_ex(("127.0.0.1", self.port(name))) == 0
        try:
            return httpx.get(f"{self.url(name)}/health/ready", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def _move_to_free_ports(self) -> None:
        """Give every process a port that is free now, and mend the URLs that name the old ones."""
        variables = [variable for name in self.commands for variable in self._port_variables(name)]
        ports = free_ports(len(variables))
        moved = {self.env[name]: str(port) for name, port in zip(variables, ports, strict=True)}
        for variable in variables:
            self.env[variable] = moved[self.env[variable]]
        for variable, value in self.env.items():
            found = re.fullmatch(r"(\w+://127\.0\.0\.1:)(\d+)", value)
            if found and found[2] in moved:
                self.env[variable] = found[1] + moved[found[2]]

    def _port_variables(self, process: str) -> list[str]:
        """Those of all ports that the process listens on: HTTP, and gRPC where it has that side."""
        grpc = f"{process.upper().replace('-', '_')}_GRPC_PORT"
        return [_port_variable(process), *([grpc] if grpc in self.env else [])]


def _port_variable(process: str) -> str:
    return f"{process.upper().replace('-', '_')}_PORT"


def _procfile(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text("utf-8").splitlines():
        if found := _LINE.match(line):
            yield found["name"], found["command"]


def _env(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in path.read_text("utf-8").splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs if not name.startswith("#")}


def _end(process: subprocess.Popen[bytes], timeout: float) -> int:
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
