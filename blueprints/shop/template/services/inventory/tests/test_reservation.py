"""Reservation, given-when-then, and its use cases, which move stock in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import pytest

from chassis.domain import AggregateType
from chassis.errors import NotFound, Refused
from chassis.money import Money
from chassis.uow import UnitOfWork
from inventory.commands.release import release
from inventory.commands.reserve import reserve
from inventory.domain.reservation import Reject, Reservation, decide, evolve
from inventory.domain.stock import Stock
from inventory.generated.aggregates import RESERVATION, STOCK
from inventory.generated.reservation import Rejected, Release, Released, Reserve, Reserved
from inventory.generated.types import Item

S = TypeVar("S")

ID = UUID("c0ffee00-0000-4000-8000-000000000006")
ORDER = UUID("c0ffee00-0000-4000-8000-000000000002")
PEN = Item(sku="PEN", quantity=3, price=Money.of("1.99", "EUR"))
INK = Item(sku="INK", quantity=1, price=Money.of("12.50", "EUR"))
RESERVE = Reserve(reservation_id=ID, order_id=ORDER, items=(PEN, INK))
RELEASE = Release(reservation_id=ID)
RESERVED = Reservation(reservation_id=ID, order_id=ORDER, items=(PEN, INK), status="reserved")


class Memory(UnitOfWork):
    """A unit of work on nothing but a dictionary."""

    def __init__(self, *stocks: Stock) -> None:
        self.states: dict[tuple[str, str], Any] = {(STOCK.name, stock.sku): stock for stock in stocks}

    def load(self, type: AggregateType[S], id: object) -> S | None:
        state: S | None = self.states.get((type.name, str(id)))
        return state

    def handle(self, type: AggregateType[Any], id: object, command: object) -> list[Any]:
        events: Sequence[Any] = type.decide(self.load(type, id), command)
        for event in events:
            self.states[type.name, str(id)] = type.evolve(self.load(type, id), event)
        return list(events)

    def allocated(self) -> dict[str, int]:
        return {id: state.allocated for (name, id), state in self.states.items() if name == STOCK.name}

    @property
    def reservation(self) -> Reservation:
        found = self.load(RESERVATION, ID)
        assert found is not None
        return found


def stock(sku: str, on_hand: int) -> Stock:
    return Stock(sku=sku, on_hand=on_hand, allocated=0)


def test_a_reservation_is_made_once() -> None:
    [event] = decide(None, RESERVE)
    assert isinstance(event, Reserved)
    assert evolve(None, event) == RESERVED
    with pytest.raises(Refused, match="exists"):
        decide(RESERVED, RESERVE)


def test_a_rejection_is_an_event_that_says_why() -> None:
    [event] = decide(None, Reject(wanted=RESERVE, reason="not enough in stock: PEN"))
    assert isinstance(event, Rejected)
    assert evolve(None, event) == replace(RESERVED, status="rejected", reason="not enough in stock: PEN")


def test_it_is_released_once() -> None:
    [event] = decide(RESERVED, RELEASE)
    assert isinstance(event, Released)
    assert decide(evolve(RESERVED, event), RELEASE) == []


def test_nothing_is_released_of_a_rejection() -> None:
    assert decide(replace(RESERVED, status="rejected", reason="short"), RELEASE) == []


def test_only_a_reservation_that_exists_can_be_released() -> None:
    with pytest.raises(NotFound):
        decide(None, RELEASE)


def test_reserving_allocates_every_article() -> None:
    uow = Memory(stock("PEN", 3), stock("INK", 5))
    reserve(RESERVE, uow)
    assert uow.reservation.status == "reserved"
    assert uow.allocated() == {"PEN": 3, "INK": 1}


def test_when_one_article_is_short_nothing_is_allocated() -> None:
    uow = Memory(stock("PEN", 2), stock("INK", 5))
    reserve(RESERVE, uow)
    assert uow.reservation.status == "rejected"
    assert uow.reservation.reason == "not enough in stock: PEN"
    assert uow.allocated() == {"PEN": 0, "INK": 0}


def test_an_article_that_was_never_received_is_short() -> None:
    uow = Memory(stock("PEN", 3))
    reserve(RESERVE, uow)
    assert uow.reservation.reason == "not enough in stock: INK"


def test_the_same_article_twice_counts_together() -> None:
    uow = Memory(stock("PEN", 5))
    reserve(replace(RESERVE, items=(PEN, PEN)), uow)
    assert uow.reservation.status == "rejected"


@pytest.mark.parametrize("items", [(), (replace(PEN, quantity=0),)])
def test_a_reservation_of_nothing_is_rejected(items: tuple[Item, ...]) -> None:
    uow = Memory(stock("PEN", 5))
    reserve(replace(RESERVE, items=items), uow)
    assert uow.reservation.status == "rejected"


def test_releasing_gives_back_what_was_allocated_and_only_once() -> None:
    uow = Memory(stock("PEN", 3), stock("INK", 5))
    reserve(RESERVE, uow)
    release(RELEASE, uow)
    release(RELEASE, uow)
    assert uow.reservation.status == "released"
    assert uow.allocated() == {"PEN": 0, "INK": 0}
