"""Calling another service: time limit, breaker, retries, idempotency keys, trace, typed errors.

    inventory = Peer("inventory", settings.peer_url("inventory"), policies.default)
    answer = await inventory.get_json(f"/items/{quote(sku, safe='')}", fallback="last_known")

or over gRPC, with the same outcomes under the same policy:

    inventory = Peer("inventory", policy=policies.default, grpc_url="grpc://inventory:9000")
    answer = await inventory.ask(GET_AVAILABILITY, {"sku": sku}, fallback="last_known")

Three things can come of it: an `Answer`; `PeerRefused`, which is the peer's considered no; and
`PeerUnavailable`, which says nothing about what the peer would have answered.

Each peer has its own connections and a bound on them, so that a slow one can't take them from the
others (a bulkhead).
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx
from opentelemetry.trace import SpanKind

from chassis import deadline, metrics, tracing
from chassis.breaker import Breaker, BreakerOpen
from chassis.errors import ServiceError, Unavailable
from chassis.jsons import dumps
from chassis.last_known import Answer, LastKnown
from chassis.policy import Policy
from chassis.retry import Budget, retrying

if TYPE_CHECKING:  # what they need takes a while to load
    from chassis.rpc.client import Channel
    from chassis.rpc.contract import Method

Reason = Literal["timeout", "late", "connection", "status", "garbled", "busy", "open"]
# HTTP's own list of methods that may be repeated; a POST may be as well once it carries a key.
# Source: RFC 9110, section 9.2.2.
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


class PeerRefused(ServiceError):
    """The peer answered 4xx. `problem` is its problem+json, or as much as could be read of it."""

    def __init__(self, peer: str, status: int, problem: Mapping[str, Any]) -> None:
        self.peer = peer
        self.status = status
        self.problem = problem
        self.reason = str(problem.get("reason") or problem.get("detail") or problem.get("title"))
        super().__init__(f"{peer} refused: {self.reason} ({status})")


class PeerUnavailable(Unavailable):
    """No usable answer; whether the peer acted on the call is not known.

    `reason` "late" is about the caller: whoever it works for gave it less time than the policy does.
    """

    def __init__(self, peer: str, reason: Reason, detail: str, retry_after: float | None = None) -> None:
        super().__init__(f"{peer} is not available: {detail}", retry_after)
        self.peer = peer
        self.reason = reason


@dataclass(frozen=True)
class _Call:
    """One call, made as often as the policy says. `send` is given the seconds that an attempt may take."""

    name: str
    send: Callable[[float], Awaitable[Answer]]
    repeatable: bool
    attributes: Mapping[str, str] = field(default_factory=dict)


class Peer:
    """Another service. One per process and peer: its breaker and budget only work when shared.

    Calls go to `base_url` over HTTP and to `grpc_url` (`grpc://host:port`) over gRPC, whichever are made.
    `token` gives what a call is signed with.
    """

    def __init__(
        self,
        name: str,
        base_url: str = "",
        policy: Policy | None = None,
        *,
        grpc_url: str = "",
        connections: int = 100,
        token: Callable[[], str] | None = None,
    ) -> None:
        self.name = name
        self._token = token
        self.policy = policy or Policy()
        breaker = self.policy.breaker
        self.breaker = Breaker(name, breaker.failures, breaker.reset, is_failure=_speaks_against_peer)
        self._budget = Budget()
        self._known = LastKnown()
        # The bound is kept here and not in httpx's pool: a call that is cancelled while it queues
        # there takes its place in the pool with it, until nobody gets one any more.
        # Source: https://github.com/encode/httpcore/issues/1093
        self._places = asyncio.Semaphore(connections)
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=self.policy.timeout,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            trust_env=False,  # its proxies are for the way out, not for calls between services
        )
        self._grpc_url = grpc_url
        self._channel: Channel | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()
        if self._channel is not None:
            await self._channel.close()

    async def get_json(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        fallback: Literal["last_known"] | None = None,
    ) -> Answer:
        """GET `path`. With the fallback, the last good answer to the same question stands in for none."""
        question = str(httpx.URL(path, params=dict(params or {})))
        return await self._or_known(question, fallback, lambda: self.request("GET", path, params=params))

    async def post_json(self, path: str, body: object, *, key: str | None = None) -> Answer:
        """POST `body` as JSON under an idempotency key: `key`, or a new one for this call.

        Pass a key that outlives the process (a message's id) where the call itself may be repeated.
        """
        header = {"Idempotency-Key": f'"{key or uuid.uuid4()}"'}
        return await self.request("POST", path, body=body, headers=header)

    async def put_json(self, path: str, body: object) -> Answer:
        return await self.request("PUT", path, body=body)

    async def delete(self, path: str) -> Answer:
        return await self.request("DELETE", path)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Any call, under the policy. Raises `PeerRefused` and `PeerUnavailable`.

        `path` is put behind the base URL as it is: its parts are quoted already.
        """
        request = self._http.build_request(
            method, path, params=params, json=body, headers=dict(headers or {})
        )
        repeatable = method in REPEATABLE or "idempotency-key" in request.headers

        async def send(_: float) -> Answer:
            request.headers.update(self._context())
            try:
                return self._read(await self._http.send(request))
            except httpx.TimeoutException:
                raise TimeoutError from None
            except httpx.HTTPError as error:
                raise PeerUnavailable(self.name, "connection", type(error).__name__) from error

        attributes = {"http.request.method": method}
        return await self._under_policy(_Call(f"{method} {self.name}", send, repeatable, attributes))

    async def ask(
        self,
        method: Method,
        values: Mapping[str, Any],
        *,
        fallback: Literal["last_known"] | None = None,
    ) -> Answer:
        """Call `method` of the peer over gRPC; the answer is the row in it, as HTTP would have told it.

        With the fallback, the last good answer to the same question stands in for none.
        """
        request = method.request(values)

        async def send(seconds: float) -> Answer:
            if self._channel is None:
                # Imported here: most services speak HTTP only, and gRPC takes a while to load.
                from chassis.rpc.client import Channel

                self._channel = Channel(self.name, self._grpc_url)
            return await self._channel.call(method, request, seconds, self._context())

        call = _Call(method.path.removeprefix("/"), send, method.repeatable, {"rpc.system": "grpc"})
        question = f"{method.path} {dumps(values)}"
        return await self._or_known(question, fallback, lambda: self._under_policy(call))

    # What holds however a peer is spoken to

    async def _or_known(
        self, question: str, fallback: Literal["last_known"] | None, ask: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        if fallback is None:
            return await ask()
        try:
            answer = await ask()
        except PeerRefused:
            self._known.forget(question)
            raise
        except PeerUnavailable:
            known = self._known.get(question)
            if known is None:
                raise
            metrics.fallbacks.labels(self.name).inc()
            return known
        self._known.put(question, answer)
        return answer

    def _context(self) -> dict[str, str]:
        """What goes with every call, as headers or as metadata: trace, correlation, and who asks."""
        context = tracing.inject()
        if correlation := tracing.correlation_id.get():
            context[tracing.CORRELATION_HEADER] = correlation
        if self._token is not None:
            context["authorization"] = f"Bearer {self._token()}"
        return context

    async def _under_policy(self, call: _Call) -> Answer:
        retry = self.policy.retry if call.repeatable else replace(self.policy.retry, attempts=1)
        end = min(asyncio.get_running_loop().time() + self.policy.total, deadline.ends())
        return await retrying(
            lambda: self._attempt(call, end), retry, self._budget, peer=self.name, deadline=end
        )

    async def _attempt(self, call: _Call, end: float) -> Answer:
        began = time.perf_counter()
        outcome = "error"
        with tracing.span(call.name, SpanKind.CLIENT, {**call.attributes, "peer.service": self.name}):
            try:
                with self.breaker.guard():
                    answer = await self._in_time(call, end)
                outcome = "ok"
                return answer
            except BreakerOpen as error:
                outcome = "open"
                raise PeerUnavailable(self.name, "open", str(error), error.retry_after) from None
            except PeerRefused:
                outcome = "refused"
                raise
            except PeerUnavailable as error:
                outcome = error.reason
                raise
            finally:
                metrics.peer_calls.labels(self.name, outcome).inc()
                if outcome != "open":
                    metrics.peer_seconds.labels(self.name).observe(time.perf_counter() - began)

    async def _in_time(self, call: _Call, end: float) -> Answer:
        loop = asyncio.get_running_loop()
        limit = min(loop.time() + self.policy.timeout, end)
        slow: Reason = "late" if deadline.ends() <= limit else "timeout"
        if slow == "late" and limit <= loop.time():
            raise PeerUnavailable(self.name, slow, "there is no time left to ask it")
        try:
            async with asyncio.timeout_at(limit), self._places:
                return await call.send(limit - loop.time())
        except TimeoutError:
            raise PeerUnavailable(self.name, slow, "it took too long") from None

    def _read(self, response: httpx.Response) -> Answer:
        status = response.status_code
        retry_after = _seconds(response.headers.get("retry-after", ""))
        if response.is_success:
            try:
                return Answer(status, response.json() if response.content else None)
            except ValueError:
                raise PeerUnavailable(self.name, "garbled", "its answer is not JSON") from None
        if not response.is_client_error:
            raise PeerUnavailable(self.name, "status", f"it answered {status}", retry_after)
        # Not a no but a not now: too many requests, or the same key being worked on.
        if status in (408, 429) or retry_after is not None:
            raise PeerUnavailable(self.name, "busy", f"it answered {status}", retry_after)
        raise PeerRefused(self.name, status, _problem(response))


def _speaks_against_peer(error: Exception) -> bool | None:
    if isinstance(error, PeerUnavailable) and error.reason == "late":
        return None  # it is the caller who had no time
    # A peer that says it is busy is alive. To open on 429 would turn "slower, please" into an outage
    # for every caller; the wait it asks for and the retry budget are the answer to it.
    return isinstance(error, PeerUnavailable) and error.reason != "busy"


def _seconds(retry_after: str) -> float | None:
    # The other form, a date, needs clocks that agree; it is taken for none.
    return float(retry_after) if retry_after.isdecimal() else None


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    return {"title": response.reason_phrase or "Refused", "status": response.status_code}
