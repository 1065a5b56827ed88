"""A stub of an OpenID Connect provider: its discovery document and its keys, and nothing else."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from chassis.security.keys import KeyRing
from chassis.security.keysets import DISCOVERY, JWKS
from chassis.security.settings import ISSUER


class StubIssuer:
    """Answers on a port of loopback while it is entered; `asked` counts what it was asked for."""

    def __init__(self, keys: Path) -> None:
        ring = KeyRing(keys, ISSUER)
        asked: dict[str, int] = {}
        self.asked = asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked[self.path] = asked.get(self.path, 0) + 1
                url = f"http://{self.headers['Host']}"
                found: dict[str, object] = {}
                if self.path == DISCOVERY:
                    found = {"issuer": url, "jwks_uri": url + JWKS}
                elif self.path == JWKS:
                    found = {**ring.public()}
                body = json.dumps(found).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
