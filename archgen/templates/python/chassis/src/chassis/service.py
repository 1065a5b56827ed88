"""A service as data: what it consists of, and which messages go where.

The generated `wiring.py` of each service builds one of these; nothing registers itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from chassis.domain import AggregateType, UseCase
from chassis.jobs.definition import Job
from chassis.jsons import decode
from chassis.messages import Malformed, Message
from chassis.reactions import Reaction
from chassis.saga.definition import Saga
from chassis.saga.orchestrator import Orchestrator
from chassis.saga.participant import carry_out
from chassis.uow import Origin, Session
from chassis.upcasting import Upcasters, lift, version_of
from chassis.views import View

if TYPE_CHECKING:  # what they need takes a while to load
    from chassis.agents.definition import Agent
    from chassis.rpc.views import ServedView
    from chassis.security.model import Security

log = logging.getLogger(__name__)
Handle = Callable[[Session, Origin, Message], None]
Foresee = Callable[[Session, Sequence[Message]], None]


@dataclass(frozen=True)
class Consumer:
    """A durable place in the stream with one concern; `handlers` are by message type.

    `view` names the view that it keeps, if that is its concern; `foresee` reads at once what many messages
    will need one by one.
    """

    name: str
    addresses: tuple[str, ...]
    handlers: Mapping[str, tuple[Handle, ...]]
    view: str = ""
    foresee: Foresee | None = None

    def handle(self, session: Session, origin: Origin, message: Message) -> None:
        """Let every handler of the message's type have it.

        Raises Malformed for a type, or a version of one, that nobody here knows, and for data that
        does not fit it: retrying can't help either.
        """
        handlers = self.handlers.get(message.type)
        if handlers is None:
            raise Malformed(_unknown(message.type, self.handlers))
        try:
            for handler in handlers:
                handler(session, origin.caused_by(message), message)
        except ValidationError as error:
            raise Malformed(f"the data does not fit {message.type!r}: {error}") from error


@dataclass(frozen=True)
class Service:
    """One service of the system.

    `upcasters` are for all events that it reads, its own and its peers'. `peers` are those that it asks
    over HTTP and `grpc_peers` those that it asks over gRPC; `rpcs` is what it answers over gRPC itself.
    Without `security` anybody who reaches it may do everything.
    """

    system: str
    name: str
    aggregates: tuple[AggregateType[Any], ...] = ()
    use_cases: tuple[UseCase, ...] = ()
    views: tuple[View, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    sagas: tuple[Saga, ...] = ()
    peers: tuple[str, ...] = ()
    grpc_peers: tuple[str, ...] = ()
    rpcs: tuple[ServedView, ...] = ()
    agents: tuple[Agent, ...] = ()
    jobs: tuple[Job, ...] = ()
    upcasters: Upcasters = field(default_factory=dict)
    security: Security | None = None

    def aggregate_of(self, use_case: UseCase) -> AggregateType[Any]:
        """The aggregate that the command of `use_case` is for."""
        return next(each for each in self.aggregates if use_case.command.EMITS in each.events)

    def owner_of(self, view: str) -> str:
        """The field that says whose a row of `view` is; empty where it is nobody's."""
        return next(each.owner for each in self.views if each.name == view)

    @property
    def origin(self) -> Origin:
        return Origin(self.system, self.name)

    @cached_property
    def orchestrator(self) -> Orchestrator:
        return Orchestrator({saga.name: saga for saga in self.sagas}, self.system, self.name)

    @cached_property
    def consumers(self) -> tuple[Consumer, ...]:
        """One per concern, so that trouble in a view never holds up a saga."""
        wired = [self._commands(), self._reactions(), self._sagas(), *map(self._view, self.views)]
        return tuple(consumer for consumer in wired if consumer.handlers)

    @cached_property
    def _to_itself(self) -> dict[str, Handle]:
        """Handlers of what this service says to itself, by address."""
        found: dict[str, Handle] = {}
        if self.sagas:
            for use_case in self.use_cases:
                found[f"{self.system}.command.{use_case.command.NAME}"] = _command(use_case)
            found[f"{self.system}.reply.{self.name}"] = self._hear
        return found

    def local(self, session: Session, message: Message) -> bool:
        """Handle `message` in the transaction that says it; True when nobody else needs to hear it.

        Going through the broker would do the same a little later and cost two more transactions.
        """
        for saga in self.sagas:
            if message.address == f"{self.system}.event.{saga.starts_on.NAME}":
                self.orchestrator.start(saga, session, self.origin.caused_by(message), message, own=True)
        handler = self._to_itself.get(message.address)
        if handler is None or message.source != self.origin.source:
            return False
        try:
            handler(session, self.origin.caused_by(message), message)
        except Exception as error:
            # Through the broker it is tried again, alone, and kept as a dead letter if that is no use.
            log.warning("a command to this service itself failed", extra={"reason": repr(error)})
            return False
        return True

    def _consumer(
        self,
        concern: str,
        wanted: Sequence[tuple[str, str, Handle]],
        view: str = "",
        foresee: Foresee | None = None,
    ) -> Consumer:
        """`wanted` holds address, message type and handler."""
        handlers: dict[str, tuple[Handle, ...]] = {}
        for _, type, handler in wanted:
            handlers[type] = (*handlers.get(type, ()), handler)
        addresses = tuple(dict.fromkeys(address for address, _, _ in wanted))
        return Consumer(f"{self.name}-{concern}", addresses, handlers, view, foresee)

    def _on(self, event: type[Any], handler: Handle) -> list[tuple[str, str, Handle]]:
        """The event in its newest version, and in each older one that there is an upcaster for."""
        address, type = f"{self.system}.event.{event.NAME}", f"{self.system}.{event.NAME}"
        newest = version_of(event)
        oldest = newest - len(self.upcasters.get(event.NAME, ()))

        def lifted(version: int) -> Handle:
            def handle(session: Session, origin: Origin, message: Message) -> None:
                data = lift(event, message.data, version, self.upcasters)
                handler(session, origin, replace(message, type=f"{type}.v{newest}", data=data))

            return handle

        older = [(address, f"{type}.v{version}", lifted(version)) for version in range(oldest, newest)]
        return [(address, f"{type}.v{newest}", handler), *older]

    def _commands(self) -> Consumer:
        wanted: list[tuple[str, str, Handle]] = []
        aggregates: dict[str, AggregateType[Any]] = {}
        for use_case in self.use_cases:
            name = use_case.command.NAME
            address, type = f"{self.system}.command.{name}", f"{self.system}.{name}.v1"
            wanted.append((address, type, _command(use_case)))
            aggregates[type] = self.aggregate_of(use_case)

        def foresee(session: Session, messages: Sequence[Message]) -> None:
            session.steps.prefetch((each.saga_id, each.saga_step) for each in messages if each.saga_id)
            for aggregate in dict.fromkeys(aggregates.values()):
                mine = [each for each in messages if aggregates.get(each.type) is aggregate]
                session.aggregates.prefetch(aggregate, [each.subject for each in mine])

        return self._consumer("commands", wanted, foresee=foresee)

    def _reactions(self) -> Consumer:
        return self._consumer("reactions", [each for r in self.reactions for each in self._on(r.on, r.react)])

    def _sagas(self) -> Consumer:
        if not self.sagas:
            return self._consumer("sagas", [])
        own = {event for aggregate in self.aggregates for event in aggregate.events}
        # The service's own events have begun their sagas already, in the transaction that made them.
        foreign = [saga for saga in self.sagas if saga.starts_on not in own]
        wanted = [each for saga in foreign for each in self._on(saga.starts_on, self._start(saga))]
        wanted.append((f"{self.system}.reply.{self.name}", f"{self.system}.reply.v1", self._hear))
        return self._consumer("sagas", wanted, foresee=_foresee_sagas)

    def _view(self, view: View) -> Consumer:
        wanted = [each for event in view.events for each in self._on(event, _project(view, event))]

        def foresee(session: Session, messages: Sequence[Message]) -> None:
            session.views.prefetch(view, [each.subject for each in messages])

        return self._consumer(f"view-{view.name}", wanted, view.name, foresee)

    def _start(self, saga: Saga) -> Handle:
        return lambda session, origin, message: self.orchestrator.start(saga, session, origin, message)

    def _hear(self, session: Session, _origin: Origin, message: Message) -> None:
        self.orchestrator.hear(session, message)


def _foresee_sagas(session: Session, messages: Sequence[Message]) -> None:
    session.sagas.prefetch([each.saga_id for each in messages if each.saga_id])


def _unknown(type: str, known: Mapping[str, object]) -> str:
    """Why a message of `type` can't be handled, for the person who looks at the dead letter."""
    stem, _, version = type.rpartition(".v")
    versions = sorted(int(each.rpartition(".v")[2]) for each in known if each.rpartition(".v")[0] == stem)
    nothing = f"nothing here handles {type!r}"
    if not versions or not version.isdigit():
        return nothing
    if int(version) > versions[-1]:
        return f"{nothing}: this release knows v{versions[-1]}; deploy a newer one, then redrive"
    return f"{nothing}: it is older than v{versions[0]} and has no upcaster; add one, then redrive"


def _command(use_case: UseCase) -> Handle:
    return lambda session, origin, message: carry_out(use_case, session, origin, message)


def _project(view: View, event: type[Any]) -> Handle:
    return lambda session, _origin, message: view.apply(session.views, message, decode(event, message.data))
