"""Customers: threads that place the planned orders over HTTP, and do not give up easily.

A request without an answer is made again with the same Idempotency-Key. An order counts as accepted
only when a 201 arrived.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.torture.plan import OrderPlan

PATIENCE = 60.0
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass
class Ledger:
    """What the customers were told; only under `lock` while they are at work."""

    accepted: dict[str, OrderPlan] = field(default_factory=dict)
    cancelled: dict[str, int] = field(default_factory=dict)  # order id → status of the answer
    unexpected: list[str] = field(default_factory=list)
    retries: int = 0
    unanswered: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Customers:
    """`count` threads that work through `plans`, each at its time after `began` (time.monotonic)."""

    def __init__(self, url: str, plans: Sequence[OrderPlan], began: float, count: int = 16) -> None:
        self.ledger = Ledger()
        self._url = url
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
        with httpx.Client(base_url=self._url, timeout=5, trust_env=False) as client:
            while True:
                try:
                    plan = self._plans.get_nowait()
                except queue.Empty:
                    return
                time.sleep(max(0.0, self._began + plan.at - time.monotonic()))
                self._order(client, plan)

    def _order(self, client: httpx.Client, plan: OrderPlan) -> None:
        answer = self._insist(client, "/orders", plan.body(), plan.key)
        if answer is None:
            return
        with self.ledger.lock:
            if answer.status_code != 201:
                self.ledger.unexpected.append(
                    f"order {plan.number}: {answer.status_code} {answer.text[:200]}"
                )
                return
            order_id: str = answer.json()["order_id"]
            self.ledger.accepted[order_id] = plan
        if plan.cancel_after is not None:
            time.sleep(plan.cancel_after)
            self._cancel(client, plan, order_id)

    def _cancel(self, client: httpx.Client, plan: OrderPlan, order_id: str) -> None:
        body = {"reason": "the customer changed their mind"}
        answer = self._insist(client, f"/orders/{order_id}/cancel", body, f"cancel-{plan.key}")
        if answer is None:
            return
        with self.ledger.lock:
            self.ledger.cancelled[order_id] = answer.status_code
            # 409: it is confirmed already.
            if answer.status_code not in (200, 409):
                self.ledger.unexpected.append(
                    f"cancelling order {plan.number}: {answer.status_code} {answer.text[:200]}"
                )

    def _insist(self, client: httpx.Client, path: str, body: Any, key: str) -> httpx.Response | None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = client.post(path, json=body, headers={"Idempotency-Key": key})
                busy = answer.status_code == 409 and "retry-after" in answer.headers
                if answer.status_code not in TRY_AGAIN and not busy:
                    return answer
            except httpx.HTTPError:
                pass
            with self.ledger.lock:
                self.ledger.retries += 1
            time.sleep(0.15)
        with self.ledger.lock:
            self.ledger.unanswered += 1
        return None
