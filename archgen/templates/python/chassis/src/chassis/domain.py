"""What a service tells the chassis about its domain: aggregates, commands, events.

Domain code itself imports nothing from here. It is a decider: `decide(state, command) -> events`
and `evolve(state, event) -> state`, both pure.
Source: Jérémie Chassaing, "Functional Event Sourcing Decider" (2021).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from chassis.uow import UnitOfWork

S = TypeVar("S")


class EventClass(Protocol):
    """A frozen dataclass generated from the description; NAME is `order.created`."""

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
    """One kind of aggregate: its state, its two pure functions and the events it speaks."""

    name: str
    state: type[S]
    id_field: str
    decide: Callable[[S | None, Any], Sequence[Any]]
    evolve: Callable[[S | None, Any], S]
    events: tuple[type[Any], ...]
    event_sourced: bool = False


@dataclass(frozen=True)
class UseCase:
    """A command and the function that carries it out, in one transaction.

    `handle` must not do I/O of its own: it is run again when the transaction is.
    """

    command: type[Any]
    handle: Callable[[Any, UnitOfWork], None]
