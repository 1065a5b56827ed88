"""What a service tells the chassis about its domain: aggregates, commands, events.

Domain code itself imports nothing from here. It is a decider: `decide(state, command) -> events`
and `evolve(state, event) -> state`, both pure.
Source: Jérémie Chassaing, "Functional Event Sourcing Decider" (2021).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from chassis import snapshots, upcasting

if TYPE_CHECKING:
    from chassis.uow import UnitOfWork

S = TypeVar("S")


class EventClass(Protocol):
    """A frozen dataclass generated from the description; NAME is `order.created`.

    VERSION counts the shapes that its data has had; 1 where there is none.
    """

    NAME: ClassVar[str]


class CommandClass(Protocol):
    """A frozen dataclass generated from the description.

    NAME is `payments.charge`; ID the field that addresses the aggregate; CREATES whether the
    command starts the aggregate's life; EMITS and FAILS the events that tell how it went.
    """

    NAME: ClassVar[str]
    ID: ClassVar[str]
    CREATES: ClassVar[bool]
    EMITS: ClassVar[type[EventClass]]
    FAILS: ClassVar[type[EventClass] | None]


@dataclass(frozen=True)
class AggregateType(Generic[S]):
    """One kind of aggregate: its state, its two pure functions and the events it speaks.

    The last two concern event-sourced ones only: a snapshot is kept every so many events (0: never),
    and `upcasters` lead from each older version of an event's data to the next. `owner` names the field
    of the state that says whose one is; empty where it is nobody's.
    """

    name: str
    state: type[S]
    id_field: str
    decide: Callable[[S | None, Any], Sequence[Any]]
    evolve: Callable[[S | None, Any], S]
    events: tuple[type[Any], ...]
    event_sourced: bool = False
    snapshot_every: int = 100
    upcasters: upcasting.Upcasters = field(default_factory=dict, hash=False)
    owner: str = ""

    def __post_init__(self) -> None:
        upcasting.check(self.events, self.upcasters)

    @cached_property
    def event_classes(self) -> Mapping[str, type[Any]]:
        return {cls.NAME: cls for cls in self.events}

    @cached_property
    def fingerprint(self) -> str:
        """Tells snapshots of this code from those of other releases."""
        return snapshots.fingerprint(self)


@dataclass(frozen=True)
class UseCase:
    """A command and the function that carries it out, in one transaction.

    `handle` must not do I/O of its own: it is run again when the transaction is.
    """

    command: type[Any]
    handle: Callable[[Any, UnitOfWork], None]
