"""What every call passes on its way to a method, in this order:

- trace and correlation, so that everything below is in the trace
- count and time of what the caller saw
- deadline: work that nobody waits for any more is not begun, and ends when the time is up
- guard: whoever may not ask is told so; this is the one place where a caller's credential is looked at
- errors into statuses

Over HTTP the same is done by `edge`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Any

import grpc
from grpc import StatusCode
from grpc.aio import ServicerContext
from opentelemetry.trace import SpanKind
from opentelemetry.trace import StatusCode as SpanStatus

from chassis import deadline, metrics, tracing
from chassis.rpc.status import Denied, Outcome, outcome

log = logging.getLogger(__name__)

Context = ServicerContext[bytes, bytes]
Answer = Callable[[bytes], Awaitable[bytes]]
Guard = Callable[[str, Mapping[str, str]], Awaitable[None]]
"""Gets the method's path and the call's metadata, and raises `Denied` for a caller that may not."""

# The codes that speak against this service; over HTTP those from 500 up.
FAULTS = frozenset(
    {StatusCode.UNKNOWN, StatusCode.DEADLINE_EXCEEDED, StatusCode.INTERNAL, StatusCode.UNAVAILABLE}
    | {StatusCode.DATA_LOSS, StatusCode.UNIMPLEMENTED, StatusCode.RESOURCE_EXHAUSTED}
)


class Edge:
    """`seconds` bound a call that brings no deadline, `size` (bytes) an answer."""

    def __init__(self, guard: Guard | None = None, *, seconds: float = 30.0, size: int) -> None:
        self._guard = guard
        self._seconds = seconds
        self._size = size
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def idle(self) -> None:
        """Returns when no call is under way."""
        await self._idle.wait()

    def handler(self, path: str, answer: Answer) -> grpc.RpcMethodHandler[Any, Any]:
        """`answer` as gRPC's server calls it; requests and answers stay bytes, which the contract reads."""

        async def serve(request: bytes, context: Context) -> bytes:
            done = await self._counted(path, request, context, answer)
            if isinstance(done, Outcome):
                await context.abort(done.code, done.message, done.metadata)
            return done

        return grpc.unary_unary_rpc_method_handler(serve)

    async def _counted(self, path: str, request: bytes, context: Context, answer: Answer) -> bytes | Outcome:
        metadata = {
            name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)
        }
        began = time.perf_counter()
        code = StatusCode.CANCELLED  # stays when the caller went away
        self._enter()
        with ExitStack() as stack:
            span = stack.enter_context(_traced(path, metadata))
            stack.enter_context(tracing.correlated(metadata.get(tracing.CORRELATION_HEADER)))
            try:
                done = await self._bounded(path, request, context.time_remaining(), metadata, answer)
                code = done.code if isinstance(done, Outcome) else StatusCode.OK
                return done
            finally:
                seconds = time.perf_counter() - began
                self._leave(path, code, seconds)
                span.set_attribute("rpc.grpc.status_code", code.value[0])
                if code in FAULTS:
                    span.set_status(SpanStatus.ERROR)
                log.debug("%s %s", path, code.name, extra={"seconds": round(seconds, 4)})

    async def _bounded(
        self, path: str, request: bytes, left: float | None, metadata: Mapping[str, str], answer: Answer
    ) -> bytes | Outcome:
        seconds = self._seconds if left is None else min(left, self._seconds)
        if seconds <= 0:
            return Outcome(StatusCode.DEADLINE_EXCEEDED, "The time for this call was up when it arrived.")
        try:
            async with asyncio.timeout(seconds) as limit:
                with deadline.within(seconds):
                    if self._guard is not None:
                        await self._guard(path, metadata)
                    return self._fitting(await answer(request))
        except TimeoutError as error:
            if not limit.expired():
                return outcome(error, path)
            return Outcome(StatusCode.DEADLINE_EXCEEDED, "The call took too long.")
        except Exception as error:
            return outcome(error, path)

    def _fitting(self, data: bytes) -> bytes:
        if len(data) > self._size:
            log.error("an answer is too large", extra={"bytes": len(data), "limit": self._size})
            raise Denied(StatusCode.RESOURCE_EXHAUSTED, f"The answer is larger than {self._size} bytes.")
        return data

    def _enter(self) -> None:
        self._under_way += 1
        self._idle.clear()
        metrics.grpc_in_flight.inc()

    def _leave(self, path: str, code: StatusCode, seconds: float) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()
        metrics.grpc_in_flight.dec()
        metrics.grpc_requests.labels(path, code.name).inc()
        metrics.grpc_seconds.labels(path).observe(seconds)


def _traced(path: str, metadata: Mapping[str, str]) -> Any:
    service, _, method = path.removeprefix("/").rpartition("/")
    attributes = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
    parent = tracing.extract(metadata.get("traceparent"), metadata.get("tracestate"))
    return tracing.span(path.removeprefix("/"), SpanKind.SERVER, attributes, parent)
