import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chassis import metrics
from chassis.breaker import Breaker, BreakerOpen, State


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def state(breaker: Breaker) -> State:
    return breaker.state


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionError), breaker.guard():
            raise ConnectionError


def succeed(breaker: Breaker) -> None:
    with breaker.guard():
        pass


def test_failures_in_a_row_open_it_and_open_answers_at_once() -> None:
    clock = Clock()
    breaker = Breaker("p", failures=3, reset=60, clock=clock)
    fail(breaker, 3)
    clock.now += 20
    with pytest.raises(BreakerOpen) as refusal, breaker.guard():
        pytest.fail("the call must not be made")
    assert refusal.value.retry_after == 40


def test_a_success_while_closed_starts_the_count_again() -> None:
    breaker = Breaker("p", failures=3)
    fail(breaker, 2)
    succeed(breaker)
    fail(breaker, 2)
    assert state(breaker) is State.CLOSED


def test_the_probe_closes_it_or_opens_it_for_another_full_period() -> None:
    clock = Clock()
    breaker = Breaker("p", failures=1, reset=60, clock=clock)
    fail(breaker)
    clock.now += 60
    fail(breaker)
    clock.now += 59
    with pytest.raises(BreakerOpen), breaker.guard():
        pass
    clock.now += 1
    succeed(breaker)
    assert state(breaker) is State.CLOSED


async def test_fifty_callers_after_the_reset_make_one_call() -> None:
    clock = Clock()
    breaker = Breaker("p", failures=1, reset=60, clock=clock)
    fail(breaker)
    clock.now += 61
    reached = refused = 0

    async def caller() -> None:
        nonlocal reached, refused
        try:
            with breaker.guard():
                reached += 1
                await asyncio.sleep(0.02)
        except BreakerOpen:
            refused += 1

    await asyncio.gather(*(caller() for _ in range(50)))
    assert (reached, refused) == (1, 49)
    await asyncio.gather(*(caller() for _ in range(50)))
    assert reached == 51, "closed again, it lets all of them through, and at the same time"


async def test_failing_probes_stay_one_at_a_time() -> None:
    clock = Clock()
    breaker = Breaker("p", failures=1, reset=0.01, clock=clock)
    fail(breaker)
    inside = most = reached = 0

    async def caller() -> None:
        nonlocal inside, most, reached
        try:
            with breaker.guard():
                inside += 1
                most, reached = max(most, inside), reached + 1
                try:
                    await asyncio.sleep(0.001)
                finally:
                    inside -= 1
                raise ConnectionError
        except (BreakerOpen, ConnectionError):
            clock.now += 0.005

    for _ in range(20):
        await asyncio.gather(*(caller() for _ in range(50)))
    assert most == 1
    assert reached >= 20


async def test_a_time_limit_inside_counts_as_a_failure() -> None:
    breaker = Breaker("p", failures=1)
    with pytest.raises(TimeoutError), breaker.guard():
        async with asyncio.timeout(0.001):
            await asyncio.sleep(1)
    assert state(breaker) is State.OPEN


async def test_a_cancelled_probe_frees_its_place_and_decides_nothing() -> None:
    clock = Clock()
    breaker = Breaker("p", failures=1, reset=60, clock=clock)
    fail(breaker)
    clock.now += 60

    async def probe() -> None:
        with breaker.guard():
            await asyncio.sleep(60)

    task = asyncio.create_task(probe())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert state(breaker) is State.HALF_OPEN
    succeed(breaker)
    assert state(breaker) is State.CLOSED


def test_cancellations_while_closed_neither_count_nor_forgive() -> None:
    breaker = Breaker("p", failures=2)
    fail(breaker)
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    assert state(breaker) is State.CLOSED
    fail(breaker)
    assert state(breaker) is State.OPEN


@pytest.mark.parametrize("late_call_fails", [True, False])
def test_a_result_from_before_the_opening_changes_nothing(late_call_fails: bool) -> None:
    clock = Clock()
    breaker = Breaker("p", failures=1, reset=60, clock=clock)
    late = breaker.guard()
    late.__enter__()
    fail(breaker)
    clock.now += 60
    probe = breaker.guard()
    probe.__enter__()
    if late_call_fails:
        late.__exit__(ConnectionError, ConnectionError(), None)
    else:
        late.__exit__(None, None, None)
    assert state(breaker) is State.HALF_OPEN
    with pytest.raises(BreakerOpen), breaker.guard():
        pytest.fail("the late result must not have freed the place of the probe")
    probe.__exit__(None, None, None)
    assert state(breaker) is State.CLOSED


def test_a_business_refusal_does_not_count_and_even_closes() -> None:
    clock = Clock()
    breaker = Breaker(
        "p", failures=1, reset=60, clock=clock, is_failure=lambda e: not isinstance(e, LookupError)
    )
    with pytest.raises(KeyError), breaker.guard():
        raise KeyError
    assert state(breaker) is State.CLOSED
    fail(breaker)
    clock.now += 60
    with pytest.raises(KeyError), breaker.guard():
        raise KeyError
    assert state(breaker) is State.CLOSED


def test_state_and_transitions_are_metrics() -> None:
    clock = Clock()
    breaker = Breaker("metrics-peer", failures=1, reset=60, clock=clock)

    def gauge() -> float | None:
        return metrics.registry.get_sample_value("breaker_state", {"peer": "metrics-peer"})

    def transitions(to: str) -> float | None:
        labels = {"peer": "metrics-peer", "to": to}
        return metrics.registry.get_sample_value("breaker_transitions_total", labels)

    assert gauge() == 0
    fail(breaker)
    assert gauge() == 2
    clock.now += 60
    with breaker.guard():
        assert gauge() == 1
    assert gauge() == 0
    assert [transitions(to) for to in ("open", "half_open", "closed")] == [1, 1, 1]


class BreakerAgainstModel(RuleBasedStateMachine):
    """Any interleaving of calls, results, cancellations and time, against the rules written flat.

    The model keeps no generations: it marks each open call with whether its result still matters.
    """

    FAILURES, RESET = 3, 10.0

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker("model", self.FAILURES, self.RESET, clock=self.clock)
        self.state, self.count, self.opened_at = "closed", 0, 0.0
        self.calls: list[tuple[object, dict[str, bool]]] = []

    def turn(self, state: str) -> None:
        self.state, self.count = state, 0
        for _, facts in self.calls:
            facts["matters"] = False

    @rule(seconds=st.sampled_from([1.0, 5.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def call(self) -> None:
        probed = any(facts["probe"] and facts["matters"] for _, facts in self.calls)
        due = self.state == "open" and self.clock.now >= self.opened_at + self.RESET
        admitted = self.state == "closed" or due or (self.state == "half_open" and not probed)
        guard = self.breaker.guard()
        try:
            guard.__enter__()
        except BreakerOpen as error:
            assert not admitted
            assert error.retry_after is not None
            assert 0 < error.retry_after <= self.RESET
            return
        assert admitted
        if due:
            self.turn("half_open")
        self.calls.append((guard, {"matters": True, "probe": self.state == "half_open"}))

    def end(self, index: int, error: BaseException | None) -> dict[str, bool]:
        guard, facts = self.calls.pop(index % len(self.calls))
        kind = type(error) if error else None
        assert not guard.__exit__(kind, error, None)  # type: ignore[attr-defined]
        return facts

    @precondition(lambda self: self.calls)
    @rule(index=st.integers(0, 50))
    def succeed(self, index: int) -> None:
        if self.end(index, None)["matters"]:
            if self.state == "half_open":
                self.turn("closed")
            self.count = 0

    @precondition(lambda self: self.calls)
    @rule(index=st.integers(0, 50))
    def fail(self, index: int) -> None:
        if self.end(index, ConnectionError())["matters"]:
            self.count += 1
            if self.state == "half_open" or self.count == self.FAILURES:
                self.turn("open")
                self.opened_at = self.clock.now

    @precondition(lambda self: self.calls)
    @rule(index=st.integers(0, 50))
    def cancel(self, index: int) -> None:
        self.end(index, asyncio.CancelledError())

    @invariant()
    def agree(self) -> None:
        assert self.breaker.state.name.lower() == self.state


TestBreakerAgainstModel = BreakerAgainstModel.TestCase
TestBreakerAgainstModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
