"""The way out to customers: a port, and what stands behind it.

`GATEWAY_URL` names an HTTP gateway that takes e-mails, texts and pushes. In development, without one, what would be
sent is logged. In production a missing gateway is an error: nobody would notice messages that go nowhere.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol
from uuid import UUID

from chassis.http_client import Peer, PeerRefused
from chassis.policy import Policy
from chassis.settings import SettingsError

log = logging.getLogger(__name__)


class Undeliverable(Exception):
    """The gateway says no for good; the text says why."""


@dataclass(frozen=True)
class Outgoing:
    """One message to one customer. `text` is not in its `repr`, so that no log shows it by accident."""

    customer_id: UUID
    channel: str
    text: str = field(repr=False)


class Gateway(Protocol):
    """Sends a message once per `key`, however often it is asked.

    Raises Undeliverable when asking again is no use; anything else that is raised is tried again.
    """

    async def send(self, message: Outgoing, key: str) -> None: ...


class LogGateway:
    """Sends nothing; logs that it would have."""

    async def send(self, message: Outgoing, key: str) -> None:
        log.info("would send", extra={"channel": message.channel, "customer_id": str(message.customer_id)})


class HttpGateway:
    """Posts messages to `<url>/<channel>`, with limits, retries and a breaker."""

    def __init__(self, url: str) -> None:
        self._peer = Peer("gateway", url, Policy(timeout=5.0))

    async def send(self, message: Outgoing, key: str) -> None:
        body = {"customer_id": str(message.customer_id), "text": message.text}
        try:
            await self._peer.post_json(f"/{message.channel}", body, key=key)
        except PeerRefused as refusal:
            raise Undeliverable(str(refusal)) from refusal


def gateway_of(env: Mapping[str, str]) -> Gateway:
    """The gateway that the environment names. Raises SettingsError when production has none."""
    if url := env.get("GATEWAY_URL", "").strip():
        return HttpGateway(url)
    if env.get("PROFILE", "dev").strip().lower() == "prod":
        raise SettingsError(["GATEWAY_URL is missing; prod has no default for it"])
    return LogGateway()


@cache
def gateway() -> Gateway:
    """The one of this process: a breaker only works when it is shared."""
    return gateway_of(os.environ)
