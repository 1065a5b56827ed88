"""The model's API when it is busy, broken, slow or gone: retries, breaker, and an answer in words."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from agents_for_tests import ADVISOR, QUICK, Client, events, serving

from chassis.agents import Limits
from chassis.agents import http as routes
from chassis.breaker import State
from chassis.policy import BreakerPolicy
from chassis.retry import Retry
from chassis.testing.llm_stub import Fail, LlmStub, Say, tool

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def stub() -> Iterator[LlmStub]:
    with LlmStub() as server:
        yield server


@pytest.fixture
async def client(stub: LlmStub, tmp_path: Path) -> AsyncIterator[Client]:
    async with serving(f"sqlite:///{tmp_path}/agents.db", tmp_path, stub.env) as running:
        yield running


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Fail(429, "rate_limit_error", {"retry-after": "0"}), id="429"),
        pytest.param(Fail(429, "rate_limit_error"), id="429 without a word when"),
        pytest.param(Fail(529, "overloaded_error"), id="529"),
        pytest.param(Fail(500), id="500"),
        pytest.param(Say("This will bre", breaks=True), id="a broken stream"),
        pytest.param(Fail(200, "overloaded_error", midway=True), id="an error within a stream"),
    ],
)
async def test_what_passes_is_tried_again(client: Client, stub: LlmStub, trouble: Say | Fail) -> None:
    stub.play([trouble, trouble, Say("At last.")])
    shown = (await client.run()).json()
    assert (shown["status"], shown["answer"]) == ("done", "At last.")
    assert shown["usage"]["turns"] == 1
    assert len(stub.requests) == 3


async def test_the_wait_that_is_asked_for_is_granted(client: Client, stub: LlmStub) -> None:
    stub.play([Fail(429, "rate_limit_error", {"retry-after-ms": "300"}), Say("At last.")])
    began = time.monotonic()
    assert (await client.run()).json()["status"] == "done"
    assert time.monotonic() - began >= 0.3


async def test_a_wait_that_is_too_long_is_passed_on(client: Client, stub: LlmStub) -> None:
    stub.play([Fail(429, "rate_limit_error", {"retry-after": "60"})])
    answer = await client.run()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(stub.requests) == 1


async def test_a_model_that_never_answers_is_given_up(stub: LlmStub, tmp_path: Path) -> None:
    impatient = replace(QUICK, timeout=0.2, retry=Retry(attempts=2, delay=0.01))
    stub.play(lambda _body: Say("Too late.", pause=10))
    async with serving(f"sqlite:///{tmp_path}/a.db", tmp_path, stub.env, policy=impatient) as client:
        answer = await client.run()
        assert answer.status_code == 503
        assert "too long" in answer.json()["detail"]
        assert len(stub.requests) == 2


async def test_a_failing_api_is_left_alone(stub: LlmStub, tmp_path: Path) -> None:
    once = replace(QUICK, retry=Retry(attempts=1), breaker=BreakerPolicy(2, 60))
    stub.play(lambda _body: Fail(529, "overloaded_error"))
    async with serving(f"sqlite:///{tmp_path}/a.db", tmp_path, stub.env, policy=once) as client:
        for _ in range(5):
            answer = await client.run()
            assert answer.status_code == 503
        assert client.staff.model.breaker.state is State.OPEN
        assert len(stub.requests) == 2
        assert int(answer.headers["retry-after"]) > 30


async def test_a_busy_api_is_not_a_broken_one(client: Client, stub: LlmStub) -> None:
    stub.play(lambda _body: Fail(429, "rate_limit_error"))
    for _ in range(3):
        assert (await client.run()).status_code == 503
    assert client.staff.model.breaker.state is State.CLOSED


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
async def test_what_no_retry_mends_is_told_once(client: Client, stub: LlmStub, status: int) -> None:
    stub.play([Fail(status, "some_error")])
    answer = await client.run()
    assert answer.status_code == 503
    assert f"refuses this service: The stub says some_error. ({status})" in answer.json()["detail"]
    assert len(stub.requests) == 1
    assert client.staff.model.breaker.state is State.CLOSED


async def test_trouble_in_a_later_turn_ends_the_run_as_failed(client: Client, stub: LlmStub) -> None:
    stub.play([Say(tool("poisoned")), Fail(401, "authentication_error")])
    text = (await client.http.post("/agents/advisor/runs", json={"task": "Look."}, headers=STREAM)).text
    told = list(events(text))
    assert told[0][0] == "run"
    assert told[-1][0] == "problem"
    shown = await client.show({"agent": "advisor", **told[0][1]})
    assert (shown["status"], shown["usage"]["turns"]) == ("failed", 1)


async def test_a_stream_tells_what_happens(client: Client, stub: LlmStub) -> None:
    stub.play([Say("Let me ", tool("poisoned")), Say("It is fine.", breaks=True), Say("It is fine.")])
    answer = await client.http.post("/agents/advisor/runs", json={"task": "Look."}, headers=STREAM)
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = list(events(answer.text))
    kinds = [kind for kind, _ in told]
    assert kinds[:3] == ["run", "turn", "attempt"]
    assert kinds.count("turn") == 2
    # The broken attempt's text is void from the moment that the next attempt begins.
    last = len(kinds) - 1 - kinds[::-1].index("attempt")
    assert told[last][1] == {"attempt": 2}
    assert "".join(data["text"] for kind, data in told[last:] if kind == "text") == "It is fine."
    tools = [data for kind, data in told if kind == "tool"]
    assert [(data["tool"], data["outcome"]) for data in tools] == [("poisoned", "ok")]
    kind, end = told[-1]
    assert (kind, end["status"], end["answer"]) == ("end", "done", "It is fine.")


async def test_a_reader_who_goes_away_ends_the_run(stub: LlmStub, tmp_path: Path) -> None:
    """The run stops spending, is kept as interrupted, and its place is free again."""
    single = replace(ADVISOR, limits=Limits(runs=1, seconds=30))
    stub.play(lambda _body: Say("Slow.", pause=20))
    async with serving(f"sqlite:///{tmp_path}/a.db", tmp_path, stub.env, (single,)) as client:
        staff = client.staff
        run, _ = await staff.begin(single, "Look.", None)
        place = ExitStack()
        place.enter_context(staff.place(single))
        reader = routes._events(staff, single, run, place)
        assert b"event: run" in await anext(reader)
        await anext(reader)
        await reader.aclose()  # type: ignore[attr-defined]
        assert (await client.show({"agent": "advisor", "run_id": run.id}))["status"] == "interrupted"
        with staff.place(single):
            pass
