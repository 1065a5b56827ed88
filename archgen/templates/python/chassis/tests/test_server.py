"""A service as a process of its own, asked to stop by the signals that an operating system sends."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from chassis.testing.servers import free_port

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")

APP = """
    import asyncio, sys
    from contextlib import asynccontextmanager
    from fastapi import FastAPI
    from chassis import edge, logs, server
    from chassis.health import Health
    from chassis.settings import Settings

    @asynccontextmanager
    async def lifespan(app):
        if "fail" in sys.argv:
            raise RuntimeError("no database")
        yield
        print("ended", flush=True)

    settings = Settings.from_env("orders")
    health = Health()
    app = FastAPI(lifespan=lifespan)
    logs.setup("orders", settings.log_level)
    edge.install(app, health)

    @app.get("/slow/{seconds}")
    async def slow(seconds: float):
        await asyncio.sleep(seconds)
        return {"draining": health.draining}

    server.serve(app, settings, health)
"""


class Service:
    def __init__(self, folder: Path, *arguments: str, shutdown: float = 10) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        script = folder / "app.py"
        script.write_text(textwrap.dedent(APP))
        environment = {**os.environ, "PORT": str(self.port), "SHUTDOWN_SECONDS": str(shutdown)}
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments], env=environment, stdout=subprocess.PIPE, text=True
        )

    def wait_until_ready(self) -> None:
        for _ in range(200):
            try:
                if httpx.get(f"{self.url}/health/ready").status_code == 200:
                    return
            except httpx.ConnectError:
                time.sleep(0.05)
        pytest.fail("the service did not start")

    def in_the_background(self, path: str) -> tuple[threading.Thread, list[httpx.Response | Exception]]:
        result: list[httpx.Response | Exception] = []

        def ask() -> None:
            try:
                result.append(httpx.get(f"{self.url}{path}", timeout=20))
            except httpx.HTTPError as error:
                result.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.3)
        return thread, result

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=20)
        return self.process.returncode, output


Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Service] = []

    def begin(*arguments: str, shutdown: float = 10) -> Service:
        started.append(Service(tmp_path, *arguments, shutdown=shutdown))
        return started[-1]

    yield begin
    for service in started:
        service.process.kill()
        service.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_zero_after_its_lifespan_did(start: Start, number: int) -> None:
    service = start()
    service.wait_until_ready()
    code, output = service.end(number)
    assert code == 0
    assert output.splitlines().count("ended") == 1
    assert "Traceback" not in output


def test_a_request_under_way_is_finished_and_none_is_begun(start: Start) -> None:
    service = start()
    service.wait_until_ready()
    thread, result = service.in_the_background("/slow/1.5")
    service.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{service.url}/health/ready")
    thread.join()
    (answer,) = result
    assert isinstance(answer, httpx.Response)
    assert (answer.status_code, answer.json()) == (200, {"draining": True})
    assert "server" not in answer.headers
    assert service.process.wait(10) == 0


def test_a_request_that_will_not_end_holds_it_up_no_longer_than_allowed(start: Start) -> None:
    service = start(shutdown=1)
    service.wait_until_ready()
    thread, result = service.in_the_background("/slow/15")
    began = time.monotonic()
    code, output = service.end(signal.SIGTERM)
    assert time.monotonic() - began < 5
    assert (code, "ended" in output) == (0, True)
    thread.join()
    assert not isinstance(result[0], httpx.Response) or result[0].status_code >= 500


def test_an_app_that_cannot_start_ends_with_three(start: Start) -> None:
    service = start("fail")
    service.process.communicate(timeout=20)
    assert service.process.returncode == 3


@pytest.mark.skipif(sys.platform != "linux", reason="only there is all of 127.0.0.0/8 this machine")
def test_in_development_it_listens_on_loopback_only(start: Start) -> None:
    service = start()
    service.wait_until_ready()
    with socket.socket() as other:
        # Only free because nothing listens on all addresses.
        other.bind(("127.0.0.2", service.port))
