"""Against real servers on loopback: what a peer does wrong, it does on a socket here."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from chassis import metrics, tracing
from chassis.breaker import State
from chassis.http_client import Peer, PeerRefused, PeerUnavailable
from chassis.last_known import Answer, LastKnown
from chassis.policy import BreakerPolicy, Policy
from chassis.retry import Retry

QUICK = Policy(timeout=5.0, retry=Retry(attempts=3, delay=0.001), breaker=BreakerPolicy(failures=5, reset=60))
ONCE = Policy(timeout=0.4, retry=Retry(attempts=1), breaker=BreakerPolicy(failures=5, reset=60))


@dataclass
class Call:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FakePeer:
    """Answers each call with what `answers` says next, and then with the last of it for ever."""

    answers: list[str | Callable[[asyncio.StreamWriter], object]]
    calls: list[Call] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *fields = head.decode().rstrip().split("\r\n")
                headers = {k.lower(): v for k, v in (f.split(": ", 1) for f in fields)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.calls.append(Call(line, headers, body))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if callable(answer):
                    answer(writer)
                    continue
                writer.write(answer.encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def http(status: int, body: str = "{}", *headers: str) -> str:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def silence(_writer: asyncio.StreamWriter) -> None:
    """Takes the call and never answers."""


def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def trickle(writer: asyncio.StreamWriter) -> None:
    """Sends a byte now and then: no single read ever times out."""

    async def drip() -> None:
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)

    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    _drips.append(asyncio.create_task(drip()))


_drips: list[asyncio.Task[None]] = []


@asynccontextmanager
async def peer_that(
    *answers: str | Callable[[asyncio.StreamWriter], object], policy: Policy = QUICK, name: str = "stock"
) -> AsyncIterator[tuple[Peer, FakePeer]]:
    fake = FakePeer(list(answers))
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Peer(name, fake.url, policy) as peer:
        yield peer, fake
    for drip in _drips:
        drip.cancel()
    _drips.clear()
    server.close()


async def unavailable(peer: Peer, path: str = "/items/1") -> PeerUnavailable:
    with pytest.raises(PeerUnavailable) as caught:
        await peer.get_json(path)
    return caught.value


async def test_an_answer() -> None:
    async with peer_that(http(200, '{"available": 3}')) as (peer, fake):
        answer = await peer.get_json("/items/1", {"at": "now & then"})
    assert (answer.status, answer.value, answer.stale) == (200, {"available": 3}, False)
    assert fake.calls[0].line == "GET /items/1?at=now+%26+then HTTP/1.1"


async def test_no_content_is_none() -> None:
    async with peer_that("HTTP/1.1 204 X\r\n\r\n") as (peer, _):
        assert (await peer.delete("/items/1")).value is None


async def test_a_flapping_peer_is_asked_again() -> None:
    async with peer_that(http(503), hang_up, http(200, "[1]")) as (peer, fake):
        assert (await peer.get_json("/items/1")).value == [1]
    assert len(fake.calls) == 3
    assert peer.breaker.state is State.CLOSED


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (silence, "timeout"),
        (trickle, "timeout"),
        (hang_up, "connection"),
        (http(500), "status"),
        (http(301, "", "location: http://elsewhere.example/"), "status"),
        (http(200, "<html>"), "garbled"),
        ("nonsense\r\n\r\n", "connection"),
        (http(429), "busy"),
        (http(409, "{}", "retry-after: 60"), "busy"),
    ],
)
async def test_no_usable_answer(answer: str | Callable[[asyncio.StreamWriter], object], reason: str) -> None:
    async with peer_that(answer, policy=ONCE) as (peer, _):
        began = asyncio.get_running_loop().time()
        assert (await unavailable(peer)).reason == reason
        assert asyncio.get_running_loop().time() - began < 3.0


async def test_a_peer_that_is_not_there() -> None:
    async with Peer("stock", "http://127.0.0.1:1", QUICK) as peer:
        assert (await unavailable(peer)).reason == "connection"


async def test_a_refusal_is_told_as_the_peer_told_it_and_asked_once() -> None:
    body = '{"title": "Refused", "status": 409, "detail": "no stock", "reason": "sold out"}'
    async with peer_that(http(409, body, "content-type: application/problem+json")) as (peer, fake):
        with pytest.raises(PeerRefused) as caught:
            await peer.post_json("/reservations", {"sku": "a"})
    assert (caught.value.status, caught.value.reason) == (409, "sold out")
    assert caught.value.problem["detail"] == "no stock"
    assert len(fake.calls) == 1


@pytest.mark.parametrize("body", ["<html>", "[]", "", "7"])
async def test_a_refusal_without_a_problem_is_one_all_the_same(body: str) -> None:
    async with peer_that(http(404, body)) as (peer, _):
        with pytest.raises(PeerRefused) as caught:
            await peer.get_json("/items/1")
    assert (caught.value.status, caught.value.reason) == (404, "X")


async def test_a_status_nobody_has_heard_of_is_a_refusal_too() -> None:
    async with peer_that(http(499, "")) as (peer, _):
        with pytest.raises(PeerRefused):
            await peer.get_json("/items/1")


async def test_refusals_never_open_the_breaker_and_neither_does_being_busy() -> None:
    async with peer_that(*[http(404)] * 20, http(429), policy=ONCE) as (peer, fake):
        for _ in range(20):
            with pytest.raises(PeerRefused):
                await peer.get_json("/items/1")
        for _ in range(20):
            await unavailable(peer)
    assert peer.breaker.state is State.CLOSED
    assert len(fake.calls) == 40


async def test_a_hanging_peer_opens_the_breaker_for_all_and_then_costs_nothing() -> None:
    async with peer_that(silence, policy=ONCE) as (peer, fake):
        await asyncio.gather(*(unavailable(peer) for _ in range(10)))
        began = asyncio.get_running_loop().time()
        refused = await asyncio.gather(*(unavailable(peer) for _ in range(100)))
        assert asyncio.get_running_loop().time() - began < 0.4
    assert {error.reason for error in refused} == {"open"}
    assert all(59 < (error.retry_after or 0) <= 60 for error in refused)
    assert len(fake.calls) == 10


async def test_after_the_reset_fifty_callers_make_one_probe_and_it_heals() -> None:
    policy = Policy(timeout=5.0, retry=Retry(attempts=1), breaker=BreakerPolicy(failures=1, reset=0.1))

    def late(writer: asyncio.StreamWriter) -> None:
        asyncio.get_running_loop().call_later(0.1, writer.write, http(200).encode())

    async with peer_that(http(500), late, http(200), policy=policy) as (peer, fake):
        await unavailable(peer)
        await asyncio.sleep(0.12)
        results = await asyncio.gather(
            *(peer.get_json("/items/1") for _ in range(50)), return_exceptions=True
        )
        assert sum(isinstance(result, Answer) for result in results) == 1
        assert len(fake.calls) == 2
        await asyncio.gather(*(peer.get_json("/items/1") for _ in range(50)))
    assert len(fake.calls) == 52


async def test_a_post_has_one_key_for_all_its_attempts_and_another_next_time() -> None:
    async with peer_that(http(500), http(409, "{}", "retry-after: 0"), http(201)) as (peer, fake):
        await peer.post_json("/reservations", {"sku": "a"})
        await peer.post_json("/reservations", {"sku": "a"})
        await peer.post_json("/reservations", {"sku": "a"}, key="message-7")
    keys = [call.headers["idempotency-key"] for call in fake.calls]
    assert len(keys) == 5
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert keys[4] == '"message-7"'
    assert {call.body for call in fake.calls} == {b'{"sku":"a"}'}


async def test_a_post_without_a_key_and_a_patch_are_sent_once() -> None:
    for method in ("POST", "PATCH"):
        async with peer_that(http(500)) as (peer, fake):
            with pytest.raises(PeerUnavailable):
                await peer.request(method, "/reservations", body={})
        assert len(fake.calls) == 1


async def test_the_deadline_bounds_the_whole_call() -> None:
    policy = Policy(timeout=0.2, deadline=0.3, retry=Retry(attempts=50, delay=0.01))
    async with peer_that(silence, policy=policy) as (peer, _):
        began = asyncio.get_running_loop().time()
        await unavailable(peer)
        assert asyncio.get_running_loop().time() - began < 2.0, "not fifty times 0.2"


async def test_a_slow_peer_gets_no_more_connections_than_its_share() -> None:
    def late(writer: asyncio.StreamWriter) -> None:
        asyncio.get_running_loop().call_later(0.02, writer.write, http(200).encode())

    inside = most = 0
    fake = FakePeer([late])

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await fake.serve(reader, writer)
        inside -= 1

    server = await asyncio.start_server(counted, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Peer("stock", url, Policy(), connections=3) as peer:
        await asyncio.gather(*(peer.get_json("/items/1") for _ in range(30)))
    server.close()
    assert most == 3
    assert len(fake.calls) == 30


async def test_time_limits_leave_no_connection_behind() -> None:
    """A pool that leaked its places would be empty after these and answer nobody."""
    policy = Policy(timeout=0.05, retry=Retry(attempts=1), breaker=BreakerPolicy(failures=10_000))
    fake = FakePeer([silence])
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Peer("stock", url, policy, connections=5) as peer:
        for _ in range(5):
            await asyncio.gather(*(unavailable(peer) for _ in range(20)))
        fake.answers = [http(200, "1")]
        peer.policy = Policy(timeout=5.0)
        answers = await asyncio.gather(*(peer.get_json("/items/1") for _ in range(5)))
    server.close()
    assert [answer.value for answer in answers] == [1] * 5


async def test_the_last_known_answer_stands_in_marked_with_its_age() -> None:
    answers = [http(200, '{"n": 1}'), http(500)]
    async with peer_that(*answers, policy=ONCE, name="fallback-peer") as (peer, _):
        fresh = await peer.get_json("/items/1", {"at": 1}, fallback="last_known")
        await asyncio.sleep(0.05)
        stale = await peer.get_json("/items/1", {"at": 1}, fallback="last_known")
        assert (fresh.stale, fresh.age) == (False, 0.0)
        assert (stale.stale, stale.value, stale.status) == (True, {"n": 1}, 200)
        assert 0.05 <= stale.age < 5.0
        with pytest.raises(PeerUnavailable):
            await peer.get_json("/items/1", {"at": 2}, fallback="last_known")
        with pytest.raises(PeerUnavailable):
            await peer.get_json("/items/1", {"at": 1})
    assert metrics.registry.get_sample_value("fallbacks_total", {"peer": "fallback-peer"}) == 1


async def test_what_the_peer_says_is_gone_is_not_remembered() -> None:
    async with peer_that(http(200), http(404), http(500), policy=ONCE) as (peer, _):
        await peer.get_json("/items/1", fallback="last_known")
        with pytest.raises(PeerRefused):
            await peer.get_json("/items/1", fallback="last_known")
        with pytest.raises(PeerUnavailable):
            await peer.get_json("/items/1", fallback="last_known")


def test_memory_is_bounded_and_keeps_what_is_used() -> None:
    known = LastKnown(size=2)
    for question in ("a", "b"):
        known.put(question, Answer(200, question))
    assert known.get("a")
    known.put("c", Answer(200, "c"))
    assert [bool(known.get(question)) for question in ("a", "b", "c")] == [True, False, True]


async def test_the_trace_and_the_correlation_id_go_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_tracer", tracing._tracer)
    tracing.setup("orders", env={})
    async with peer_that(http(500), http(200)) as (peer, fake):
        with tracing.span("work"), tracing.correlated("checkout-7"):
            await peer.get_json("/items/1")
            trace_id = tracing.trace_id()
    parents = [call.headers["traceparent"] for call in fake.calls]
    assert {parent.split("-")[1] for parent in parents} == {trace_id}
    assert len(set(parents)) == 2, "each attempt is a span of its own"
    assert {call.headers["x-correlation-id"] for call in fake.calls} == {"checkout-7"}


async def test_each_attempt_is_counted_by_its_outcome() -> None:
    def count(outcome: str) -> float | None:
        labels = {"peer": "counted", "outcome": outcome}
        return metrics.registry.get_sample_value("peer_calls_total", labels)

    async with peer_that(http(500), http(200), http(404), name="counted") as (peer, _):
        await peer.get_json("/items/1")
        with pytest.raises(PeerRefused):
            await peer.get_json("/items/1")
    assert [count(outcome) for outcome in ("status", "ok", "refused")] == [1, 1, 1]
    assert metrics.registry.get_sample_value("retries_total", {"peer": "counted"}) == 1


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with peer_that(http(200)) as (peer, _):
        assert (await peer.get_json("/items/1")).status == 200
