"""What a service gets because it has jobs, and what it doesn't get without."""

from __future__ import annotations

import pytest

from archgen.plan import plan
from archgen.plan_types import Template
from archgen.render import render
from archgen.spec import loads

BARE = """
archgen: 1
system: shop
services:
  orders:
    port: 9001
    aggregates: {Order: {commands: {create: {emits: order.created}}}}
  payments:
    aggregates: {Payment: {commands: {charge: {emits: payment.charged}}}}
"""
JOBS = (
    BARE
    + """
    jobs:
      reconcile: {schedule: "0 3 * * *", attempts: 5, backoff: {type: fixed, delay: 500ms}, priority: high}
      remind: {takes: {payment_id: uuid}}
recovery: {rpo: 5m, rto: 30m, backup: "0 2 * * *"}
"""
)
OWN = {
    "services/payments/src/payments/worker.py",
    "services/payments/src/payments/jobs/__init__.py",
    "services/payments/src/payments/jobs/reconcile.py",
    "services/payments/src/payments/jobs/remind.py",
    "services/payments/src/payments/generated/jobs.py",
    "services/payments/tests/test_job_reconcile.py",
    "services/payments/tests/test_job_remind.py",
    "tests/test_jobs.py",
}


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    wanted = OWN | {"Procfile", ".env.example", "services/payments/src/payments/generated/wiring.py"}
    items = [item for item in plan(loads(JOBS)) if item.path in wanted and isinstance(item, Template)]
    return {file.path: file.contents.decode() for file in render(items)}


def test_the_files_of_jobs_come_with_jobs_only() -> None:
    with_jobs, without = ({item.path for item in plan(loads(text))} for text in (JOBS, BARE))
    assert with_jobs >= OWN
    assert not without & OWN


def test_the_worker_is_a_process_on_the_database_of_its_service_and_a_port_of_its_own(
    texts: dict[str, str],
) -> None:
    workers = [line for line in texts["Procfile"].splitlines() if "worker" in line]
    assert workers == [
        "payments-worker: PORT=$PAYMENTS_WORKER_PORT DATABASE_URL=$PAYMENTS_DATABASE_URL "
        "exec python -m payments.worker"
    ]
    assert "PAYMENTS_WORKER_PORT=9002" in texts[".env.example"], "9001 belongs to orders"


def test_the_worker_is_told_what_the_description_says(texts: dict[str, str]) -> None:
    wiring = texts["services/payments/src/payments/generated/wiring.py"]
    assert 'attempts=5,\n        backoff=Backoff(type="fixed", delay=0.5),' in wiring
    assert 'schedule=Cron("0 3 * * *")' in wiring
    arguments = texts["services/payments/src/payments/generated/jobs.py"]
    assert "PRIORITY: ClassVar[int] = 1\n\n    due: datetime" in arguments
    assert "PRIORITY: ClassVar[int] = 2\n\n    payment_id: UUID" in arguments


def test_the_system_is_tested_with_jobs_that_anybody_can_ask_for(texts: dict[str, str]) -> None:
    assert '("payments", "/jobs/reconcile")' in texts["tests/test_jobs.py"]
    assert "/jobs/remind" not in texts["tests/test_jobs.py"]
