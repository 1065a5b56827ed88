import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import metrics
from chassis.errors import Refused, Unavailable
from chassis.retry import Budget, Retry, retrying

FAST = Retry(attempts=4, delay=0.001)


class Flaky:
    """Fails the first `failures` times."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error or Unavailable("away")
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return "answer"


async def run(flaky: Flaky, retry: Retry = FAST, budget: Budget | None = None, seconds: float = 5.0) -> str:
    deadline = asyncio.get_running_loop().time() + seconds
    return await retrying(flaky, retry, budget or Budget(), peer="p", deadline=deadline)


async def test_it_tries_again_until_there_is_an_answer() -> None:
    flaky = Flaky(3)
    assert await run(flaky) == "answer"
    assert flaky.calls == 4


async def test_attempts_count_the_first() -> None:
    flaky = Flaky(99)
    with pytest.raises(Unavailable):
        await run(flaky)
    assert flaky.calls == 4


async def test_a_refusal_is_an_answer() -> None:
    flaky = Flaky(99, Refused("no"))
    with pytest.raises(Refused):
        await run(flaky)
    assert flaky.calls == 1


async def test_the_wait_a_peer_asks_for_is_granted() -> None:
    began = asyncio.get_running_loop().time()
    await run(Flaky(1, Unavailable("busy", retry_after=0.1)))
    assert asyncio.get_running_loop().time() - began >= 0.1


async def test_a_wait_beyond_the_bound_is_not_waited_for() -> None:
    flaky = Flaky(1, Unavailable("busy", retry_after=5.1))
    with pytest.raises(Unavailable):
        await run(flaky, seconds=60)
    assert flaky.calls == 1


async def test_a_wait_that_would_pass_the_deadline_is_not_begun() -> None:
    flaky = Flaky(1, Unavailable("busy", retry_after=1.0))
    began = asyncio.get_running_loop().time()
    with pytest.raises(Unavailable):
        await run(flaky, seconds=0.5)
    assert asyncio.get_running_loop().time() - began < 0.4


async def test_in_an_outage_the_budget_holds_retries_to_a_tenth() -> None:
    budget = Budget(ratio=0.1, reserve=10)
    calls = 0
    for _ in range(500):
        flaky = Flaky(99)
        with pytest.raises(Unavailable):
            await run(flaky, Retry(attempts=3, delay=0.0), budget)
        calls += flaky.calls
    assert 500 + 50 <= calls <= 500 + 50 + 10
    assert (metrics.registry.get_sample_value("retries_denied_total", {"peer": "p"}) or 0) > 400


def test_the_budget_never_exceeds_its_reserve() -> None:
    budget = Budget(ratio=1.0, reserve=2)
    for _ in range(100):
        budget.deposit()
    assert [budget.withdraw() for _ in range(3)] == [True, True, False]


@given(failed=st.integers(1, 5000), attempts=st.integers(1, 10_000), delay=st.floats(0, 100))
def test_waits_are_bounded_for_any_policy(failed: int, attempts: int, delay: float) -> None:
    wait = Retry(attempts=attempts, delay=delay, longest=5.0).wait(failed)
    if failed >= attempts:
        assert wait is None
    else:
        assert wait is not None
        assert 0 <= wait <= min(5.0, delay * 2.0 ** min(failed - 1, 30))


@pytest.mark.parametrize(("backoff", "tops"), [("exponential", [0.2, 0.4, 0.8]), ("fixed", [0.2, 0.2, 0.2])])
def test_full_jitter_spreads_over_the_whole_range(backoff: str, tops: list[float]) -> None:
    retry = Retry(attempts=9, backoff=backoff, delay=0.2)  # type: ignore[arg-type]
    for failed, top in enumerate(tops, start=1):
        waits = sorted(retry.wait(failed) or 0.0 for _ in range(500))
        assert waits[0] < top * 0.1
        assert top * 0.9 < waits[-1] <= top
        assert max(b - a for a, b in pairwise(waits)) < top * 0.1
