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

from opentelemetry.trace import SpanKind

from chassis import metrics, tracing
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

    def start(
        self, saga: Saga, session: Session, origin: Origin, message: Message, *, own: bool = False
    ) -> None:
        """Begin an instance for the event `message`; the same event never begins two.

        `own` says that the event happens in this transaction: when it had happened before, that fails.
        """
        id = derived_id(saga.name, message.id)
        if own:
            session.sagas.begin(id)
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
        phase: state.Phase = "undo" if message.saga_phase == "undo" else "do"
        now = time.time()
        moved = state.on_reply(
            saga,
            instance,
            message.saga_step,
            phase,
            done=outcome == "done",
            reason=str(message.data.get("reason", "")),
            result=result,
            now=now,
        )
        self._commit(session, moved, instance)
        if (message.saga_step, phase) == (instance.step, instance.phase):
            waited = max(0.0, now - instance.asked_at)
            answered = metrics.saga_step_seconds.labels(saga.name, instance.step, phase)
            session.after_commit.append(lambda: answered.observe(waited))

    def overdue(self, session: Session, id: str) -> None:
        """Act on a deadline that passed."""
        instance = session.sagas.load(id)
        if instance is None or instance.saga not in self.sagas:
            return
        with tracing.continued(instance.trace, instance.correlation_id):
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
            session.outbox.add(self.message(instance, send))
        if before is None or instance.status != before.status:
            session.after_commit.append(lambda: _tell(instance))

    def message(self, instance: Instance, send: Send) -> Message:
        """The command that `send` stands for, under a new id."""
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
    """What became of a saga that ended or got stuck: into logs, metrics and its trace."""
    if instance.status not in state.ENDED and instance.status != "stuck":
        return
    with tracing.continued(instance.trace, instance.correlation_id):
        _log(instance)
    now = time.time()
    metrics.saga_finished.labels(instance.saga, instance.status).inc()
    metrics.saga_seconds.labels(instance.saga).observe(max(0.0, now - instance.started_at))
    attributes = {"saga.name": instance.saga, "saga.id": instance.id, "saga.outcome": instance.status}
    began, ended = int(instance.started_at * 1e9), int(now * 1e9)
    tracing.record(f"saga {instance.saga}", SpanKind.INTERNAL, attributes, instance.trace, began, ended)


def _log(instance: Instance) -> None:
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
    else:
        log.debug("a saga ended", extra=fields)
