"""The channel to a peer's gRPC side: one for the life of the process, over which all calls share connections.

It only carries calls. When to call again, and when not to call at all, is said by the peer's policy
(`http_client.Peer`), so what gRPC could do by itself of that is off.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import grpc
from grpc import StatusCode

from chassis.http_client import PeerRefused, PeerUnavailable, Reason
from chassis.last_known import Answer
from chassis.limits import MIB
from chassis.rpc import status
from chassis.rpc.codec import Unfit
from chassis.rpc.contract import Method

log = logging.getLogger(__name__)

SCHEME = "grpc://"
OPTIONS = (
    # Its retries would multiply with ours, and be in no budget; so would what a DNS record may order.
    ("grpc.enable_retries", 0),
    ("grpc.service_config_disable_resolution", 1),
    # Calls go to every replica that the name stands for, not to the first for ever.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    # A peer that is back is found within a second, not after gRPC's two minutes: the breaker's probe
    # must find out about the peer and not about an old failure.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # A connection that went dead without a word is noticed.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", 4 * MIB),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


# How each code of a call without a usable answer is counted; those that are not here say "status".
_REASONS: dict[StatusCode, Reason] = {
    StatusCode.UNAVAILABLE: "connection",
    StatusCode.CANCELLED: "connection",
}


class Channel:
    """To the peer `name` at `url`, which is `grpc://host:port`. To be made inside the event loop."""

    def __init__(self, name: str, url: str) -> None:
        self._name = name
        self._channel = grpc.aio.insecure_channel(f"dns:///{url.removeprefix(SCHEME)}", options=OPTIONS)

    async def close(self) -> None:
        await self._channel.close()

    async def call(
        self, method: Method, request: bytes, seconds: float, metadata: Mapping[str, str]
    ) -> Answer:
        """The row in the answer; the peer is told that it has `seconds`.

        Raises `PeerRefused`, `PeerUnavailable`, and `TimeoutError` when the time is up.
        """
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(method.path)
        try:
            answer = await call(request, timeout=seconds, metadata=tuple(metadata.items()))
        except grpc.aio.AioRpcError as error:
            raise self._judged(error) from None
        try:
            row = method.read_response(answer)["row"]
        except Unfit:
            row = None
        if row is None:
            raise PeerUnavailable(self._name, "garbled", "its answer does not fit the contract")
        return Answer(200, row)

    def _judged(self, error: grpc.aio.AioRpcError) -> PeerRefused | PeerUnavailable | TimeoutError:
        code = error.code()
        if code is StatusCode.DEADLINE_EXCEEDED:
            return TimeoutError()
        if code in status.REFUSALS:
            problem = status.problem(code, error.details() or "")
            return PeerRefused(self._name, status.REFUSALS[code], problem)
        wait = status.retry_after(error.trailing_metadata())
        if code is StatusCode.RESOURCE_EXHAUSTED and wait is not None:
            # Not a no but a not now, like a 429: a peer that says how long is alive.
            return PeerUnavailable(self._name, "busy", f"it answered {code.name}", wait)
        # The details may name addresses, so they are for the log at most.
        log.debug("%s: %s %s", self._name, code.name, error.details())
        return PeerUnavailable(self._name, _REASONS.get(code, "status"), f"it answered {code.name}", wait)
