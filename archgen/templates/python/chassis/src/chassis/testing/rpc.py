"""A peer that is spoken to over gRPC, for tests of those who call it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc

from chassis.limits import MIB
from chassis.rpc.contract import Method
from chassis.rpc.edge import Edge, Guard

Row = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


@asynccontextmanager
async def peer_answering(
    method: Method, row: Row, *, port: int = 0, guard: Guard | None = None, seconds: float = 30.0
) -> AsyncIterator[str]:
    """The address of a peer with this one method; it is gone when the block ends.

    `row` gets the request and gives the row to answer with, or raises what a service would raise.
    """
    edge = Edge(guard, seconds=seconds, size=64 * MIB)

    async def answer(request: bytes) -> bytes:
        return method.response({"row": await row(method.read_request(request))})

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    service = method.descriptor.containing_service.full_name
    handlers = {method.descriptor.name: edge.handler(method.path, answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield f"grpc://127.0.0.1:{bound}"
    finally:
        await server.stop(None)
