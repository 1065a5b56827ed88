"""Where arguments come from, in the shop and in small sagas."""

from __future__ import annotations

from archgen.spec import loads
from archgen.spec.analysis import Analysis, Binding, Source, analyse
from tests.spec.samples import CHOREOGRAPHED_SHOP, ORCHESTRATED, PEER, SHOP


def analysed(text: str) -> Analysis:
    return analyse(loads(text))


def sources(binding: Binding | None) -> dict[str, str]:
    """Each argument with its source in short: `trigger.amount`, `step0.amount`, `saga_id0.payment_id`."""
    assert binding is not None
    return {name: _short(source) for name, source in binding.arguments.items()}


def _short(source: Source) -> str:
    if source.kind == "literal":
        return repr(source.value)
    step = "" if source.step is None else str(source.step)
    return f"{source.kind}{step}.{source.field}"


def test_the_orchestrated_shop() -> None:
    saga = analysed(SHOP).orchestrations["place_order"]
    charge, reserve, create = saga.steps
    assert sources(charge.do) == {
        "payment_id": "saga_id0.payment_id",
        "order_id": "trigger.order_id",
        "amount": "trigger.amount",
    }
    assert sources(charge.undo) == {"payment_id": "saga_id0.payment_id", "order_id": "trigger.order_id"}
    assert sources(reserve.do)["items"] == "trigger.items"
    assert sources(reserve.undo) == {"reservation_id": "saga_id1.reservation_id"}
    assert sources(create.undo) == {"shipment_id": "saga_id2.shipment_id"}
    assert sources(saga.then) == {"order_id": "trigger.order_id"}
    assert sources(saga.otherwise) == {"order_id": "trigger.order_id", "reason": "reason.reason"}


def test_the_choreographed_shop_carries_what_later_steps_lack() -> None:
    saga = analysed(CHOREOGRAPHED_SHOP).choreographies["place_order"]
    assert saga.starts_on == ("order.created",)
    assert saga.carries == ("items", "customer_id", "payment_id")
    found = {step.do.command: sources(step.do) for step in saga.steps}
    assert found["inventory.reserve"]["items"] == "carried.items"
    assert found["shipping.create"]["customer_id"] == "carried.customer_id"
    assert found["payments.refund"] == {"payment_id": "carried.payment_id", "order_id": "trigger.order_id"}
    assert found["orders.cancel"] == {"order_id": "trigger.order_id", "reason": "None"}


def test_a_reaction() -> None:
    reaction = analysed(SHOP).reactions["notifications"]["order.confirmed"]
    assert sources(reaction.do) == {
        "notification_id": "saga_id0.notification_id",
        "customer_id": "trigger.customer_id",
        "channel": "'email'",
    }


def test_a_step_takes_from_the_result_of_an_earlier_one() -> None:
    text = PEER + ORCHESTRATED + "      - {do: cards.charge}\n      - {do: cards.refund}\n"
    saga = analysed(text).orchestrations["s"]
    assert sources(saga.steps[1].do) == {"card_id": "step0.card_id"}


def test_with_gives_literals_and_fields() -> None:
    text = (
        PEER
        + ORCHESTRATED
        + (
            "      - {do: cards.charge, with: {amount: {amount: '1.00', currency: EUR}}}\n"
            "      - {do: cards.refund, with: {card_id: $cards.charge.card_id}}\n"
        )
    )
    first, second = analysed(text).orchestrations["s"].steps
    assert first.do.arguments["amount"] == Source("literal", value={"amount": "1.00", "currency": "EUR"})
    assert sources(second.do) == {"card_id": "step0.card_id"}


def test_a_doubled_dollar_sign_is_one_of_its_own() -> None:
    text = PEER.replace("amount: money}, emits: card", "note: string}, emits: card") + ORCHESTRATED
    saga = analysed(text + "      - {do: cards.charge, with: {note: $$5}}\n").orchestrations["s"]
    assert sources(saga.steps[0].do)["note"] == "'$5'"


def test_an_optional_argument_without_a_source_is_null() -> None:
    text = PEER.replace("refund: {", "refund: {takes: {note: optional string}, ")
    saga = analysed(text + ORCHESTRATED + "      - {do: cards.charge, undo: cards.refund}\n").orchestrations[
        "s"
    ]
    assert sources(saga.steps[0].undo) == {"card_id": "saga_id0.card_id", "note": "None"}


def test_a_choreography_uses_the_nearest_event_that_has_a_field() -> None:
    text = PEER.replace("refund: {", "refund: {takes: {amount: money}, ").replace(
        "card.refunded}\n", "card.refunded}\n        events: {card.charged: []}\n"
    )
    saga = analysed(
        text
        + "sagas:\n  s:\n    style: choreography\n    steps:\n"
        + "      - {when: order.created, do: cards.charge}\n"
        + "      - {when: card.charged, do: cards.refund}\n"
    ).choreographies["s"]
    assert saga.carries == ("amount",)
    assert sources(saga.steps[1].do) == {"card_id": "trigger.card_id", "amount": "carried.amount"}


def test_ports_are_kept_and_filled_in() -> None:
    text = PEER.replace("  cards:\n", "  cards:\n    port: 8001\n")
    assert analysed(text).ports.http == {"orders": 8002, "cards": 8001}


def test_facts_of_an_event() -> None:
    event = analysed(SHOP).events["payment.failed"]
    assert list(event.fields) == ["payment_id", "order_id", "amount", "status"]
    assert (event.service, event.aggregate, event.failure) == ("payments", "Payment", True)
    assert event.commands == ("payments.charge",)


def test_an_event_may_carry_arguments_of_its_command() -> None:
    text = SHOP.replace(
        "emits: order.cancelled}\n", "emits: order.cancelled}\n        events: {order.cancelled: [reason]}\n"
    )
    assert list(analysed(text).events["order.cancelled"].fields) == ["order_id", "reason"]


def test_consumers() -> None:
    consumers = analysed(SHOP).consumers["order.confirmed"]
    assert [(each.kind, each.service, each.name) for each in consumers] == [
        ("view", "orders", "order_details"),
        ("reaction", "notifications", "order.confirmed"),
    ]
