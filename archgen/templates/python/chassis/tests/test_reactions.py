"""Choreography: each event carries on the saga's id and the data that later steps need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from sqlalchemy import Engine, create_engine, select

import chassis.idempotency  # noqa: F401 (its table belongs to the metadata)
from chassis.domain import AggregateType, UseCase
from chassis.errors import Refused
from chassis.messages import Message, derived_id
from chassis.reactions import Reaction
from chassis.tables import aggregates, metadata, outbox
from chassis.uow import Origin, Session, UnitOfWork


@dataclass(frozen=True)
class OrderCreated:
    NAME: ClassVar[str] = "order.created"
    order_id: str
    amount: int


@dataclass(frozen=True)
class Charged:
    NAME: ClassVar[str] = "payment.charged"
    payment_id: str
    order_id: str
    amount: int


@dataclass(frozen=True)
class Charge:
    NAME: ClassVar[str] = "payments.charge"
    ID: ClassVar[str] = "payment_id"
    CREATES: ClassVar[bool] = True
    EMITS: ClassVar[type] = Charged
    FAILS: ClassVar[type | None] = None
    payment_id: str
    order_id: str
    amount: int


@dataclass(frozen=True)
class Payment:
    amount: int


def decide(state: Payment | None, command: Charge) -> Sequence[Charged]:
    if state is not None:
        raise Refused("it exists already")
    return [Charged(command.payment_id, command.order_id, command.amount)]


PAYMENT = AggregateType(
    "payment", Payment, "payment_id", decide, lambda _, event: Payment(event.amount), (Charged,)
)


def charge(command: Charge, unit: UnitOfWork) -> None:
    unit.handle(PAYMENT, command.payment_id, command)


CHARGE = UseCase(Charge, charge)


@pytest.fixture
def engine() -> Engine:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    return engine


def created(**values: Any) -> Message:
    data = {"order_id": "o1", "amount": 5}
    fields = {"subject": "o1", "data": data, "trace": "tr", "correlation_id": "corr"} | values
    return Message("e1", "shop.order.created.v1", "/shop/orders", **fields)


def react(engine: Engine, reaction: Reaction, message: Message) -> list[Message]:
    """What is said because of `message`."""
    with engine.begin() as conn:
        session = Session(conn)
        reaction.react(session, Origin("shop", "payments").caused_by(message), message)
        session.flush()
        return [Message.from_json(body) for body in conn.scalars(select(outbox.c.body))]


def test_an_event_leads_to_a_command(engine: Engine) -> None:
    [said] = react(engine, Reaction(OrderCreated, CHARGE), created())
    assert (said.type, said.data["amount"]) == ("shop.payment.charged.v1", 5)
    assert (said.causation_id, said.correlation_id, said.trace) == ("e1", "corr", "tr")


def test_the_same_event_leads_to_the_same_aggregate(engine: Engine) -> None:
    """Were it to arrive after the inbox has forgotten it, the domain would still know it."""
    [said] = react(engine, Reaction(OrderCreated, CHARGE), created())
    assert said.data["payment_id"] == derived_id("e1", "payments.charge")
    with pytest.raises(Refused, match="exists"):
        react(engine, Reaction(OrderCreated, CHARGE), created())


def test_the_first_event_begins_a_saga_and_says_what_later_steps_need(engine: Engine) -> None:
    reaction = Reaction(OrderCreated, CHARGE, saga="place_order", starts=True, carries=("order_id",))
    [said] = react(engine, reaction, created())
    assert (said.saga, said.saga_id) == ("place_order", derived_id("place_order", "e1"))
    assert said.saga_data == {"order_id": "o1"}


def test_an_event_that_begins_a_saga_does_not_take_over_the_one_it_comes_from(engine: Engine) -> None:
    reaction = Reaction(OrderCreated, CHARGE, saga="place_order", starts=True, carries=("order_id",))
    [said] = react(engine, reaction, created(saga="other", saga_id="x", saga_data={"secret": 1}))
    assert (said.saga, said.saga_data) == ("place_order", {"order_id": "o1"})


def test_a_later_step_goes_on_with_the_saga_and_adds_to_what_it_carries(engine: Engine) -> None:
    reaction = Reaction(OrderCreated, CHARGE, saga="place_order", carries=("amount",))
    [said] = react(engine, reaction, created(saga="place_order", saga_id="s1", saga_data={"sku": "book"}))
    assert (said.saga, said.saga_id, said.saga_data) == ("place_order", "s1", {"sku": "book", "amount": 5})


def test_arguments_come_from_the_event_and_then_from_what_the_saga_carries(engine: Engine) -> None:
    reaction = Reaction(OrderCreated, CHARGE, saga="place_order")
    message = created(
        data={"amount": 5}, saga="place_order", saga_id="s1", saga_data={"order_id": "o9", "amount": 1}
    )
    [said] = react(engine, reaction, message)
    assert (said.data["order_id"], said.data["amount"]) == ("o9", 5)


@pytest.mark.parametrize("saga", ["", "another"])
def test_events_that_are_not_of_its_saga_do_not_concern_a_step(engine: Engine, saga: str) -> None:
    assert react(engine, Reaction(OrderCreated, CHARGE, saga="place_order"), created(saga=saga)) == []
    with engine.begin() as conn:
        assert conn.execute(select(aggregates)).all() == []


def test_a_bystander_does_not_speak_for_the_saga(engine: Engine) -> None:
    """It reacts to a saga's event, and its own event must not look like a step of it."""
    message = created(saga="place_order", saga_id="s1", saga_data={"x": 1})
    [said] = react(engine, Reaction(OrderCreated, CHARGE), message)
    assert (said.saga, said.saga_id, said.saga_data) == ("", "", {})


def test_given_values_come_first(engine: Engine) -> None:
    [said] = react(engine, Reaction(OrderCreated, CHARGE, given={"amount": 99}), created())
    assert said.data["amount"] == 99
