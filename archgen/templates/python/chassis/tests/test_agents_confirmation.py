"""Commands of an agent: none without a person's yes, each exactly once, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from agents_for_tests import ORDER, Client, serving

from chassis.agents import runs
from chassis.testing.llm_stub import LlmStub, Say, tool


@pytest.fixture(scope="module")
def stub() -> Iterator[LlmStub]:
    with LlmStub() as server:
        yield server


@pytest.fixture
async def client(stub: LlmStub, url: str, tmp_path: Path) -> AsyncIterator[Client]:
    async with serving(url, tmp_path, stub.env) as running:
        yield running


def change(note: str = "new", order: str = "o1") -> dict[str, Any]:
    return tool("change", {"order_id": order, "note": note})


async def waiting(client: Client, stub: LlmStub, *calls: dict[str, Any]) -> dict[str, Any]:
    """A run that waits for a person to decide on `calls`."""
    stub.play([Say("May I?", *calls), Say("Thank you.")])
    shown: dict[str, Any] = (await client.run()).json()
    assert shown["status"] == "needs_confirmation"
    return shown


async def test_a_command_waits_and_is_done_once_a_person_agrees(client: Client, stub: LlmStub) -> None:
    call, read = change(), tool("details", {"order_id": "o1"})
    run = await waiting(client, stub, read, call)
    assert run["pending"] == [{"id": call["id"], "tool": "change", "arguments": call["input"]}]
    assert len(stub.requests) == 1
    assert await client.note() is None
    after = (await client.decide(run, "approve")).json()
    assert (after["status"], after["answer"], after["pending"]) == ("done", "Thank you.", [])
    assert await client.note() == "new"
    # What was read before the pause and what was done after it are answered together, in order.
    assert [result["tool_use_id"] for result in stub.results()] == [read["id"], call["id"]]
    assert "new" in stub.results()[1]["content"]
    assert (await client.decide(run, "approve")).status_code == 409


async def test_a_no_is_told_to_the_model_and_nothing_is_done(client: Client, stub: LlmStub) -> None:
    run = await waiting(client, stub, change())
    after = (await client.decide(run, "reject")).json()
    assert after["status"] == "done"
    assert after["calls"][0]["outcome"] == "rejected"
    assert stub.results()[0]["is_error"]
    assert await client.note() is None


async def test_each_call_is_decided_on_by_itself(client: Client, stub: LlmStub) -> None:
    one, two = change(order="o1"), change(order="o2")
    run = await waiting(client, stub, one, two)
    path = f"/agents/advisor/runs/{run['run_id']}/confirm"
    for decisions in ({}, {one["id"]: "approve"}, {one["id"]: "approve", "another": "approve"}):
        assert (await client.http.post(path, json={"decisions": decisions})).status_code == 409
    wrong = await client.http.post(path, json={"decisions": {one["id"]: "yes"}})
    assert wrong.status_code == 422
    assert await client.note("o1") is None
    decisions = {one["id"]: "reject", two["id"]: "approve"}
    assert (await client.http.post(path, json={"decisions": decisions})).status_code == 200
    assert (await client.note("o1"), await client.note("o2")) == (None, "new")


async def test_two_people_agreeing_at_once_do_it_once(client: Client, stub: LlmStub) -> None:
    run = await waiting(client, stub, change())
    answers = await asyncio.gather(*(client.decide(run, "approve") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    runtime = client.app.state.runtime
    held = await runtime.db.read(lambda conn: runtime._session(conn).aggregates.load(ORDER, "o1"))
    assert held.version == 1


async def test_a_confirmation_sent_twice_is_answered_twice_and_done_once(
    client: Client, stub: LlmStub
) -> None:
    run = await waiting(client, stub, change())
    header = {"Idempotency-Key": "confirm-1"}
    first, second = (
        await client.decide(run, "approve", **header),
        await client.decide(run, "approve", **header),
    )
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(stub.requests) == 2


@pytest.mark.parametrize("note", ["no", "bug"])
async def test_a_command_that_the_domain_refuses_is_an_answer(
    client: Client, stub: LlmStub, note: str
) -> None:
    run = await waiting(client, stub, change(note), change("fine", "o2"))
    after = (await client.decide(run, "approve")).json()
    assert [call["outcome"] for call in after["calls"]] == ["error", "ok"]
    assert (await client.note("o1"), await client.note("o2")) == (None, "fine")


async def test_a_command_that_the_description_trusts_does_not_wait(client: Client, stub: LlmStub) -> None:
    stub.play([Say(change("trusted"), change("no"), change("bug"), change("trusted")), Say("Done.")])
    shown = (await client.run(agent="bold")).json()
    assert shown["status"] == "done"
    assert [call["outcome"] for call in shown["calls"]] == ["ok", "error", "error", "ok"]
    assert await client.note() == "trusted"
    assert "changed nothing" in stub.results()[3]["content"]
    assert "no is no note" in stub.results()[1]["content"]


async def test_wrong_arguments_never_reach_a_person(client: Client, stub: LlmStub) -> None:
    stub.play([Say(tool("change", {"order_id": "o1", "note": "x", "force": True})), Say("Sorry.")])
    shown = (await client.run()).json()
    assert (shown["status"], shown["calls"][0]["outcome"]) == ("done", "invalid")


async def test_what_waits_too_long_is_over(client: Client, stub: LlmStub, monkeypatch: Any) -> None:
    run = await waiting(client, stub, change())
    monkeypatch.setattr(runs, "CONFIRM_SECONDS", -1.0)
    assert (await client.decide(run, "approve")).status_code == 409
    assert (await client.show(run))["status"] == "interrupted"
    assert await client.note() is None


async def test_what_ended_keeps_no_secret(client: Client, stub: LlmStub) -> None:
    call = change("https://me:s3cret@example.com")
    run = await waiting(client, stub, call)
    # A person must see what is really asked for.
    assert run["pending"][0]["arguments"]["note"] == "https://me:s3cret@example.com"
    await client.decide(run, "reject")
    runtime = client.app.state.runtime
    kept = await runtime.db.read(lambda conn: runs.load(conn, "advisor", run["run_id"]))
    assert "s3cret" not in str(kept)
    assert kept.messages[0] == {"role": "user", "content": "Look."}


async def test_the_other_agent_does_not_know_the_run(client: Client, stub: LlmStub) -> None:
    run = await waiting(client, stub, change())
    assert (await client.decide({**run, "agent": "bold"}, "approve")).status_code == 404


async def test_ended_runs_are_forgotten_and_waiting_ones_are_not(client: Client, stub: LlmStub) -> None:
    run = await waiting(client, stub, change())
    stub.play([Say("Done.")])
    done = (await client.run()).json()
    assert await client.app.state.runtime.db.run(lambda conn: runs.forget(conn, older_than=-1)) == 1
    assert (await client.http.get(f"/agents/advisor/runs/{done['run_id']}")).status_code == 404
    assert (await client.show(run))["status"] == "needs_confirmation"
