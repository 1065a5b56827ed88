"""A notification is queued over HTTP, delivered by the worker, and shown as delivered."""

from __future__ import annotations

import time

import httpx

from chassis.testing import System

NOTIFY = {
    "customer_id": "c0ffee00-0000-4000-8000-000000000003",
    "channel": "push",
    "text": "Your parcel is on its way.",
}


def test_what_is_queued_is_delivered_also_when_the_worker_was_killed(system: System) -> None:
    base, headers = system.url("notifications"), system.headers("notifications", NOTIFY)
    system.kill("notifications-worker")
    with httpx.Client(base_url=base, headers=headers) as client:
        asked = [client.post("/notifications", json=NOTIFY).json()["notification_id"] for _ in range(5)]
        assert {client.get(f"/notifications/{id}").json()["status"] for id in asked} == {"queued"}
    system.start("notifications-worker")
    deadline = time.monotonic() + 30
    states: set[str] = set()
    while states != {"delivered"} and time.monotonic() < deadline:
        time.sleep(0.1)
        with httpx.Client(base_url=base, headers=headers) as client:
            states = {client.get(f"/notifications/{id}").json()["status"] for id in asked}
    assert states == {"delivered"}
