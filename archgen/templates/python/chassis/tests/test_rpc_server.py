"""The gRPC side of a service on a real socket, from its first health check to its last."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from rpc_for_tests import get_parcels
from sqlalchemy import Connection, insert, update

from chassis import metrics, tracing
from chassis.db import Database
from chassis.health import Health
from chassis.rpc import Method, ServedView
from chassis.rpc import server as servers
from chassis.rpc.server import Server
from chassis.rpc.status import Denied, retry_after
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.tables import view_rows
from chassis.testing.fakes import FakeBus
from chassis.testing.servers import free_port

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE = "post.parcels.v1.ParcelsService"
PARCEL = "0b8f0e5c-8f0e-4c5f-9d0e-0c5f7ad0a6d1"


class Running:
    """A server over `db`, and a channel to it."""

    def __init__(self, db: Database, method: Method, folder: Path, **options: Any) -> None:
        env = {
            "DATABASE_URL": f"sqlite:///{folder}/unused.db",
            "BROKER_URL": "nats://x",
            "SHUTDOWN_SECONDS": "5",
        }
        settings = Settings.from_env("parcels", env={**env, **options.pop("env", {})})
        settings = replace(settings, grpc_port=free_port())
        self.health = Health()
        self.bus = FakeBus()
        self.runtime = Runtime(Service("post", "parcels"), settings, broker=self.bus)
        self.runtime.db = db
        self.health.add("broker", self.runtime.check_broker)
        self.method = method
        view = ServedView(method, "parcels", UUID)
        self.server = Server((view,), self.runtime, self.health, settings, **options)

    async def __aenter__(self) -> "Running":
        await self.server.start()
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.server.port}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()
        await self.server.stop()

    async def ask(
        self, key: str = PARCEL, version: int = 0, *, timeout: float | None = 5.0, **metadata: str
    ) -> dict[str, Any]:
        request = self.method.request({"parcel_id": key, "min_version": version})
        return await self.ask_bytes(request, timeout=timeout, **metadata)

    async def ask_bytes(self, request: bytes, timeout: float | None = 5.0, **metadata: str) -> dict[str, Any]:
        call: Any = self.channel.unary_unary(self.method.path)
        pairs = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
        row: dict[str, Any] = self.method.read_response(await call(request, timeout=timeout, metadata=pairs))[
            "row"
        ]
        return row

    async def failing(self, *arguments: Any, **more: Any) -> grpc.aio.AioRpcError:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.ask(*arguments, **more)
        return caught.value

    async def health_of(self, service: str = "") -> int:
        stub: Any = health_pb2_grpc.HealthStub(self.channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        return int(answer.status)


@pytest.fixture(scope="module")
def method(tmp_path_factory: pytest.TempPathFactory) -> Method:
    return get_parcels(tmp_path_factory.mktemp("contract"))


@pytest.fixture
async def running(db: Database, method: Method, tmp_path: Path) -> AsyncIterator[Running]:
    async with Running(db, method, tmp_path) as running:
        yield running


async def keep(db: Database, row: Mapping[str, Any], version: int = 3, key: str = PARCEL) -> None:
    def write(conn: Connection) -> None:
        conn.execute(insert(view_rows).values(view="parcels", key=key, version=version, row=dict(row)))

    await db.run(write)


async def until(condition: Any, seconds: float = 5.0) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.02)


# What is answered


async def test_a_row(running: Running, db: Database) -> None:
    await keep(db, {"parcel_id": PARCEL, "status": "sent", "items": [{"sku": "a", "quantity": 2}]})
    row = await running.ask()
    assert (row["parcel_id"], row["status"], row["version"]) == (PARCEL, "sent", 3)
    assert row["items"] == [{"sku": "a", "quantity": 2, "colour": None}]
    assert row == await running.ask(PARCEL.upper()), "a key in another spelling is the same key"


async def test_what_is_asked_wrongly_is_told_so(running: Running, db: Database) -> None:
    missing = await running.failing(str(uuid4()))
    assert missing.code() is StatusCode.NOT_FOUND
    assert "does not exist" in (missing.details() or "")
    for key in ("", "7", "x" * 100):
        assert (await running.failing(key)).code() is StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.ask_bytes(b"\xff\xff")
    assert caught.value.code() is StatusCode.INVALID_ARGUMENT


async def test_a_row_that_is_behind_is_waited_for(running: Running, db: Database) -> None:
    await keep(db, {"parcel_id": PARCEL})
    waiting = asyncio.create_task(running.ask(PARCEL, 4))
    await asyncio.sleep(0.1)
    await db.run(lambda conn: conn.execute(update(view_rows).values(version=4)))
    assert (await waiting)["version"] == 4
    late = await running.failing(PARCEL, 5)
    assert late.code() is StatusCode.UNAVAILABLE
    assert retry_after(tuple(late.trailing_metadata())) == 1.0


async def test_a_bug_stays_inside_and_is_logged(
    running: Running, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await keep(db, {"parcel_id": PARCEL, "pieces": "a secret that is no number"})
    with caplog.at_level(logging.ERROR):
        error = await running.failing()
    assert error.code() is StatusCode.INTERNAL
    assert "secret" not in (error.details() or "")
    assert "does not fit the contract" in caplog.text


async def test_a_database_that_is_away(running: Running, tmp_path: Path) -> None:
    running.runtime.db = Database("postgresql://nobody@127.0.0.1:1/none")
    error = await running.failing()
    running.runtime.db.close()
    assert error.code() is StatusCode.UNAVAILABLE
    assert error.details() == "The database does not answer."


async def test_an_unknown_method(running: Running) -> None:
    call: Any = running.channel.unary_unary(f"/{SERVICE}/EatParcel")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"")
    assert caught.value.code() is StatusCode.UNIMPLEMENTED


# Limits


async def test_a_call_whose_time_is_up_is_refused_and_a_slow_one_is_ended(
    running: Running, db: Database
) -> None:
    await keep(db, {"parcel_id": PARCEL})
    began = asyncio.get_running_loop().time()
    assert (await running.failing(PARCEL, 9, timeout=0.3)).code() is StatusCode.DEADLINE_EXCEEDED
    assert asyncio.get_running_loop().time() - began < 1.5

    async def idle() -> bool:
        return sample("grpc_requests_in_flight") == 0

    await until(idle, 1.0)


async def test_work_for_nobody_is_not_begun(db: Database, method: Method, tmp_path: Path) -> None:
    begun: list[str] = []

    async def guard(path: str, _: Mapping[str, str]) -> None:
        begun.append(path)

    async with Running(db, method, tmp_path, guard=guard) as running:
        edge = running.server._edge
        for left in (0.0, -1.0):
            outcome = await edge._bounded(
                "/x", b"", left, {}, running.server._answer(running.server._views[0])
            )
            assert getattr(outcome, "code", None) is StatusCode.DEADLINE_EXCEEDED
    assert begun == []


async def test_a_request_that_is_too_large_is_not_taken(running: Running) -> None:
    error = await running.failing("x" * (servers.LARGEST_REQUEST + 1))
    assert error.code() is StatusCode.RESOURCE_EXHAUSTED


async def test_an_answer_that_is_too_large_is_not_given(
    running: Running, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await keep(db, {"parcel_id": "x" * (servers.LARGEST_ANSWER + 1)})
    error = await running.failing()
    assert error.code() is StatusCode.RESOURCE_EXHAUSTED
    assert "too large" in caplog.text


async def test_a_port_that_is_taken_is_a_failure_to_start(
    running: Running, db: Database, method: Method
) -> None:
    second = Running(db, method, Path())
    second.server._settings = replace(second.server._settings, grpc_port=running.server.port)
    try:
        with pytest.raises(RuntimeError):
            await second.server.start()
    finally:
        if second.server.port:
            await second.server.stop()


# Who may ask


async def test_the_guard_sees_every_call_and_health_needs_none(
    db: Database, method: Method, tmp_path: Path
) -> None:
    async def guard(path: str, metadata: Mapping[str, str]) -> None:
        assert path == method.path
        if metadata.get("authorization") != "Bearer good":
            raise Denied(StatusCode.UNAUTHENTICATED, "a token is needed")

    await keep(db, {"parcel_id": PARCEL})
    async with Running(db, method, tmp_path, guard=guard) as running:
        assert (await running.failing()).code() is StatusCode.UNAUTHENTICATED
        assert (await running.ask(authorization="Bearer good"))["version"] == 3
        assert await running.health_of() == SERVING


# Health and the end


async def test_health_follows_readiness(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "LOOK", 0.05)
    assert await running.health_of() == await running.health_of(SERVICE) == SERVING
    running.bus.down = True

    async def down() -> bool:
        return await running.health_of(SERVICE) == NOT_SERVING

    async def up() -> bool:
        return await running.health_of() == SERVING

    await until(down)
    running.bus.down = False
    await until(up)


async def test_at_a_signal_health_flips_calls_finish_and_new_ones_go_elsewhere(
    running: Running, db: Database
) -> None:
    await keep(db, {"parcel_id": PARCEL})
    watch: Any = health_pb2_grpc.HealthStub(running.channel)
    watching = watch.Watch(health_pb2.HealthCheckRequest(service=""))
    assert (await watching.read()).status == SERVING
    under_way = asyncio.create_task(running.ask(PARCEL, 4))
    await asyncio.sleep(0.2)
    running.health.drain()
    assert (await asyncio.wait_for(watching.read(), 1)).status == NOT_SERVING
    await asyncio.sleep(0.1)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{running.server.port}") as channel:
        call: Any = channel.unary_unary(running.method.path)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(running.method.request({"parcel_id": PARCEL}), timeout=2)
        assert caught.value.code() is StatusCode.UNAVAILABLE
    await db.run(lambda conn: conn.execute(update(view_rows).values(version=4)))
    assert (await under_way)["version"] == 4
    # Somebody still watches; that holds nobody up.
    await asyncio.wait_for(running.server.stop(), 2)


async def test_a_call_that_does_not_end_holds_the_end_up_for_so_long_and_no_longer(
    db: Database, method: Method, tmp_path: Path
) -> None:
    @asynccontextmanager
    async def stubborn() -> AsyncIterator[Running]:
        async def guard(_path: str, _metadata: Mapping[str, str]) -> None:
            await asyncio.sleep(30)

        async with Running(db, method, tmp_path, guard=guard, env={"SHUTDOWN_SECONDS": "0.5"}) as running:
            yield running

    async with stubborn() as running:
        call = asyncio.create_task(running.failing(timeout=20))
        await asyncio.sleep(0.2)
        began = asyncio.get_running_loop().time()
        await running.server.stop()
        assert 0.3 < asyncio.get_running_loop().time() - began < 3
        assert (await call).code() in (StatusCode.UNAVAILABLE, StatusCode.CANCELLED)


# What is seen of it


def sample(name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


async def test_calls_are_counted_and_timed(running: Running, db: Database) -> None:
    path = running.method.path
    before = {code: sample("grpc_requests_total", method=path, code=code) for code in ("OK", "NOT_FOUND")}
    timed = sample("grpc_request_duration_seconds_count", method=path)
    await keep(db, {"parcel_id": PARCEL})
    await running.ask()
    await running.failing(str(uuid4()))
    for code, count in before.items():
        assert sample("grpc_requests_total", method=path, code=code) == count + 1
    assert sample("grpc_request_duration_seconds_count", method=path) == timed + 2
    assert sample("grpc_requests_in_flight") == 0


async def test_the_span_is_below_the_callers(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    trace = "0af7651916cd43dd8448eb211c80319c"
    await running.failing(traceparent=f"00-{trace}-b7ad6b7169203331-01", x_correlation_id="order-7")
    [span] = [each for each in exporter.get_finished_spans() if each.kind is SpanKind.SERVER]
    assert span.name == f"{SERVICE}/GetParcels"
    assert span.context is not None and f"{span.context.trace_id:032x}" == trace
    assert span.parent is not None and f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert dict(span.attributes or {}) == {
        "rpc.system": "grpc",
        "rpc.service": SERVICE,
        "rpc.method": "GetParcels",
        "rpc.grpc.status_code": StatusCode.NOT_FOUND.value[0],
    }


async def services_of(running: Running) -> list[str]:
    channel: Any = running.channel
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
    ]
    listed, described = [answer async for answer in stub.ServerReflectionInfo(iter(asked))]
    assert described.file_descriptor_response.file_descriptor_proto
    return [each.name for each in listed.list_services_response.service]


async def test_reflection_is_for_development(
    running: Running, db: Database, method: Method, tmp_path: Path
) -> None:
    assert SERVICE in await services_of(running)
    async with Running(db, method, tmp_path, env={"PROFILE": "prod"}) as prod:
        channel: Any = prod.channel
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        # Nothing is sent: a question that meets a stream already closed fails with a status of the client's.
        assert await stub.ServerReflectionInfo().code() is StatusCode.UNIMPLEMENTED
