"""Unit of work: what a use case does to its service's aggregates, all of it or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import Connection

from chassis import tracing
from chassis.domain import AggregateType
from chassis.jobs.definition import JobArgs
from chassis.jobs.queue import Enqueued, JobQueue
from chassis.jsons import encode
from chassis.messages import Message, derived_id
from chassis.outbox import Outbox
from chassis.saga.log import SagaLog
from chassis.saga.steps import StepLog
from chassis.store import AggregateStore
from chassis.upcasting import version_of
from chassis.views import ViewStore

S = TypeVar("S")


@dataclass(frozen=True)
class Origin:
    """Who speaks and why; every message sent from here inherits it."""

    system: str
    service: str
    trace: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    saga: str = ""
    saga_id: str = ""
    saga_data: dict[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return f"/{self.system}/{self.service}"

    def caused_by(self, message: Message) -> Origin:
        """The origin of what is done because of `message`."""
        return replace(
            self,
            trace=tracing.parent_of(message.trace),
            correlation_id=message.correlation_id or message.id,
            causation_id=message.id,
            saga=message.saga,
            saga_id=message.saga_id,
            saga_data=message.saga_data,
        )


@dataclass(frozen=True)
class Recorded:
    """An event, and where in its aggregate's life it happened."""

    aggregate_id: str
    version: int
    event: Any


class Session:
    """One database transaction: everything read through it once and written at `flush`.

    A consumer puts many messages into one session, so that they share statements and one commit.
    `local` handles what a service says to itself, right here in the same transaction; it tells
    whether that was all, or whether the message goes out as well.
    """

    def __init__(self, conn: Connection, local: Callable[[Session, Message], bool] | None = None) -> None:
        self.conn = conn
        self._local = local
        self.aggregates = AggregateStore(conn)
        self.sagas = SagaLog(conn)
        self.steps = StepLog(conn)
        self.views = ViewStore(conn)
        self.jobs = JobQueue(conn)
        self.outbox = Outbox(conn)
        self.after_commit: list[Callable[[], None]] = []

    def flush(self) -> None:
        """Write everything. Raises Conflict when a version moved on.

        The outbox comes last: a row's position is then taken while the aggregate's row is locked,
        so the positions of one aggregate's events follow their versions even between replicas.
        """
        if self._local:
            local = self._local
            self.outbox.deliver(lambda message: local(self, message))
        self.aggregates.flush()
        self.sagas.flush()
        self.steps.flush()
        self.views.flush()
        self.jobs.flush()
        self.outbox.flush()


class UnitOfWork:
    """The aggregates as one use case sees them. Nothing leaves it before `complete`.

    When the use case raises, the unit is dropped, and neither the session nor the database
    knows that it ever was.
    """

    def __init__(self, session: Session, origin: Origin) -> None:
        self._session = session
        self.origin = origin
        self._states: dict[tuple[str, str], tuple[AggregateType[Any], Any, list[Any]]] = {}
        self._enqueued: list[Enqueued] = []
        self.recorded: list[Recorded] = []
        self.touched: dict[str, int] = {}

    def load(self, type: AggregateType[S], id: object) -> S | None:
        """The aggregate's current state, with what this use case did to it; None if there is none."""
        known = self._states.get((type.name, str(id)))
        state: S | None = known[1] if known else self._session.aggregates.load(type, str(id)).state
        return state

    def handle(self, type: AggregateType[Any], id: object, command: object) -> list[Any]:
        """Let the aggregate decide on `command`; returns the events, which are now part of it.

        Raises Refused when the domain says no.
        """
        key = (type.name, str(id))
        state = self.load(type, id)
        _, _, events = self._states.setdefault(key, (type, state, []))
        version = self._session.aggregates.load(type, str(id)).version + len(events)
        decided = list(type.decide(state, command))
        for event in decided:
            state = type.evolve(state, event)
            version += 1
            self.recorded.append(Recorded(str(id), version, event))
        events.extend(decided)
        self._states[key] = (type, state, events)
        self.touched[str(id)] = version
        return decided

    def enqueue(self, args: JobArgs, *, delay: float = 0.0) -> str:
        """Leave a job to a worker, once this use case commits and not before; returns the job's id.

        `delay` is how many seconds it waits at least.
        """
        id, at, origin = str(uuid4()), time.time() + delay, self.origin
        self._enqueued.append(
            Enqueued(id, args.NAME, encode(args), args.PRIORITY, at, origin.trace, origin.correlation_id)
        )
        return id

    def complete(self) -> None:
        """Hand everything to the session: states to be saved, events to be published, jobs to be done."""
        for job in self._enqueued:
            self._session.jobs.add(job)
        for (_, id), (type, state, events) in self._states.items():
            if events:
                self._session.aggregates.save(type, id, state, events)
        for recorded in self.recorded:
            self._session.outbox.add(self._message(recorded))

    def _message(self, recorded: Recorded) -> Message:
        name = recorded.event.NAME
        origin = self.origin
        return Message(
            # An event of one aggregate is known by its version, so its id can be told from that.
            id=derived_id(origin.source, name, recorded.aggregate_id, recorded.version),
            type=f"{origin.system}.{name}.v{version_of(type(recorded.event))}",
            source=origin.source,
            subject=recorded.aggregate_id,
            data=encode(recorded.event),
            address=f"{origin.system}.event.{name}",
            version=recorded.version,
            trace=origin.trace,
            correlation_id=origin.correlation_id,
            causation_id=origin.causation_id,
            saga=origin.saga,
            saga_id=origin.saga_id,
            saga_data=origin.saga_data,
        )
