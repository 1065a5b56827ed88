"""What must hold for jobs and for what they do to the world: none is lost, none has its effect twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from tests.torture.evidence import Evidence

Found = Iterator[tuple[str, str]]
MINUTE = timedelta(minutes=1)


def every_job_ends(evidence: Evidence) -> Found:
    for job in evidence.jobs:
        if job["status"] != "done":
            yield (
                "",
                f"{job['name']} {job['id']} is {job['status']}, attempt {job['attempt']}: {job['error']}",
            )


def each_notification_is_one_job(evidence: Evidence) -> Found:
    jobs = Counter(job["args"]["notification_id"] for job in evidence.jobs if job["name"] == "deliver")
    known = {notification["notification_id"] for notification in evidence.states["Notification"]}
    for id in known | jobs.keys():
        if jobs[id] != 1 or id not in known:
            yield (
                "",
                f"notification {id} is there {int(id in known)} times, jobs to deliver it {jobs[id]} times",
            )


def each_notification_goes_out_once(evidence: Evidence) -> Found:
    """The gateway took it under one key, or refused it, and that is what its state says."""
    sent = Counter((each.customer_id, each.channel, each.text) for each in evidence.gateway.sent.values())
    refused = {(each.customer_id, each.channel) for each in evidence.gateway.refused.values()}
    for notification in evidence.states["Notification"]:
        who = notification["customer_id"], notification["channel"]
        expected = int(notification["status"] == "delivered")
        count = sent.pop((*who, notification["text"]), 0)
        if count != expected:
            yield "", f"notification {who} is {notification['status']} and went out {count} times"
        if notification["status"] not in ("delivered", "failed"):
            yield "", f"notification {who} is still {notification['status']}"
        if (notification["status"] == "failed") != (who in refused):
            yield "", f"notification {who} is {notification['status']}, refused: {who in refused}"
    for unknown in sent:
        yield "", f"went out without being kept: {unknown}"


def each_reconciliation_is_one_job(evidence: Evidence) -> Found:
    jobs = {job["id"]: job for job in evidence.jobs if job["name"] == "reconcile"}
    results = Counter(result["reconciliation_id"] for result in evidence.states["Reconciliation"])
    for id in evidence.operators.jobs:
        if id not in jobs:
            yield "", f"the job {id} was accepted and does not exist"
    for id in jobs.keys() | results.keys():
        if results[id] != 1 or id not in jobs:
            yield "", f"reconciliation {id} has {results[id]} results and {int(id in jobs)} jobs"
    for result in evidence.states["Reconciliation"]:
        if result["differing"]:
            yield "", f"a reconciliation found differing payments: {result['differing'][:3]}"


def each_due_time_is_one_job(evidence: Evidence) -> Found:
    """The schedule's jobs, which nobody enqueued, follow each other without a gap or a repetition."""
    asked = set(evidence.operators.jobs)
    scheduled = [job for job in evidence.jobs if job["name"] == "reconcile" and job["id"] not in asked]
    times = sorted(datetime.fromisoformat(job["args"]["due"]) for job in scheduled)
    for one, next in pairwise(times):
        if next - one != MINUTE:
            yield "", f"due every minute; after {one:%H:%M} came {next:%H:%M:%S}"


def operators_got_what_they_asked_for(evidence: Evidence) -> Found:
    for problem in evidence.operators.problems:
        yield "", problem
