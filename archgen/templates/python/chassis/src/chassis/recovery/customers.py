"""The work that goes on in a drill: one request, made again and again by several customers at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from chassis.testing.system import System


@dataclass(frozen=True)
class Work:
    """A request made again and again, each under a new id, and the events of which one ends it."""

    service: str
    path: str
    id_field: str
    body: dict[str, Any]
    ends_on: Sequence[str]


class Customers:
    """Threads that make the request until they are told to stop."""

    def __init__(self, system: System, work: Work, count: int = 3) -> None:
        self.acknowledged: dict[str, float] = {}
        self._url, self._work = system.url(work.service), work
        self._headers = system.headers(work.service, work.body)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(15)

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, headers=self._headers, timeout=5, trust_env=False) as client:
            while not self._stop.is_set():
                id = str(uuid4())
                body = {**self._work.body, self._work.id_field: id}
                try:
                    answer = client.post(self._work.path, json=body, headers={"X-Correlation-Id": id})
                    if answer.status_code == 201:
                        self.acknowledged[id] = time.time()
                except httpx.HTTPError:
                    self._stop.wait(0.1)
                self._stop.wait(0.02)
