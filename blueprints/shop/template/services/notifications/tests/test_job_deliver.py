"""The job deliver, done by a worker, and the gateways behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from chassis.db import Database
from chassis.service import Service
from chassis.settings import SettingsError
from chassis.testing.jobs import perform
from chassis.uow import Session, UnitOfWork
from notifications.domain.notification import Notification
from notifications.gateways import HttpGateway, LogGateway, Outgoing, Undeliverable, gateway_of
from notifications.generated.aggregates import NOTIFICATION
from notifications.generated.jobs import Deliver
from notifications.generated.notification import Notify
from notifications.generated.wiring import SERVICE
from notifications.jobs.deliver import deliver

ID = UUID("c0ffee00-0000-4000-8000-000000000008")
CUSTOMER = UUID("c0ffee00-0000-4000-8000-000000000003")
NOTIFY = Notify(notification_id=ID, customer_id=CUSTOMER, channel="sms", text="Your order is confirmed.")


class FakeGateway:
    """Remembers what it was asked to send, after doing what `answer` does."""

    def __init__(self, answer: Callable[[], None] = lambda: None) -> None:
        self.answer = answer
        self.sent: list[tuple[Outgoing, str]] = []

    async def send(self, message: Outgoing, key: str) -> None:
        self.sent.append((message, key))
        self.answer()


def through(gateway: FakeGateway) -> Service:
    """The service, with `gateway` in place of the real one."""
    jobs = tuple(replace(job, handler=partial(deliver, via=gateway)) for job in SERVICE.jobs)
    return replace(SERVICE, jobs=jobs)


def queued(uow: UnitOfWork) -> None:
    uow.handle(NOTIFICATION, ID, NOTIFY)


async def state(folder: Path) -> Notification | None:
    db = Database(f"sqlite:///{folder / 'test.db'}")
    found: Notification | None = await db.read(
        lambda conn: Session(conn).aggregates.load(NOTIFICATION, str(ID)).state
    )
    db.close()
    return found


async def test_what_the_gateway_takes_is_delivered_under_the_key_of_the_job(tmp_path: Path) -> None:
    gateway = FakeGateway()
    ended = await perform(through(gateway), Deliver(notification_id=ID), tmp_path, given=queued)
    assert (ended.status, ended.error) == ("done", "")
    assert gateway.sent == [(Outgoing(CUSTOMER, "sms", "Your order is confirmed."), ended.id)]
    delivered = await state(tmp_path)
    assert delivered is not None and delivered.status == "delivered"


async def test_what_the_gateway_refuses_has_failed_with_the_reason(tmp_path: Path) -> None:
    def refuse() -> None:
        raise Undeliverable("no such number")

    ended = await perform(through(FakeGateway(refuse)), Deliver(notification_id=ID), tmp_path, given=queued)
    assert ended.status == "done"
    failed = await state(tmp_path)
    assert failed is not None and (failed.status, failed.reason) == ("failed", "no such number")


async def test_while_the_gateway_is_away_the_notification_stays_queued(tmp_path: Path) -> None:
    def away() -> None:
        raise ConnectionError("away")

    ended = await perform(through(FakeGateway(away)), Deliver(notification_id=ID), tmp_path, given=queued)
    assert (ended.status, ended.error) == ("failed", "ConnectionError: away")
    waiting = await state(tmp_path)
    assert waiting is not None and waiting.status == "queued"


async def test_a_notification_that_does_not_exist_is_given_up(tmp_path: Path) -> None:
    gateway = FakeGateway()
    ended = await perform(through(gateway), Deliver(notification_id=ID), tmp_path)
    assert (ended.status, gateway.sent) == ("failed", [])


def test_production_needs_a_gateway_and_development_logs() -> None:
    assert isinstance(gateway_of({}), LogGateway)
    assert isinstance(gateway_of({"PROFILE": "prod", "GATEWAY_URL": "https://gateway"}), HttpGateway)
    with pytest.raises(SettingsError, match="GATEWAY_URL"):
        gateway_of({"PROFILE": "prod"})
