"""The seed decides everything about a run that can be decided beforehand."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torture import plan
from tests.torture.plan import Cast, Fault, Plan

PARTICIPANTS = ("payments", "inventory", "shipping")
WORKERS = ("payments-worker", "notifications-worker")
PROCESSES = ("broker", "database", "users", "orders", "notifications", *PARTICIPANTS, *WORKERS)
CAST = Cast(
    PROCESSES,
    PARTICIPANTS,
    WORKERS,
    gives_up=7.0,
    lease=2.0,
    unfreezable=frozenset({"database"}),
    views=(("orders", "order_details"), ("payments", "ledger")),
    job=("payments", "reconcile"),
)
SEEDS = st.integers(0, 1_000_000)


def planned(seed: int, seconds: float = 10.0) -> Plan:
    return plan.make(seed, CAST, orders=120, seconds=seconds, cancelled=0.1)


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_seed_reproduces_the_schedule_and_the_orders(seed: int) -> None:
    assert planned(seed) == planned(seed)
    assert planned(seed).faults != planned(seed + 1).faults


@given(seed=SEEDS, seconds=st.floats(5, 60))
@settings(max_examples=30, deadline=None)
def test_every_process_is_killed_and_a_participant_is_frozen_for_longer_than_a_saga_waits(
    seed: int, seconds: float
) -> None:
    faults = planned(seed, seconds).faults
    assert {fault.process for fault in faults if fault.kind == "kill"} == set(PROCESSES)
    frozen = [fault for fault in faults if fault.kind == "freeze"]
    assert any(fault.seconds > 7.0 and fault.process in PARTICIPANTS for fault in frozen)
    assert any(fault.seconds > 2.0 and fault.process in WORKERS for fault in frozen)
    assert not any(fault.process == "database" for fault in frozen)


@given(seed=SEEDS, seconds=st.floats(5, 60))
@settings(max_examples=30, deadline=None)
def test_views_are_rebuilt_some_to_the_end_and_some_not(seed: int, seconds: float) -> None:
    errands = planned(seed, seconds).errands
    rebuilds = [errand for errand in errands if errand.kind == "rebuild"]
    assert {errand.killed_after is None for errand in rebuilds} == {True, False}
    assert {(errand.service, errand.what) for errand in rebuilds} == set(CAST.views)
    assert any(errand.kind == "job" for errand in errands)
    assert all(0 <= errand.at <= seconds for errand in errands)


@given(seed=SEEDS, seconds=st.floats(5, 60))
@settings(max_examples=30, deadline=None)
def test_a_process_is_left_alone_until_it_has_recovered_or_killed_around_its_waking(
    seed: int, seconds: float
) -> None:
    last: dict[str, Fault] = {}
    for fault in planned(seed, seconds).faults:
        before = last.get(fault.process)
        if before is not None:
            rested = fault.at - before.at - before.seconds
            woken = fault.kind == "kill" and before.kind == "freeze" and abs(rested) < 0.2
            assert woken or rested >= plan.RECOVERY
        last[fault.process] = fault


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_orders_that_must_fail_do_so_for_the_reason_that_is_planned(seed: int) -> None:
    for order in planned(seed).orders:
        pieces = sum(line.quantity for line in order.lines)
        assert (order.amount > 10_000) == (order.fate == "declined")
        assert (pieces > 50) == (order.fate == "unshippable")
        assert (plan.NEVER_STOCKED in {line.sku for line in order.lines}) == (order.fate == "short")


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_customers_and_keys_belong_to_one_order(seed: int) -> None:
    orders = planned(seed).orders
    assert len({order.customer_id for order in orders}) == len(orders)
    assert len({order.key for order in orders}) == len(orders)
