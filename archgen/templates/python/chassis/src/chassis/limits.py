"""No request may take all the memory or all the time."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.problem import Problem

MIB = 1024 * 1024
_LIMIT = "chassis.limit"


def extend(request: Request, seconds: float) -> None:
    """Let the answer to `request` begin as late as `seconds` from now, for work that bounds itself."""
    limit: asyncio.Timeout | None = request.scope.get(_LIMIT)
    if limit is not None:
        limit.reschedule(asyncio.get_running_loop().time() + seconds)


class Limits:
    """ASGI middleware: at most `body` bytes come in, and the answer begins within `seconds`.

    A body whose length is declared is refused before it is read; one sent in chunks, as soon as it
    is too long. Once the answer has begun it may take its time, so that streams stay possible.
    """

    def __init__(self, app: ASGIApp, body: int = MIB, seconds: float = 30.0) -> None:
        self.app = app
        self.body = body
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        # A length that is not a number was refused by the server already.
        if declared.isdigit() and int(declared) > self.body:
            await self._too_large().response()(scope, receive, send)
            return
        received = 0
        started = False

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.body:
                problem = self._too_large()
                raise HTTPException(problem.status, problem.detail, dict(problem.headers))
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if not limit.expired():  # or else this is the instant at which it does
                    limit.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self.seconds) as limit:
                scope[_LIMIT] = limit
                await self.app(scope, bounded, watched)
        except TimeoutError:
            if started or not limit.expired():
                raise
            # A body that came too slowly is still coming: here too the connection is spent.
            headers = {"Retry-After": "1", "Connection": "close"}
            await Problem(503, "The request took too long.", headers=headers).response()(scope, receive, send)

    def _too_large(self) -> Problem:
        # The rest of the body is still on its way, so the connection can't be used again.
        return Problem(413, f"The body may have {self.body} bytes.", headers={"Connection": "close"})
