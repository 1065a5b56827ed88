"""The Messages API through Anthropic's SDK, under the chassis's own breaker, retries and time limits.

Answers are always streamed, whether or not somebody reads along: so a connection that breaks in the
middle is noticed at once, and a long answer needs no long silence.

Imported only where there are agents: the SDK takes a while to load.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
from opentelemetry.trace import SpanKind

from chassis import metrics, tracing
from chassis.agents.settings import AgentSettings
from chassis.agents.usage import KINDS, Usage
from chassis.breaker import Breaker, BreakerOpen
from chassis.http_client import PeerRefused, PeerUnavailable
from chassis.policy import BreakerPolicy, Policy
from chassis.retry import Budget, Retry, retrying

NAME = "anthropic"
# A model may take most of a minute for one answer. After a 429 it tells how long to wait, which can be
# long; what does not fit into the run is not waited for.
POLICY = Policy(
    timeout=60.0, retry=Retry(attempts=4, delay=0.5, longest=30.0), breaker=BreakerPolicy(5, 30.0)
)

Tell = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Is told what happens while it happens: a kind of event and its data."""


@dataclass(frozen=True)
class Request:
    """One turn to be taken. `tools` and `messages` are as the Messages API has them."""

    model: str
    system: str
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]]
    max_tokens: int


@dataclass(frozen=True)
class Answer:
    """What the model said: content blocks as JSON values, why it stopped, and what it took."""

    content: tuple[dict[str, Any], ...]
    stop_reason: str
    usage: Usage

    @property
    def text(self) -> str:
        return "\n\n".join(
            block["text"] for block in self.content if block["type"] == "text" and block["text"]
        )

    @property
    def tool_uses(self) -> tuple[dict[str, Any], ...]:
        return tuple(block for block in self.content if block["type"] == "tool_use")


class Model:
    """The API. One per process: its breaker and retry budget only work when all agents share them."""

    def __init__(self, settings: AgentSettings, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.breaker = Breaker(
            NAME, policy.breaker.failures, policy.breaker.reset, is_failure=_speaks_against_the_api
        )
        self._budget = Budget()
        self._client = anthropic.AsyncAnthropic(
            api_key=settings.key,
            base_url=settings.base_url,
            timeout=policy.timeout,
            max_retries=0,  # ours know the breaker, the budget and the run's deadline
            open_telemetry=False,
        )

    async def close(self) -> None:
        await self._client.close()

    async def answer(self, request: Request, deadline: float, tell: Tell) -> Answer:
        """The model's next turn. Raises PeerUnavailable, and PeerRefused for what no retry mends.

        `deadline` is an instant of the loop's clock; no retry begins that would pass it. `tell` hears
        of every attempt, since what an attempt that failed had said so far is void.
        """
        attempts = 0

        async def attempt() -> Answer:
            nonlocal attempts
            attempts += 1
            await tell("attempt", {"attempt": attempts})
            return await self._attempt(request, tell)

        return await retrying(attempt, self.policy.retry, self._budget, peer=NAME, deadline=deadline)

    async def _attempt(self, request: Request, tell: Tell) -> Answer:
        began = time.perf_counter()
        outcome = "error"
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": request.model,
            "peer.service": NAME,
        }
        with tracing.span(f"chat {request.model}", SpanKind.CLIENT, attributes) as span:
            try:
                with self.breaker.guard():
                    answer = await self._read(request, tell)
                outcome = "ok"
                span.set_attribute("gen_ai.usage.input_tokens", answer.usage.total - answer.usage.output)
                span.set_attribute("gen_ai.usage.output_tokens", answer.usage.output)
                span.set_attribute("gen_ai.response.finish_reasons", [answer.stop_reason])
                return answer
            except BreakerOpen as error:
                outcome = "open"
                raise PeerUnavailable(NAME, "open", str(error), error.retry_after) from None
            except PeerUnavailable as error:
                outcome = error.reason
                raise
            except PeerRefused:
                outcome = "refused"
                raise
            finally:
                metrics.peer_calls.labels(NAME, outcome).inc()
                if outcome != "open":
                    metrics.peer_seconds.labels(NAME).observe(time.perf_counter() - began)

    async def _read(self, request: Request, tell: Tell) -> Answer:
        try:
            async with asyncio.timeout(self.policy.timeout):
                return await self._stream(request, tell)
        except (TimeoutError, anthropic.APITimeoutError, httpx2.TimeoutException):
            raise PeerUnavailable(NAME, "timeout", "it took too long") from None
        except anthropic.APIStatusError as error:
            raise _refusal(error) from error
        except (anthropic.APIConnectionError, httpx2.HTTPError) as error:
            raise PeerUnavailable(NAME, "connection", type(error).__name__) from error
        except (anthropic.APIError, ValueError, LookupError, RuntimeError, AttributeError) as error:
            # The SDK puts events together without asking whether they fit.
            raise PeerUnavailable(
                NAME, "garbled", f"its answer makes no sense: {type(error).__name__}"
            ) from error

    async def _stream(self, request: Request, tell: Tell) -> Answer:
        messages: list[Any] = list(request.messages)
        arguments: dict[str, Any] = {"tools": list(request.tools)} if request.tools else {}
        whole = False
        async with self._client.messages.stream(
            model=request.model,
            max_tokens=request.max_tokens,
            system=request.system,
            messages=messages,
            **arguments,
        ) as stream:
            async for event in stream:
                if event.type == "text":
                    await tell("text", {"text": event.text})
                whole = whole or event.type == "message_stop"
            if not whole:
                raise PeerUnavailable(NAME, "connection", "its answer ended in the middle")
            message = await stream.get_final_message()
        content = tuple(block.to_dict(mode="json") for block in message.content)
        return Answer(content, message.stop_reason or "", _usage(message.usage))


def _usage(given: anthropic.types.Usage) -> Usage:
    counts = (
        given.input_tokens,
        given.output_tokens,
        given.cache_read_input_tokens,
        given.cache_creation_input_tokens,
    )
    return Usage(**{kind: count or 0 for kind, count in zip(KINDS, counts, strict=True)})


def _refusal(error: anthropic.APIStatusError) -> PeerUnavailable | PeerRefused:
    """What an error status means. One in the middle of a stream has the status 200 and a type."""
    status, kind = error.status_code, str(error.type or "")
    retry_after = _seconds(error.response.headers)
    if status == 429 or kind == "rate_limit_error":
        return PeerUnavailable(NAME, "busy", "it answered 429", retry_after)
    if status in (408, 409) or status >= 500 or kind in ("overloaded_error", "api_error", "timeout_error"):
        return PeerUnavailable(NAME, "status", f"it answered {status} {kind}".strip(), retry_after)
    return PeerRefused(NAME, status, {"title": kind or "Refused", "detail": error.api_message or kind})


def _seconds(headers: httpx2.Headers) -> float | None:
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        given = headers.get(name, "")
        if given.replace(".", "", 1).isdecimal():
            return float(given) * unit
    return None


def _speaks_against_the_api(error: Exception) -> bool:
    return isinstance(error, PeerUnavailable) and error.reason != "busy"
