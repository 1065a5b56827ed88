"""What a tool that reads gets at: the service's own views, and its peers'."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis import views
from chassis.agents.definition import Read
from chassis.errors import NotFound, Refused
from chassis.http_client import Peer, PeerRefused
from chassis.last_known import Answer
from chassis.runtime import Runtime
from chassis.security.model import ANYBODY, Caller
from chassis.security.ownership import owns_row

Ask = Callable[[Peer, Any], Awaitable[Answer]]


@dataclass(frozen=True)
class Desk:
    """The service as its agents see it."""

    runtime: Runtime
    peers: Mapping[str, Peer]
    caller: Caller = ANYBODY  # whom the agent works for: it may see and do what they may

    def may(self, deed: str) -> bool:
        """Whether the caller may do this; see `security.model.Rule.does`."""
        security = self.runtime.service.security
        return security is None or self.caller.meets(security.rule_of(deed))


def own_view(view: str, *, key: str) -> Read:
    """Reads one row of a view of this service; `key` names the argument that holds the row's key."""

    async def read(desk: Desk, arguments: Mapping[str, Any]) -> Any:
        wanted = str(arguments[key])
        if not desk.may(f"view {view}"):
            raise Refused("the person that you work for may not see this")
        row = await desk.runtime.db.read(lambda conn: views.find(conn, view, wanted))
        if row is None or not owns_row(desk.caller, desk.runtime.service.owner_of(view), row):
            raise NotFound(view, wanted)
        return row

    return read


def peer_view(peer: str, ask: Ask, *, key: str) -> Read:
    """Reads one row of a peer's view by the generated client `ask`, as any other code of the service does.

    `key` names the argument that holds the row's key.
    """

    async def read(desk: Desk, arguments: Mapping[str, Any]) -> Any:
        wanted = str(arguments[key])
        try:
            answer = await ask(desk.peers[peer], wanted)
        except PeerRefused as refusal:
            if refusal.status == 404:
                raise NotFound(f"a row of {peer}", wanted) from None
            raise
        if answer.stale:
            return {"answer": answer.value, "seconds_old": round(answer.age)}
        return answer.value

    return read
