"""The side of a saga that asks: starts instances, hears replies, sends the next command.

A move and the commands it causes commit together, and nothing is kept in memory, so any replica
continues any saga, also after a crash.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from chassis import metrics
from chassis.messages import Malformed, Message, derived_id
from chassis.saga import state
from chassis.saga.definition import Saga
from chassis.saga.state import Instance, Send
from chassis.uow import Origin, Session

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Orchestrator:
    """All sagas that this service owns, by name."""

    sagas: Mapping[str, Saga]
    system: str
    service: str

    def start(self, saga: Saga, session: Session, origin: Origin, message: Message) -> None:
        """Begin an instance for the event `message`; the same event never begins two."""
        id = derived_id(saga.name, message.id)
        if session.sagas.load(id) is None:
            moved = state.begin(saga, id, message.data, time.time(), origin.correlation_id, origin.trace)
            self._commit(session, moved)

    def hear(self, session: Session, message: Message) -> None:
        """Move the instance that `message`, a reply, belongs to."""
        instance = session.sagas.load(message.saga_id)
        saga = self.sagas.get(message.saga)
        if instance is None or saga is None:
            log.warning(
                "a reply for an unknown saga", extra={"saga": message.saga, "saga_id": message.saga_id}
            )
            return
        outcome, result = message.data.get("outcome"), message.data.get("result") or {}
        if outcome not in ("done", "refused") or not isinstance(result, dict):
            # Not taken for a refusal: the step may have been done, and would not be undone.
            raise Malformed("a reply has an outcome, done or refused, and a result that is an object")
        moved = state.on_reply(
            saga,
            instance,
            message.saga_step,
            "undo" if message.saga_phase == "undo" else "do",
            done=outcome == "done",
            reason=str(message.data.get("reason", "")),
            result=result,
            now=time.time(),
        )
        self._commit(session, moved, instance)

    def overdue(self, session: Session, id: str) -> None:
        """Act on a deadline that passed."""
        instance = session.sagas.load(id)
        if instance is not None and instance.saga in self.sagas:
            self._commit(
                session, state.on_timeout(self.sagas[instance.saga], instance, time.time()), instance
            )

    def resume(self, session: Session, id: str) -> bool:
        """Try a stuck instance again; False when there is none of that id that is stuck."""
        instance = session.sagas.load(id)
        if instance is None or instance.status != "stuck":
            return False
        self._commit(session, state.resume(self.sagas[instance.saga], instance, time.time()), instance)
        return True

    def _commit(self, session: Session, moved: state.Moved, before: Instance | None = None) -> None:
        instance, sends = moved
        if instance == before:
            return
        session.sagas.save(instance)
        for send in sends:
            session.outbox.add(self._message(instance, send))
        if before is None or instance.status != before.status:
            session.after_commit.append(lambda: _tell(instance))

    def _message(self, instance: Instance, send: Send) -> Message:
        command = send.command.NAME
        return Message(
            id=str(uuid4()),
            type=f"{self.system}.{command}.v1",
            source=f"/{self.system}/{self.service}",
            subject=str(send.data.get(send.command.ID, "")),
            data=dict(send.data),
            address=f"{self.system}.command.{command}",
            reply_to=f"{self.system}.reply.{self.service}",
            correlation_id=instance.correlation_id,
            causation_id=instance.id,
            trace=instance.trace,
            saga=instance.saga,
            saga_id=instance.id,
            saga_step=send.step,
            saga_phase=send.phase,
        )


def _tell(instance: Instance) -> None:
    fields = {
        "saga": instance.saga,
        "saga_id": instance.id,
        "status": instance.status,
        "reason": instance.reason,
        "trouble": instance.trouble,
        "outcomes": dict(instance.outcomes),
    }
    if instance.status == "stuck":
        log.error("a saga is stuck and needs a person", extra=fields)
    elif instance.status in state.ENDED:
        log.debug("a saga ended", extra=fields)
    if instance.status in state.ENDED or instance.status == "stuck":
        metrics.saga_finished.labels(instance.saga, instance.status).inc()
        metrics.saga_seconds.labels(instance.saga).observe(max(0.0, time.time() - instance.started_at))
