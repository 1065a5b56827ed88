"""The gateway that notifications go out through: an HTTP server that takes each key once.

What becomes of a message follows from the seed, its customer and its channel, so it is the same in
every run. Most are taken at once. Some are taken slowly, so that workers are killed and frozen while they
wait; some are taken and the answer gets lost; some are refused for good; and some wait until the gateway is
mended, which is later than a job is tried.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any, Literal, Self

Fate = Literal["taken", "slow", "answer lost", "hiccup", "refused", "blocked"]
FATES: dict[Fate, int] = {
    "taken": 42,
    "slow": 30,
    "answer lost": 10,
    "hiccup": 6,
    "refused": 6,
    "blocked": 6,
}
REFUSAL = "this address takes no messages"


@dataclass(frozen=True)
class Sent:
    """What a customer got, under the key of the first call that brought it."""

    key: str
    customer_id: str
    channel: str
    text: str


@dataclass
class Records:
    """What the gateway took and refused; only under `lock` while it is at work."""

    sent: dict[str, Sent] = field(default_factory=dict)
    refused: dict[str, Sent] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)  # by key
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def repeated(self) -> int:
        """Calls under a key that was known."""
        return self.calls.total() - len(self.calls)


class Gateway:
    """At work while inside, at `url`."""

    def __init__(self, seed: int) -> None:
        self.records = Records()
        self._seed = seed
        self._mended = threading.Event()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def mend(self) -> None:
        """From now on, what was blocked is taken."""
        self._mended.set()

    def fate(self, customer_id: str, channel: str) -> Fate:
        rng = Random(f"gateway {self._seed} {customer_id} {channel}")
        return rng.choices(list(FATES), list(FATES.values()))[0]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, message: Sent) -> int | None:
        """The status to answer with; None for no answer at all."""
        records, fate = self.records, self.fate(message.customer_id, message.channel)
        with records.lock:
            records.calls[message.key] += 1
            calls = records.calls[message.key]
            if message.key in records.sent:
                return 200
        if fate == "slow":
            longest = Random(f"slow {self._seed} {message.customer_id}").uniform(0.5, 3.0)
            self._closing.wait(longest if calls == 1 else 0.1)
        if fate == "hiccup" and calls == 1:
            return 503
        # Not a fault of the gateway's as a whole: the caller's breaker stays closed.
        if fate == "blocked" and not self._mended.is_set():
            return 429
        with records.lock:
            if fate == "refused":
                records.refused[message.key] = message
                return 422
            records.sent.setdefault(message.key, message)
        return None if fate == "answer lost" and calls == 1 else 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = self.headers["Idempotency-Key"].strip('"')
                message = Sent(key, body["customer_id"], self.path.strip("/"), body["text"])
                status = gateway._take(message)
                if status is None:
                    self.close_connection = True
                    return
                answer = b"{}" if status < 400 else json.dumps({"detail": REFUSAL}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # the caller was killed meanwhile: that is the point
                    super().handle()

            def log_message(self, format: str, *args: Any) -> None:
                return

        return Handler
