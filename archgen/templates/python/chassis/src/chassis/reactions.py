"""Reactions: when an event arrives, do a command of this service. A choreographed saga is made of them.

No coordinator knows the whole; each event carries on the saga's id and the data that later steps
need (`sagadata`), so that a participant never has to ask, or to keep, what is not its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chassis.domain import UseCase
from chassis.jsons import decode
from chassis.messages import Message, derived_id
from chassis.saga.definition import bind
from chassis.uow import Origin, Session, UnitOfWork


@dataclass(frozen=True)
class Reaction:
    """`do` whenever `on` arrives.

    With a `saga`, only events of that saga count, unless the reaction `starts` it: then the event
    begins one. Arguments bind by name: from `given`, from the event, then from what the saga
    carries. `carries` names what to add to it for later steps.
    """

    on: type[Any]
    do: UseCase
    given: Mapping[str, Any] = field(default_factory=dict)
    saga: str = ""
    starts: bool = False
    carries: tuple[str, ...] = ()

    def react(self, session: Session, origin: Origin, message: Message) -> None:
        """Carry out the command. Raises Refused when the domain says no."""
        if self.saga and not self.starts and message.saga != self.saga:
            return
        if self.saga:
            origin = self._continue(origin, message)
        elif origin.saga:
            # The saga's own steps speak for it; a bystander's events must not look like theirs.
            origin = replace(origin, saga="", saga_id="", saga_data={})
        command = decode(self.do.command, self._arguments(origin, message))
        unit = UnitOfWork(session, origin)
        self.do.handle(command, unit)
        unit.complete()

    def _continue(self, origin: Origin, message: Message) -> Origin:
        new = {name: message.data[name] for name in self.carries if name in message.data}
        if self.starts:
            id = derived_id(self.saga, message.id)
            return replace(origin, saga=self.saga, saga_id=id, saga_data=new)
        # Of several events with a field of this name, the nearest one counts.
        return replace(origin, saga_data={**message.saga_data, **new})

    def _arguments(self, origin: Origin, message: Message) -> dict[str, Any]:
        command = self.do.command
        sources: list[Mapping[str, Any]] = [message.data, message.saga_data]
        if command.CREATES:
            # The same event leads to the same aggregate, however often it arrives.
            sources.append({command.ID: derived_id(origin.saga_id or message.id, command.NAME)})
        return bind(command, self.given, sources)
