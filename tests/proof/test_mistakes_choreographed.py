"""The mistakes that people make with choreographed sagas, each with its shortest counter-example."""

from __future__ import annotations

import pytest

from tests.proof.systems import HEAD, chained, choreographed, proof

SOUND = (
    "order.created > payments.charge",
    "payment.charged > stock.reserve",
    "hold.reserved > orders.confirm",
    "payment.failed > orders.cancel",
    "hold.rejected > payments.refund",
    "payment.refunded > orders.cancel",
)


def replaced(old: str, *new: str) -> str:
    assert old in SOUND
    return choreographed(*(each for step in SOUND for each in (new if step == old else (step,))))


@pytest.mark.parametrize(
    "text",
    [
        choreographed(*SOUND),
        # The one way back may be entered at its places.
        choreographed(
            *SOUND[:2],
            "hold.reserved > orders.try_to_confirm",
            *SOUND[3:],
            "order.not_confirmed > stock.release",
            "hold.released > payments.refund",
        ),
        # Another way forward instead of a way back.
        choreographed(
            "order.created > payments.charge",
            "payment.failed > payments.issue",
            "payment.charged > orders.confirm",
            "receipt.issued > orders.confirm",
        ),
        # Nothing that could fail.
        choreographed("order.created > payments.issue", "order.created > mail.send"),
        # On its way, but not at its end.
        choreographed(
            "order.created > payments.charge",
            "payment.charged > orders.confirm",
            "order.confirmed > stock.reserve",
            "payment.failed > orders.cancel",
            "hold.rejected > payments.refund",
            "payment.refunded > orders.cancel",
        ),
    ],
    ids=["one way back", "entered at three places", "another way forward", "harmless", "halfway"],
)
def test_sound(text: str) -> None:
    found = proof(text)
    assert (found.verdict, found.violations) == ("proved", ())
    assert found.states > 2


def wrong(text: str) -> dict[str, tuple[str, list[str]]]:
    """Message and steps of everything that is wrong, by code and place."""
    return {
        f"{each.code} {'.'.join(map(str, each.path[2:]))}": (each.message, list(each.steps))
        for each in proof(text).violations
    }


def test_two_reactions_that_refund() -> None:
    """The order is cancelled at once, and both that and the failure lead to a refund."""
    text = choreographed(*SOUND[:5], "hold.rejected > orders.cancel", "order.cancelled > payments.refund")
    found = wrong(text)
    assert list(found) == ["undo-undone steps.6.do", "undone-twice steps.6.do"]
    message, steps = found["undone-twice steps.6.do"]
    assert message == (
        "`payments.refund` is done twice to the same Payment: after `hold.rejected` and "
        "after `order.cancelled`"
    )
    assert steps == [
        "`order.created` starts the saga",
        "on `order.created`, payments does `charge` (`payment.charged`)",
        "on `payment.charged`, stock refuses `reserve` (`hold.rejected`)",
        "on `hold.rejected`, orders does `cancel` (`order.cancelled`)",
        "on `hold.rejected`, payments does `refund` (`payment.refunded`)",
        "on `order.cancelled`, payments does `refund` (`payment.refunded`)",
        "nothing more happens",
    ]


def test_a_failure_that_nobody_hears() -> None:
    assert wrong(choreographed(*SOUND[:4])) == {
        "failure-unheard steps.1.do": (
            "`stock.reserve` may fail, and no step of the saga hears `hold.rejected`; "
            "`payments.charge` stays done",
            [
                "`order.created` starts the saga",
                "on `order.created`, payments does `charge` (`payment.charged`)",
                "on `payment.charged`, stock refuses `reserve` (`hold.rejected`)",
                "nothing more happens",
            ],
        )
    }


def test_a_way_back_that_leaves_something_out() -> None:
    text = choreographed(*SOUND[:4], "hold.rejected > orders.cancel")
    assert wrong(text) == {
        "not-undone steps.0.do": (
            "`payments.charge` stays done after `hold.rejected`: no step takes it back",
            [
                "`order.created` starts the saga",
                "on `order.created`, payments does `charge` (`payment.charged`)",
                "on `payment.charged`, stock refuses `reserve` (`hold.rejected`)",
                "on `hold.rejected`, orders does `cancel` (`order.cancelled`)",
                "nothing more happens",
            ],
        )
    }


def test_a_way_back_that_does_not_end_at_the_order() -> None:
    text = choreographed(*SOUND[:5])
    assert list(wrong(text)) == ["no-else steps.1.do"]
    assert wrong(text)["no-else steps.1.do"][0] == (
        "after `hold.rejected` the Order never hears that the saga was given up"
    )


def test_taking_back_what_was_refused() -> None:
    found = wrong(replaced("payment.failed > orders.cancel", "payment.failed > payments.refund"))
    assert [message for message, _ in found.values()] == [
        "`payments.refund` takes back what never happened: `payments.charge` was refused"
    ]


def test_taking_back_by_the_id_of_another_aggregate() -> None:
    with_ = "hold.rejected > payments.refund, with: {payment_id: $order_id}"
    found = wrong(replaced("hold.rejected > payments.refund", with_))
    assert {key: message for key, (message, _) in found.items()} == {
        "undo-other steps.4.do": "`payments.charge` stays done: `payments.refund` takes back the Payment "
        "`trigger.order_id`, and what was done is the Payment `made by payments.charge`"
    }


def test_finishing_while_something_can_still_fail() -> None:
    found = wrong(replaced("hold.reserved > orders.confirm", "payment.charged > orders.confirm"))
    assert list(found) == ["both-ends steps.2.do"]
    message, steps = found["both-ends steps.2.do"]
    assert message == "`orders.confirm` and `orders.cancel` both happen in one run"
    assert len(steps) == 7


def test_a_circle_of_events() -> None:
    found = wrong(choreographed(*SOUND, "order.cancelled > payments.refund"))
    assert [message for message, _ in found.values()] == [
        "the saga goes round in a circle: `orders.cancel` → `payments.refund` → `orders.cancel`",
        "the saga goes round in a circle: `payments.refund` → `orders.cancel` → `payments.refund`",
    ]
    assert all(steps[-1] == "and so on, without end" for _, steps in found.values())


def test_a_circle_in_which_nothing_fails() -> None:
    found = wrong(
        choreographed(
            "order.created > orders.confirm",
            "order.confirmed > orders.cancel",
            "order.cancelled > orders.confirm",
        )
    )
    assert "saga-circle steps.1.do" in found


def test_creating_the_same_twice() -> None:
    found = wrong(
        choreographed(
            "order.created > payments.issue", "order.created > mail.send", "receipt.issued > mail.send"
        )
    )
    assert found["dead-letter steps.2.do"] == (
        "`mail.send` would create the same Letter a second time: it is refused, and the event becomes a "
        "dead letter",
        [
            "`order.created` starts the saga",
            "on `order.created`, payments does `issue` (`receipt.issued`)",
            "on `order.created`, mail does `send` (`letter.sent`)",
            "on `receipt.issued`, mail can't do `send`: a dead letter",
            "nothing more happens",
        ],
    )


def test_an_event_of_another_branch_may_come_first() -> None:
    """A Payment has the order's id, so somebody can refund it who has not heard of the charge."""
    head = HEAD.replace(
        "      Payment:\n        fields: {",
        "      Payment:\n        id: order_id\n        fields: {order_id: uuid, ",
    )
    text = choreographed(
        "order.created > payments.charge",
        "order.created > stock.reserve",
        "hold.rejected > payments.refund",
        head=head,
    )
    assert wrong(text)["dead-letter steps.2.do"] == (
        "`payments.refund` may come before the Payment is there: it fails each time, and the event becomes a "
        "dead letter",
        [
            "`order.created` starts the saga",
            "on `order.created`, stock refuses `reserve` (`hold.rejected`)",
            "on `hold.rejected`, payments can't do `refund`: a dead letter",
            "on `order.created`, payments does `charge` (`payment.charged`)",
            "nothing more happens",
        ],
    )


def test_something_left_in_another_branch() -> None:
    """The letter goes out beside the saga, and nobody takes it back."""
    found = wrong(choreographed(*SOUND, "payment.charged > mail.send"))
    assert [message for message, _ in found.values()] == [
        "`mail.send` stays done after `hold.rejected`: no step takes it back"
    ]
    head = HEAD.rstrip("\n") + "\n    on:\n      payment.charged: {do: send}\n"
    assert proof(choreographed(*SOUND, head=head)).verdict == "proved", "which is how to say that it is fine"


def test_a_reaction_outside_the_saga_that_refunds_as_well() -> None:
    head = HEAD.replace("  stock:", "    on:\n      order.cancelled: {do: refund}\n  stock:", 1)
    found = wrong(choreographed(*SOUND, head=head))
    assert [message for message, _ in found.values()] == [
        "`payments.refund` is done twice to the same Payment: after `hold.rejected` and "
        "by `on: order.cancelled` of payments"
    ]


def test_twelve_services() -> None:
    found = proof(chained(12))
    assert (found.verdict, found.complete) == ("proved", True)


def test_more_ways_than_can_be_gone() -> None:
    """Each of two events leads to two more, twenty times over."""
    services, steps = HEAD, ["order.created > a0.make", "order.created > b0.make"]
    for layer in range(20):
        for side in "ab":
            services += (
                f"  {side}{layer}:\n    aggregates:\n      {side.upper()}{layer}:\n        commands:\n"
                f"          make: {{emits: {side}{layer}.made}}\n"
            )
            if layer:
                steps += [f"{before}{layer - 1}.made > {side}{layer}.make" for before in "ab"]
    assert not proof(choreographed(*steps, head=services), limit=5_000).complete


def test_no_silent_proof() -> None:
    found = proof(chained(12), limit=50)
    assert (found.verdict, found.complete) == ("bounded", False)
