"""Customers: threads that place the planned orders, and do not give up easily.

A request without an answer is made again with the same Idempotency-Key. An order counts as accepted
only when a 201 arrived.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.torture.caller import Caller
from tests.torture.plan import OrderPlan

CHANGED_MIND = "the customer changed their mind"


@dataclass(frozen=True)
class Rival:
    """One of several who cancelled an order at once if it was at version `seen`; and the answer.

    `version` is the one that the cancellation led to; 0 when it was refused.
    """

    order_id: str
    reason: str
    seen: int
    status: int
    version: int


@dataclass
class Ledger:
    """What the customers were told; only under `lock` while they are at work."""

    accepted: dict[str, OrderPlan] = field(default_factory=dict)
    cancelled: dict[str, int] = field(default_factory=dict)  # order id → status of the answer
    rivals: list[Rival] = field(default_factory=list)
    looks: int = 0
    unseen: list[tuple[str, str]] = field(default_factory=list)  # order id, and what a look should have shown
    unexpected: list[str] = field(default_factory=list)
    retries: int = 0
    unanswered: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Customers:
    """`count` threads that work through `plans`, each at its time after `began` (time.monotonic)."""

    def __init__(
        self, caller: Callable[[], Caller], plans: Sequence[OrderPlan], began: float, count: int = 16
    ) -> None:
        self.ledger = Ledger()
        self._caller = caller
        self._began = began
        self._plans: queue.SimpleQueue[OrderPlan] = queue.SimpleQueue()
        for plan in plans:
            self._plans.put(plan)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> bool:
        """Wait until all have what they want or gave up; False when it takes longer than `timeout`."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        with self._caller() as caller:
            while True:
                try:
                    plan = self._plans.get_nowait()
                except queue.Empty:
                    break
                time.sleep(max(0.0, self._began + plan.at - time.monotonic()))
                caller.be(plan.customer_id)
                self._order(caller, plan)
        with self.ledger.lock:
            self.ledger.retries += caller.again

    def _order(self, caller: Caller, plan: OrderPlan) -> None:
        answer = caller.post("orders", "/orders", plan.body(), plan.key)
        with self.ledger.lock:
            if answer is None:
                self.ledger.unanswered += 1
                return
            if answer.status_code != 201:
                self.ledger.unexpected.append(
                    f"order {plan.number}: {answer.status_code} {answer.text[:200]}"
                )
                return
            order_id: str = answer.json()["order_id"]
            self.ledger.accepted[order_id] = plan
        version: int = answer.json()["version"]
        if plan.looks:
            self._look(caller, plan, order_id, version, {"customer_id": plan.customer_id})
        if plan.cancel_after is None:
            return
        time.sleep(plan.cancel_after)
        if plan.rivals:
            with ThreadPoolExecutor(plan.rivals) as together:
                for number in range(plan.rivals):
                    together.submit(self._rival, plan, order_id, version, number)
        else:
            self._cancel(caller, plan, order_id)

    def _cancel(self, caller: Caller, plan: OrderPlan, order_id: str) -> None:
        path, body = f"/orders/{order_id}/cancel", {"reason": CHANGED_MIND}
        answer = caller.post("orders", path, body, f"cancel-{plan.key}")
        # 409: it is confirmed already.
        if not self._noted(plan, answer and answer.status_code, (200, 409)):
            return
        assert answer is not None
        with self.ledger.lock:
            self.ledger.cancelled[order_id] = answer.status_code
        if answer.status_code == 200 and plan.looks:
            self._look(caller, plan, order_id, answer.json()["version"], {"status": "cancelled"})

    def _rival(self, plan: OrderPlan, order_id: str, seen: int, number: int) -> None:
        reason = f"{CHANGED_MIND}, says {number}"
        with self._caller() as caller:
            caller.be(plan.customer_id)
            key = f"cancel-{plan.key}-{number}"
            answer = caller.post(
                "orders", f"/orders/{order_id}/cancel", {"reason": reason}, key, if_match=seen
            )
        # 412: it is no longer at the version that was seen.
        if not self._noted(plan, answer and answer.status_code, (200, 412)):
            return
        assert answer is not None
        status = answer.status_code
        version = answer.json()["version"] if status == 200 else 0
        with self.ledger.lock:
            self.ledger.rivals.append(Rival(order_id, reason, seen, status, version))
            if status == 200 or order_id not in self.ledger.cancelled:
                self.ledger.cancelled[order_id] = status

    def _noted(self, plan: OrderPlan, status: int | None, expected: tuple[int, ...]) -> bool:
        with self.ledger.lock:
            if status is None:
                self.ledger.unanswered += 1
            elif status not in expected:
                self.ledger.unexpected.append(f"cancelling order {plan.number}: {status}")
        return status in expected

    def _look(
        self, caller: Caller, plan: OrderPlan, order_id: str, version: int, wanted: dict[str, Any]
    ) -> None:
        """Read one's own write: the view, in this version or a later one."""
        answer = caller.get("orders", f"/order-details/{order_id}", min_version=version)
        row = answer.json() if answer is not None and answer.status_code == 200 else {}
        with self.ledger.lock:
            self.ledger.looks += 1
            if answer is None:
                self.ledger.unanswered += 1
            elif row.get("version", 0) < version or any(row[name] != wanted[name] for name in wanted):
                self.ledger.unseen.append(
                    (order_id, f"version {version} with {wanted}; it was {answer.text[:200]}")
                )
