"""A service's gRPC side: in the same process and event loop as HTTP, on a port of its own.

From the moment a signal ends the process, health says NOT_SERVING and no new call is taken; those under
way are finished, for at most `shutdown_seconds`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from chassis.health import Health
from chassis.limits import MIB
from chassis.rpc.edge import Edge, Guard
from chassis.rpc.views import ServedView
from chassis.settings import Settings

if TYPE_CHECKING:
    from chassis.runtime import Runtime

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between two looks at readiness
LARGEST_REQUEST = MIB
LARGEST_ANSWER = 4 * MIB
OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_REQUEST),
    ("grpc.max_send_message_length", LARGEST_ANSWER),
    # A second process on the same port is a mistake, not a way to share the load.
    ("grpc.so_reuseport", 0),
    # Callers look for new replicas when they connect, so they have to connect now and then.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 30_000),
    # Callers may ask every ten seconds whether the connection is alive; the default is five minutes.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


class Server:
    """Answers for `views` of the service of `runtime`, as long as `health` says that it is ready."""

    def __init__(
        self,
        views: tuple[ServedView, ...],
        runtime: Runtime,
        health: Health,
        settings: Settings,
        guard: Guard | None = None,
    ) -> None:
        self._views = views
        self._runtime = runtime
        self._readiness = health
        self._settings = settings
        self._guard = guard
        self._draining = asyncio.Event()
        self.port = 0

    async def start(self) -> None:
        """Raises RuntimeError when the port is taken."""
        settings = self._settings
        self._edge = Edge(self._guard, size=LARGEST_ANSWER)
        self._health = health_aio.HealthServicer()
        self._server = grpc.aio.server(options=OPTIONS)
        self._services = sorted({_service(view) for view in self._views})
        for name in self._services:
            handlers = {
                view.method.descriptor.name: self._edge.handler(view.method.path, self._answer(view))
                for view in self._views
                if _service(view) == name
            }
            generic = grpc.method_handlers_generic_handler(name, handlers)
            self._server.add_generic_rpc_handlers((generic,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if not settings.prod:
            self._reflect()
        await self._show()
        self.port = self._server.add_insecure_port(f"{settings.host}:{settings.grpc_port}")
        await self._server.start()
        loop = asyncio.get_running_loop()
        self._readiness.on_drain(lambda: loop.call_soon_threadsafe(self._draining.set))
        self._task = asyncio.create_task(self._live(), name="grpc")

    async def stop(self) -> None:
        """Finish what is under way and let go of the port."""
        self._draining.set()
        await self._task

    async def _live(self) -> None:
        while not self._draining.is_set():
            await self._show()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._draining.wait(), LOOK)
        await self._health.enter_graceful_shutdown()
        seconds = self._settings.shutdown_seconds
        closing = asyncio.create_task(self._server.stop(seconds))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._edge.idle(), seconds)
        # Whoever watches health has a call open that would never end by itself.
        await self._server.stop(None)
        await closing

    async def _show(self) -> None:
        ready = await self._readiness.ready()
        answer = health_pb2.HealthCheckResponse
        status = answer.SERVING if ready else answer.NOT_SERVING
        for name in ("", *self._services):
            await self._health.set(name, status)

    def _answer(self, view: ServedView) -> Any:
        return lambda request: view.answer(self._runtime, request)

    def _reflect(self) -> None:
        """Let tools such as grpcurl ask what there is; only in development."""
        from grpc_reflection.v1alpha import reflection

        pool = DescriptorPool()
        names = [reflection.SERVICE_NAME, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name]
        needed = (each for view in self._views for each in view.method.files)
        for file in (health_pb2.DESCRIPTOR.serialized_pb, *needed):
            pool.AddSerializedFile(file)
        reflection.enable_server_reflection((*self._services, *names), self._server, pool)


def _service(view: ServedView) -> str:
    return str(view.method.descriptor.containing_service.full_name)
