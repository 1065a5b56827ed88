"""The Messages API as a script: a real HTTP server on loopback, for tests without a network or a key.

    with LlmStub([Say(tool("order_details", {"order_id": id})), Say("All is well.")]) as stub:
        ...  # ANTHROPIC_BASE_URL=stub.url
    assert len(stub.requests) == 2

It refuses what the real one refuses: a call of a tool that the next message does not answer, a wrong
key, a request without a model. What a script does not foresee is a 500, so that no test passes by it.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

KEY = "sk-ant-stub"
_ids = itertools.count(1)


def tool(name: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A block by which the model calls a tool."""
    return {"type": "tool_use", "id": f"toolu_{next(_ids):06}", "name": name, "input": dict(arguments or {})}


@dataclass(frozen=True)
class Say:
    """An answer: texts and tool calls. The reason to stop follows from them unless given.

    `breaks` closes the connection in the middle; `pause` is seconds of silence before the first byte.
    """

    blocks: Sequence[str | dict[str, Any]]
    stop_reason: str = ""
    input_tokens: int = 100
    output_tokens: int = 20
    breaks: bool = False
    pause: float = 0.0

    def __init__(
        self,
        *blocks: str | dict[str, Any],
        stop_reason: str = "",
        input_tokens: int = 100,
        output_tokens: int = 20,
        breaks: bool = False,
        pause: float = 0.0,
    ) -> None:
        for name, value in {**locals()}.items():
            if name != "self":
                object.__setattr__(self, name, value)

    @property
    def content(self) -> list[dict[str, Any]]:
        return [{"type": "text", "text": block} if isinstance(block, str) else block for block in self.blocks]

    @property
    def reason(self) -> str:
        called = any(block["type"] == "tool_use" for block in self.content)
        return self.stop_reason or ("tool_use" if called else "end_turn")


@dataclass(frozen=True)
class Fail:
    """An error status, such as 429 or 529; with `midway`, an error event in a stream that had begun well."""

    status: int
    kind: str = "api_error"
    headers: Mapping[str, str] = field(default_factory=dict)
    midway: bool = False


Step = Say | Fail
Script = Sequence[Step] | Callable[[dict[str, Any]], Step]


class LlmStub:
    """The server. `script` is played step by step, or is a function of the request's body."""

    def __init__(self, script: Script = (), *, key: str = KEY) -> None:
        self.requests: list[dict[str, Any]] = []
        self.key = key
        self._script = script
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def play(self, script: Script) -> None:
        """Begin another script; what was asked so far is forgotten."""
        with self._lock:
            self._script = script
            self.requests = []

    @property
    def env(self) -> dict[str, str]:
        """The variables that make a service use this server."""
        return {"ANTHROPIC_BASE_URL": self.url, "ANTHROPIC_API_KEY": self.key, "AGENT_MODEL": "stub-model"}

    def results(self) -> list[dict[str, Any]]:
        """The tool results of the last request, in their order."""
        content = self.requests[-1]["messages"][-1]["content"]
        return [block for block in content if isinstance(block, dict) and block["type"] == "tool_result"]

    def step(self, body: dict[str, Any], key: str) -> Step:
        """What to answer to `body`."""
        with self._lock:
            self.requests.append(body)
            if key != self.key:
                return Fail(401, "authentication_error")
            if fault := _fault(body):
                return Fail(400, f"invalid_request_error: {fault}")
            if callable(self._script):
                return self._script(body)
            number = len(self.requests) - 1
            return self._script[number] if number < len(self._script) else Fail(500, "the script is over")

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the server."""
        self._over.wait(seconds)


def _fault(body: Mapping[str, Any]) -> str:
    """What the real API would refuse."""
    if not body.get("model") or not body.get("max_tokens") or not body.get("messages"):
        return "model, max_tokens and messages are required"
    waiting: set[str] = set()
    for message in body["messages"]:
        content = message["content"] if isinstance(message["content"], list) else []
        answered = {block["tool_use_id"] for block in content if block["type"] == "tool_result"}
        if message["role"] == "user" and answered != waiting:
            return f"tool_use ids {sorted(waiting ^ answered)} were found without their counterpart"
        waiting = {block["id"] for block in content if block["type"] == "tool_use"}
    return f"tool_use ids {sorted(waiting)} are not answered" if waiting else ""


def _events(say: Say, model: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answer as the API streams it."""
    usage = {"input_tokens": say.input_tokens, "output_tokens": 1}
    message = {"id": "msg_stub", "type": "message", "role": "assistant", "model": model, "content": []}
    yield (
        "message_start",
        {"message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}},
    )
    for index, block in enumerate(say.content):
        if block["type"] == "text":
            empty = {**block, "text": ""}
            kind, key, whole = "text_delta", "text", block["text"]
        else:
            empty = {**block, "input": {}}
            kind, key, whole = "input_json_delta", "partial_json", json.dumps(block["input"])
        yield "content_block_start", {"index": index, "content_block": empty}
        half = len(whole) // 2
        for part in (whole[:half], whole[half:]):
            yield "content_block_delta", {"index": index, "delta": {"type": kind, key: part}}
        yield "content_block_stop", {"index": index}
    delta = {"stop_reason": say.reason, "stop_sequence": None}
    yield "message_delta", {"delta": delta, "usage": {"output_tokens": say.output_tokens}}
    yield "message_stop", {}


def _handler(stub: LlmStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            # SDKs send it in one header or the other, by their age.
            key = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix(
                "Bearer "
            )
            step = stub.step(body, key)
            try:
                if isinstance(step, Fail):
                    self._fail(step, body["model"])
                else:
                    stub.wait(step.pause) if step.pause else None
                    self._say(step, body["model"])
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the caller did not want to wait

        def _fail(self, fail: Fail, model: str) -> None:
            error = {"type": "error", "error": {"type": fail.kind, "message": f"The stub says {fail.kind}."}}
            if fail.midway:
                self._stream([*_events(Say("Well, "), model)][:3], error)
                return
            text = json.dumps(error).encode()
            self.send_response(fail.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(text)), **fail.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def _say(self, say: Say, model: str) -> None:
            events = list(_events(say, model))
            self._stream(events[: len(events) // 2] if say.breaks else events)

        def _stream(
            self, events: list[tuple[str, dict[str, Any]]], error: Mapping[str, Any] | None = None
        ) -> None:
            self.close_connection = True  # its end is the end of the answer
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for kind, data in events:
                self.wfile.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode())
            if error:
                self.wfile.write(f"event: error\ndata: {json.dumps(error)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Tests have nothing to read here."""

    return Handler
