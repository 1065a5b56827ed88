"""A peer that is asked over gRPC, on real sockets: what it does wrong, it does there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from rpc_for_tests import get_parcels, parcels

from chassis import deadline, metrics, tracing
from chassis.breaker import State
from chassis.errors import Conflict, NotFound, Refused, Unavailable
from chassis.http_client import Peer, PeerRefused, PeerUnavailable
from chassis.policy import BreakerPolicy, Policy
from chassis.retry import Retry
from chassis.rpc import Method
from chassis.rpc.status import Denied, Outcome
from chassis.testing.rpc import peer_answering
from chassis.testing.servers import free_port

ROW = {"parcel_id": "p", "version": 3, "status": "sent"}
ONCE = Policy(timeout=1.0, retry=Retry(attempts=1), breaker=BreakerPolicy(failures=5, reset=60))
QUICK = Policy(timeout=5.0, retry=Retry(attempts=3, delay=0.001), breaker=BreakerPolicy(failures=5, reset=60))

Row = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


@pytest.fixture(scope="module")
def method(tmp_path_factory: pytest.TempPathFactory) -> Method:
    return get_parcels(tmp_path_factory.mktemp("contract"))


class Answers:
    """Does with each call what comes next in `plan`, and then for ever the last of it."""

    def __init__(self, *plan: Mapping[str, Any] | Exception | float) -> None:
        self.plan = list(plan)
        self.calls: list[Mapping[str, Any]] = []

    async def __call__(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append(request)
        step = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
            return ROW
        return step


@asynccontextmanager
async def peer_that(method: Method, answers: Row, policy: Policy = ONCE) -> AsyncIterator[Peer]:
    async with peer_answering(method, answers) as url, Peer("parcels", policy=policy, grpc_url=url) as peer:
        yield peer


@asynccontextmanager
async def bare_server(method: Method, serve: Callable[[bytes, Any], Awaitable[bytes]]) -> AsyncIterator[str]:
    """The address of a server that answers with the bytes that `serve` gives, without our edge."""
    server = grpc.aio.server()
    handler: Any = grpc.unary_unary_rpc_method_handler(serve)
    service = method.descriptor.containing_service.full_name
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {method.descriptor.name: handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"grpc://127.0.0.1:{port}"
    await server.stop(None)


async def refused(peer: Peer, method: Method) -> PeerRefused:
    with pytest.raises(PeerRefused) as caught:
        await peer.ask(method, {"parcel_id": "p"})
    return caught.value


async def unavailable(peer: Peer, method: Method) -> PeerUnavailable:
    with pytest.raises(PeerUnavailable) as caught:
        await peer.ask(method, {"parcel_id": "p"})
    return caught.value


async def test_an_answer(method: Method) -> None:
    answers = Answers(ROW)
    async with peer_that(method, answers) as peer:
        answer = await peer.ask(method, {"parcel_id": "p"})
    assert (answer.status, answer.stale) == (200, False)
    assert {name: answer.value[name] for name in ROW} == ROW
    assert answer.value["weight"] is None
    assert answers.calls == [{"parcel_id": "p", "min_version": 0}]


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (NotFound("parcels", "p"), 404, "Not Found"),
        (Refused("sold out"), 409, "Refused"),
        (Conflict("it moved on"), 409, "Conflict"),
        (Denied(StatusCode.UNAUTHENTICATED, "who are you"), 401, "Unauthorized"),
        (Denied(StatusCode.PERMISSION_DENIED, "not you"), 403, "Forbidden"),
    ],
)
async def test_a_refusal_is_told_as_over_http_asked_once_and_never_opens_the_breaker(
    method: Method, error: Exception, status: int, title: str
) -> None:
    answers = Answers(error)
    async with peer_that(method, answers, QUICK) as peer:
        for _ in range(10):
            said = await refused(peer, method)
            assert (said.status, said.problem["title"], said.reason) == (status, title, str(error))
        assert peer.breaker.state is State.CLOSED
    assert len(answers.calls) == 10


@pytest.mark.parametrize(
    ("answer", "reason", "opens"),
    [
        (RuntimeError("a bug"), "status", True),
        (Unavailable("no broker"), "connection", True),
        (5.0, "timeout", True),
        (Denied(StatusCode.RESOURCE_EXHAUSTED, "too much"), "status", True),
        (Denied(StatusCode.UNIMPLEMENTED, "an old release"), "status", True),
        (Denied(StatusCode.DATA_LOSS, "oh dear"), "status", True),
        (Denied(StatusCode.DEADLINE_EXCEEDED, "its own peers are slow"), "timeout", True),
        ({"parcel_id": "x" * (5 * 1024 * 1024)}, "status", True),
    ],
)
async def test_no_usable_answer(
    method: Method, answer: Mapping[str, Any] | Exception | float, reason: str, opens: bool
) -> None:
    policy = Policy(timeout=0.4, retry=Retry(attempts=1), breaker=BreakerPolicy(failures=2, reset=60))
    async with peer_that(method, Answers(answer), policy) as peer:
        for _ in range(2):
            error = await unavailable(peer, method)
            assert error.reason == reason
            assert "a bug" not in str(error)
        assert peer.breaker.state is (State.OPEN if opens else State.CLOSED)
        assert (await unavailable(peer, method)).reason == "open"


async def test_a_peer_that_is_not_there(method: Method) -> None:
    async with Peer("parcels", policy=ONCE, grpc_url=f"grpc://127.0.0.1:{free_port()}") as peer:
        error = await unavailable(peer, method)
    assert error.reason == "connection"
    assert "127.0.0.1" not in str(error)


async def test_bytes_from_something_that_is_no_such_peer(method: Method) -> None:
    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0)
    url = f"grpc://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Peer("parcels", policy=ONCE, grpc_url=url) as peer:
        assert (await unavailable(peer, method)).reason in ("connection", "timeout")
    server.close()


async def test_an_answer_in_another_contract_is_garbled(method: Method) -> None:
    async def serve(_request: bytes, _context: Any) -> bytes:
        return b""

    async with bare_server(method, serve) as url, Peer("parcels", policy=ONCE, grpc_url=url) as peer:
        assert (await unavailable(peer, method)).reason == "garbled"


async def test_a_flapping_peer_is_asked_again_if_the_contract_allows_it(
    method: Method, tmp_path: Path
) -> None:
    answers = Answers(Denied(StatusCode.INTERNAL, "oops"), Denied(StatusCode.UNKNOWN, "again"), ROW)
    async with peer_that(method, answers, QUICK) as peer:
        assert (await peer.ask(method, {"parcel_id": "p"})).value["version"] == 3
    assert len(answers.calls) == 3

    changing = parcels(tmp_path).method("SendParcel")
    answers = Answers(Denied(StatusCode.INTERNAL, "oops"), ROW)
    async with peer_that(changing, answers, QUICK) as peer:
        await unavailable(peer, changing)
    assert len(answers.calls) == 1


async def test_grpc_adds_no_retries_of_its_own(method: Method) -> None:
    answers = Answers(Denied(StatusCode.UNAVAILABLE, "not now"))
    async with peer_that(method, answers, ONCE) as peer:
        await unavailable(peer, method)
    assert len(answers.calls) == 1


async def test_retries_stay_within_the_budget_of_the_peer(method: Method) -> None:
    policy = Policy(
        timeout=5.0, retry=Retry(attempts=3, delay=0.0), breaker=BreakerPolicy(failures=1000, reset=60)
    )
    answers = Answers(Denied(StatusCode.INTERNAL, "oops"))
    async with peer_that(method, answers, policy) as peer:
        for _ in range(50):
            await unavailable(peer, method)
    assert 50 < len(answers.calls) <= 50 + 10 + 5


async def test_a_peer_says_when_to_ask_again(method: Method) -> None:
    async with peer_that(method, Answers(Unavailable("rebuilding", 7.5))) as peer:
        assert (await unavailable(peer, method)).retry_after == 7.5


async def test_a_peer_that_is_busy_and_says_how_long_is_alive(method: Method) -> None:
    async def serve(_request: bytes, context: Any) -> bytes:
        busy = Outcome(StatusCode.RESOURCE_EXHAUSTED, "slower, please", 2.0)
        await context.abort(busy.code, busy.message, busy.metadata)
        raise AssertionError

    policy = Policy(timeout=1.0, retry=Retry(attempts=1), breaker=BreakerPolicy(failures=1, reset=60))
    async with bare_server(method, serve) as url, Peer("parcels", policy=policy, grpc_url=url) as peer:
        for _ in range(3):
            error = await unavailable(peer, method)
            assert (error.reason, error.retry_after) == ("busy", 2.0)


async def test_fifty_callers_make_one_probe_and_it_heals(method: Method) -> None:
    policy = Policy(timeout=5.0, retry=Retry(attempts=1), breaker=BreakerPolicy(failures=1, reset=0.1))
    answers = Answers(Denied(StatusCode.INTERNAL, "oops"), 0.2, ROW)
    async with peer_that(method, answers, policy) as peer:
        await unavailable(peer, method)
        await asyncio.sleep(0.15)
        outcomes = await asyncio.gather(
            *(peer.ask(method, {"parcel_id": "p"}) for _ in range(50)), return_exceptions=True
        )
        assert sum(not isinstance(each, Exception) for each in outcomes) == 1
        assert len(answers.calls) == 2
        assert peer.breaker.state is State.CLOSED
        await peer.ask(method, {"parcel_id": "p"})


async def test_the_peer_restarts_while_the_channel_lives(method: Method) -> None:
    port = free_port()
    policy = Policy(timeout=1.0, retry=Retry(attempts=1), breaker=BreakerPolicy(failures=2, reset=0.5))
    async with Peer("parcels", policy=policy, grpc_url=f"grpc://127.0.0.1:{port}") as peer:
        async with peer_answering(method, Answers(ROW), port=port):
            await peer.ask(method, {"parcel_id": "p"}, fallback="last_known")
        for _ in range(10):  # long enough for gRPC to back off, were it left to itself
            answer = await peer.ask(method, {"parcel_id": "p"}, fallback="last_known")
            assert (answer.value["version"], answer.stale) == (3, True)
            await asyncio.sleep(0.3)
        with pytest.raises(PeerUnavailable):
            await peer.ask(method, {"parcel_id": "never asked for"}, fallback="last_known")
        async with peer_answering(method, Answers({**ROW, "version": 4}), port=port):
            began = asyncio.get_running_loop().time()
            while (answer := await peer.ask(method, {"parcel_id": "p"}, fallback="last_known")).stale:
                assert asyncio.get_running_loop().time() - began < 5.0
                await asyncio.sleep(0.05)
            assert answer.value["version"] == 4
            assert peer.breaker.state is State.CLOSED


async def test_a_refusal_forgets_what_was_known(method: Method) -> None:
    answers = Answers(ROW, NotFound("parcels", "p"), RuntimeError("a bug"))
    async with peer_that(method, answers) as peer:
        await peer.ask(method, {"parcel_id": "p"}, fallback="last_known")
        with pytest.raises(PeerRefused):
            await peer.ask(method, {"parcel_id": "p"}, fallback="last_known")
        with pytest.raises(PeerUnavailable):
            await peer.ask(method, {"parcel_id": "p"}, fallback="last_known")


async def test_the_breaker_is_shared_with_calls_over_http(method: Method) -> None:
    policy = Policy(timeout=1.0, retry=Retry(attempts=1), breaker=BreakerPolicy(failures=2, reset=60))
    async with (
        peer_answering(method, Answers(RuntimeError("a bug"))) as url,
        Peer("parcels", "http://127.0.0.1:1", policy, grpc_url=url) as peer,
    ):
        await unavailable(peer, method)
        with pytest.raises(PeerUnavailable):
            await peer.get_json("/parcels/p")
        assert (await unavailable(peer, method)).reason == "open"


async def test_the_time_that_the_caller_has_left_is_the_deadline_and_speaks_not_against_the_peer(
    method: Method,
) -> None:
    policy = Policy(timeout=5.0, retry=Retry(attempts=3), breaker=BreakerPolicy(failures=1, reset=60))
    answers = Answers(3.0)
    async with peer_that(method, answers, policy) as peer:
        await asyncio.wait_for(_connected(peer), 5)
        began = asyncio.get_running_loop().time()
        with deadline.within(0.3):
            assert (await unavailable(peer, method)).reason == "late"
            assert asyncio.get_running_loop().time() - began < 1.0
            asked = len(answers.calls)
            assert (await unavailable(peer, method)).reason == "late"
        assert len(answers.calls) == asked, "nobody asks when there is no time left"
        assert peer.breaker.state is State.CLOSED


async def test_the_peer_is_told_how_much_time_it_has(method: Method) -> None:
    left: list[float] = []

    async def look(_: Mapping[str, Any]) -> Mapping[str, Any]:
        left.append(deadline.ends() - asyncio.get_running_loop().time())
        return ROW

    async with peer_that(method, look, Policy(timeout=7.0, retry=Retry(attempts=1))) as peer:
        await peer.ask(method, {"parcel_id": "p"})
        with deadline.within(3.0):
            await peer.ask(method, {"parcel_id": "p"})
    told = 0.1  # gRPC tells it in few digits, rounded up
    assert 3.0 + told < left[0] <= 7.0 + told
    assert 0.0 < left[1] <= 3.0 + told


async def _connected(peer: Peer) -> None:
    """The channel is made by the first call."""
    from chassis.rpc.client import Channel

    peer._channel = Channel(peer.name, peer._grpc_url)
    await peer._channel._channel.channel_ready()


async def test_a_probe_that_had_no_time_leaves_the_breaker_half_open(method: Method) -> None:
    policy = Policy(timeout=1.0, retry=Retry(attempts=1), breaker=BreakerPolicy(failures=1, reset=0.05))
    async with peer_that(method, Answers(RuntimeError("a bug"), 1.0, ROW), policy) as peer:
        await unavailable(peer, method)
        await asyncio.sleep(0.1)
        with deadline.within(0.2):
            await unavailable(peer, method)
        assert peer.breaker.state.name == "HALF_OPEN"
        await peer.ask(method, {"parcel_id": "p"})
        assert peer.breaker.state.name == "CLOSED"


async def test_a_caller_that_goes_away_frees_the_place_and_stops_the_work(method: Method) -> None:
    ended = asyncio.Event()

    async def slow(_: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()
        return ROW

    async with (
        peer_answering(method, slow) as url,
        Peer("parcels", policy=QUICK, grpc_url=url, connections=1) as peer,
    ):
        task = asyncio.create_task(peer.ask(method, {"parcel_id": "p"}))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(ended.wait(), 5)
        assert not peer._places.locked()


async def test_trace_and_correlation_arrive(method: Method) -> None:
    heard: list[tuple[str, str]] = []

    async def listen(_: Mapping[str, Any]) -> Mapping[str, Any]:
        heard.append((tracing.trace_id(), tracing.correlation_id.get()))
        return ROW

    async with AsyncExitStack() as stack:
        peer = await stack.enter_async_context(peer_that(method, listen))
        stack.enter_context(tracing.span("a request"))
        stack.enter_context(tracing.correlated("order-7"))
        await peer.ask(method, {"parcel_id": "p"})
        assert heard == [(tracing.trace_id(), "order-7")]


async def test_calls_are_counted_as_over_http(method: Method) -> None:
    def counted(outcome: str) -> float:
        return (
            metrics.registry.get_sample_value("peer_calls_total", {"peer": "counted-rpc", "outcome": outcome})
            or 0.0
        )

    answers = Answers(ROW, NotFound("parcels", "p"), RuntimeError("a bug"))
    async with peer_answering(method, answers) as url, Peer("counted-rpc", policy=ONCE, grpc_url=url) as peer:
        await peer.ask(method, {"parcel_id": "p"})
        await refused(peer, method)
        await unavailable(peer, method)
    assert [counted(outcome) for outcome in ("ok", "refused", "status")] == [1, 1, 1]
