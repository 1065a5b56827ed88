"""The gateway: what it lets through, as data and as nginx does it."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from archgen.deploy.gateway import public
from tests.deploy.systems import described, files

CONFIGURATION = "deploy/kubernetes/base/default.conf.template"


def operations(name: str) -> set[tuple[str, str]]:
    return {(one.method, one.pattern) for one in public(described(name))}


@pytest.mark.parametrize("style", ["orchestration", "choreography"])
def test_what_a_saga_does_is_not_for_customers(style: str) -> None:
    posts = {pattern for method, pattern in operations(style) if method == "POST"}
    assert "/api/orders/orders" in posts
    assert not any(re.match(r"/api/(payments/payments|shipping/shipments)", pattern) for pattern in posts)


def test_reading_is_public() -> None:
    assert ("(GET|HEAD)", "/api/orders/order-details/[^/]+") in operations("orchestration")


class Echo(BaseHTTPRequestHandler):
    """A service that answers with what it was asked for."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = f"{self.command} {self.path} {len(self.rfile.read(length))}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def nginx(folder: Path, template: str) -> Iterator[str]:
    """A running nginx with the gateway's configuration; behind it, all services are one echo."""
    backend = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as free:
        port = free.server_port
    hosts = sorted(set(re.findall(r'" ([a-z0-9-]+);$', template, re.MULTILINE)))
    servers = "".join(f"upstream {host} {{ server 127.0.0.1:{backend.server_port}; }}\n" for host in hosts)
    # There is no name server here: the names are those of the groups above.
    inner = template.replace("resolver ${NGINX_LOCAL_RESOLVERS} valid=10s;", "").replace(
        "${SERVICE_SUFFIX}:8000", ""
    )
    inner = inner.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = f"pid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\nhttp {{\n{paths}{servers}{inner}}}\n"
    (folder / "nginx.conf").write_text(config, "utf-8")
    command = [NGINX, "-c", str(folder / "nginx.conf"), "-e", str(folder / "log"), "-g", "daemon off;"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(100):
            if process.poll() is not None or ask(url, "GET", "/gateway/health")[0] == 200:
                break
            time.sleep(0.1)
        assert process.poll() is None, (folder / "log").read_text("utf-8")
        yield url
    finally:
        process.terminate()
        process.wait()
        backend.shutdown()
        backend.server_close()


def ask(url: str, method: str, path: str, size: int = 0) -> tuple[int, str, str]:
    """Status, body and content type."""
    data = b"x" * size if method == "POST" else None
    request = urllib.request.Request(f"{url}{path}", data=data, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return answer.status, answer.read().decode(), answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers.get_content_type()
    except OSError:
        return 0, "", ""


NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else "")


@pytest.mark.skipif(not NGINX, reason="nginx is not installed")
def test_nginx_lets_through_what_is_public_and_nothing_else(tmp_path: Path) -> None:
    with nginx(tmp_path, files("orchestration")[CONFIGURATION]) as url:
        assert ask(url, "POST", "/api/orders/orders", 10)[:2] == (200, "POST /orders 10")
        assert ask(url, "GET", "/api/orders/orders/7?a=b")[:2] == (200, "GET /orders/7?a=b 0")
        assert ask(url, "HEAD", "/api/orders/order-details")[0] == 200
        for method, path in (
            ("GET", "/metrics"),
            ("GET", "/api/orders/metrics"),
            ("GET", "/api/orders/health/ready"),
            ("GET", "/api/orders/openapi.json"),
            ("DELETE", "/api/orders/orders/7"),
            ("GET", "/api/orders/orders/7/../../metrics"),
            ("GET", "/api/orders/orders/..%2fmetrics"),
            ("POST", "/api/payments/payments"),
            ("POST", "/api/orders/orders/7/confirm"),
            ("GET", "/api/orders//metrics"),
            ("GET", "/api/nobody/orders"),
        ):
            status, body, kind = ask(url, method, path)
            assert (status, kind) == (404, "application/problem+json"), f"{method} {path}: {status} {body}"
        assert ask(url, "POST", "/api/orders/orders", 2_000_000)[0] in (413, 0)
        rush = [ask(url, "GET", "/api/orders/orders/7") for _ in range(120)]
        assert {status for status, *_ in rush} == {200, 429}


@pytest.mark.skipif(not NGINX, reason="nginx is not installed")
def test_nginx_says_so_in_a_problem_when_a_service_is_away(tmp_path: Path) -> None:
    template = files("small")[CONFIGURATION]
    with nginx(
        tmp_path, template.replace("proxy_pass http://$service", "proxy_pass http://127.0.0.1:1")
    ) as url:
        status, _, kind = ask(url, "GET", "/api/notes/notes/1")
        assert (status, kind) == (503, "application/problem+json")
