from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from chassis.messages import derived_id
from chassis.saga.definition import Field, Known, Saga, Step


@dataclass(frozen=True)
class OrderCreated:
    NAME: ClassVar[str] = "order.created"
    order_id: str
    amount: int


@dataclass(frozen=True)
class Charged:
    NAME: ClassVar[str] = "payment.charged"
    payment_id: str
    receipt: str


@dataclass(frozen=True)
class Shipped:
    NAME: ClassVar[str] = "shipment.created"
    shipment_id: str
    receipt: str


def command(
    name: str, key: str, emits: type[Any] = Shipped, creates: bool = False, /, **types: Any
) -> type[Any]:
    namespace = {"NAME": name, "ID": key, "CREATES": creates, "EMITS": emits, "FAILS": None}
    namespace["__annotations__"] = types
    namespace |= {key: field(default=None) for key, type in types.items() if type == "default"}
    return dataclass(frozen=True)(type(name.replace(".", "_"), (), namespace))


CHARGE = command(
    "payments.charge", "payment_id", Charged, True, payment_id="str", order_id="str", amount="int"
)
REFUND = command("payments.refund", "payment_id", Charged, payment_id="str")
SHIP = command("shipping.create", "shipment_id", Shipped, True, shipment_id="str", receipt="str")
RECALL = command("shipping.recall", "shipment_id", Shipped, shipment_id="str", receipt="str")
CONFIRM = command("orders.confirm", "order_id", order_id="str", shipment_id="str")
CANCEL = command("orders.cancel", "order_id", order_id="str", reason="str")

SAGA = Saga(
    "place_order", OrderCreated, [Step(CHARGE, REFUND), Step(SHIP, RECALL)], then=CONFIRM, otherwise=CANCEL
)
TRIGGER = {"order_id": "o1", "amount": 5}
PAYMENT, SHIPMENT = derived_id("s1", "0.payments.charge"), derived_id("s1", "1.shipping.create")
RESULTS = {
    "0.payments.charge": {"payment_id": PAYMENT, "receipt": "r1"},
    "1.shipping.create": {"shipment_id": SHIPMENT, "receipt": "r2"},
}


def arguments(saga: Saga, command: type[Any], step: int | None, *heard: str, reason: str = "") -> Any:
    results = {key: RESULTS[key] for key in heard}
    return saga.arguments(command, step, "s1", Known(TRIGGER, results, reason))


CHARGED, SHIPPED = RESULTS


def test_arguments_come_from_the_trigger_and_a_created_id_from_the_instance() -> None:
    assert arguments(SAGA, CHARGE, 0) == {"payment_id": PAYMENT, "order_id": "o1", "amount": 5}
    assert derived_id("s2", "0.payments.charge") != PAYMENT


def test_arguments_come_from_the_results_of_earlier_steps() -> None:
    assert arguments(SAGA, SHIP, 1, CHARGED) == {"shipment_id": SHIPMENT, "receipt": "r1"}


def test_an_undo_names_what_was_created_without_having_heard_a_reply() -> None:
    assert arguments(SAGA, REFUND, 0) == {"payment_id": PAYMENT}


def test_an_undo_is_told_the_same_as_its_do_whatever_came_after() -> None:
    later = {
        "0.payments.charge": RESULTS[CHARGED],
        "1.shipping.create": {**RESULTS[SHIPPED], "payment_id": "x"},
    }
    assert SAGA.arguments(REFUND, 0, "s1", Known(TRIGGER, later)) == {"payment_id": PAYMENT}
    assert arguments(SAGA, RECALL, 1, CHARGED, SHIPPED) == {"shipment_id": SHIPMENT, "receipt": "r1"}


def test_two_steps_that_create_the_same_kind_have_ids_of_their_own() -> None:
    again = command("payments.again", "payment_id", Shipped, True, payment_id="str", amount="int")
    saga = Saga("s", OrderCreated, [Step(again, REFUND), Step(again, REFUND)])
    ids = [arguments(saga, again, step)["payment_id"] for step in (0, 1)]
    assert ids[0] != ids[1]
    assert [arguments(saga, REFUND, step)["payment_id"] for step in (0, 1)] == ids


def test_then_gets_results_and_otherwise_gets_the_reason() -> None:
    assert arguments(SAGA, CONFIRM, None, CHARGED, SHIPPED) == {"order_id": "o1", "shipment_id": SHIPMENT}
    assert arguments(SAGA, CANCEL, None, reason="sold out") == {"order_id": "o1", "reason": "sold out"}


def test_given_comes_first_as_a_value_or_as_a_field_of_another_name() -> None:
    pay = command("payments.pay", "payment_id", to="str", amount="int", note="str | None")
    saga = Saga("s", OrderCreated, [Step(pay, given={"to": Field("order_id"), "amount": 7})])
    assert arguments(saga, pay, 0) == {"to": "o1", "amount": 7}


@pytest.mark.parametrize(
    ("step", "missing"),
    [
        (Step(command("a.b", "id", id="str")), "id of a.b"),
        (Step(CHARGE, command("a.undo", "id", receipt="str")), "receipt of a.undo"),
    ],
)
def test_a_saga_in_which_an_argument_has_no_source_is_refused_at_import(step: Step, missing: str) -> None:
    with pytest.raises(TypeError, match=missing):
        Saga("s", OrderCreated, [step])


def test_optional_arguments_need_no_source() -> None:
    optional = command("a.b", "id", note="str | None", tag="default")
    Saga("s", OrderCreated, [Step(optional)])


def test_otherwise_cannot_count_on_a_step() -> None:
    with pytest.raises(TypeError, match="receipt"):
        Saga("s", OrderCreated, [Step(CHARGE)], otherwise=command("o.cancel", "order_id", receipt="str"))


def test_steps_are_named_by_place_and_command() -> None:
    assert SAGA.keys == ("0.payments.charge", "1.shipping.create")
