"""The mistakes that people make with orchestrated sagas, each with its shortest counter-example."""

from __future__ import annotations

import pytest

from archgen.spec import loads
from archgen.spec.findings import check
from tests.proof.systems import HEAD, many, orchestrated, proof

CHARGE, RESERVE = "do: payments.charge, undo: payments.refund", "do: stock.reserve, undo: stock.release"


@pytest.mark.parametrize(
    "text",
    [
        orchestrated(CHARGE),
        orchestrated(CHARGE, RESERVE, then="orders.confirm"),
        orchestrated(CHARGE, RESERVE, then="orders.try_to_confirm"),
        orchestrated(CHARGE, "do: stock.reserve", then="orders.confirm"),
        orchestrated(CHARGE, otherwise=""),
        # One way back for all that was done to the payment.
        orchestrated(CHARGE, "do: payments.capture, with: {}", RESERVE),
        # The end takes back what the saga did to the order itself.
        orchestrated("do: orders.confirm", CHARGE),
    ],
    ids=["one step", "two steps", "refusable then", "pivot last", "no ends", "two to one", "trigger"],
)
def test_sound(text: str) -> None:
    found = proof(text)
    assert (found.verdict, found.violations) == ("proved", ())
    assert found.states > 3


def only(text: str) -> tuple[str, str, str, list[str]]:
    """Code, place, message and steps of the one thing that is wrong."""
    [wrong] = proof(text).violations
    return wrong.code, ".".join(map(str, wrong.path[2:])), wrong.message, list(wrong.steps)


def test_a_missing_undo_before_a_step_that_fails() -> None:
    assert only(orchestrated("do: payments.charge", RESERVE)) == (
        "no-undo",
        "steps.0.do",
        "`payments.charge` stays done although the saga is given up: nothing undoes it",
        [
            "`order.created` starts the saga",
            "payments does `charge`",
            "stock refuses `reserve` (`hold.rejected`)",
            "orders does `cancel`",
            "the saga ends as compensated, and `payments.charge` is still done",
        ],
    )


def test_a_step_without_an_event_for_it_may_be_refused_as_well() -> None:
    code, at, _, steps = only(orchestrated("do: payments.charge", "do: mail.send"))
    assert (code, at) == ("no-undo", "steps.0.do")
    assert "mail refuses `send`" in steps


def test_a_pivot_that_is_not_the_last_step() -> None:
    code, at, _, steps = only(orchestrated(CHARGE, "do: payments.issue", RESERVE, then="orders.confirm"))
    assert (code, at) == ("no-undo", "steps.1.do")
    assert steps[1:4] == [
        "payments does `charge`",
        "payments does `issue`",
        "stock refuses `reserve` (`hold.rejected`)",
    ]
    assert steps[-1] == "the saga ends as compensated, and `payments.issue` is still done"


def test_a_pivot_before_an_end_that_may_be_refused() -> None:
    code, at, _, steps = only(orchestrated(CHARGE, "do: stock.reserve", then="orders.try_to_confirm"))
    assert (code, at) == ("no-undo", "steps.1.do")
    assert "orders refuses `try_to_confirm` (`order.not_confirmed`)" in steps


def test_an_undo_in_another_service_than_its_step() -> None:
    code, at, message, steps = only(orchestrated(CHARGE, "do: stock.reserve, undo: payments.refund"))
    assert (code, at) == ("undo-elsewhere", "steps.1.undo")
    assert message.startswith("`stock.reserve` stays done: `payments.refund` goes to another service")
    assert "payments gets `refund` and has nothing to take back" in steps
    assert steps[-1] == "the saga ends as compensated, and `stock.reserve` is still done"


def test_an_undo_of_another_aggregate_than_its_step_did() -> None:
    found = proof(orchestrated("do: payments.issue", "do: payments.charge, undo: payments.void"))
    wrong = next(each for each in found.violations if each.code == "undo-other")
    assert wrong.path[2:] == ("steps", 1, "undo")
    assert wrong.message == (
        "`payments.charge` stays done: `payments.void` takes back the Receipt made by payments.issue, "
        "and the step did the Payment made by payments.charge"
    )
    assert wrong.steps[-1] == "the saga ends as compensated, and `payments.charge` is still done"


def test_one_undo_for_two_steps() -> None:
    code, at, message, steps = only(
        orchestrated(CHARGE, "do: payments.capture, undo: payments.refund", "do: mail.send")
    )
    assert (code, at) == ("undone-twice", "steps.0.undo")
    assert message == (
        "`payments.refund` is done twice to the same Payment: by the `undo` of `payments.charge` and by the "
        "`undo` of `payments.capture`"
    )
    assert steps[-4:-2] == ["payments undoes `capture` by `refund`", "payments undoes `charge` by `refund`"]


def test_a_reaction_that_takes_back_what_the_saga_takes_back() -> None:
    head = HEAD.replace("  stock:", "    on:\n      order.cancelled: {do: refund}\n  stock:", 1)
    code, at, message, _ = only(orchestrated(CHARGE, RESERVE, head=head))
    assert (code, at) == ("undone-twice", "steps.0.undo")
    assert message.endswith("by the `undo` of `payments.charge` and by `on: order.cancelled` of payments")


def test_a_reaction_may_be_what_takes_a_step_back() -> None:
    head = HEAD.replace("  stock:", "    on:\n      order.cancelled: {do: refund}\n  stock:", 1)
    assert proof(orchestrated("do: payments.charge", RESERVE, head=head)).verdict == "proved"


@pytest.mark.parametrize(("then", "refused"), [("orders.try_to_confirm", True), ("orders.confirm", False)])
def test_an_end_and_nothing_for_when_it_does_not_come_to_that(then: str, refused: bool) -> None:
    code, at, message, steps = only(orchestrated(CHARGE, then=then, otherwise=""))
    assert (code, at) == ("no-else", "")
    assert message == (
        f"the saga is given up, and the Order never hears of it: `{then}` was not done, and nothing else was"
    )
    assert steps == [
        "`order.created` starts the saga",
        "payments refuses `charge` (`payment.failed`)",
        "the saga ends as compensated",
    ]


def test_an_undo_that_may_be_refused() -> None:
    code, at, message, steps = only(orchestrated("do: payments.charge, undo: payments.try_to_refund"))
    assert (code, at) == ("refusable-end", "steps.0.undo")
    assert message.startswith("`payments.try_to_refund` may be refused, and then the saga is stuck")
    assert steps == [
        "`order.created` starts the saga",
        "payments does `charge`",
        "orders has no answer about `payments.charge` in 3 attempts, so it may have been done",
        "payments refuses `try_to_refund` (`payment.kept`)",
        "orders has no success from `payments.try_to_refund` in 3 attempts and gives it up",
        "the saga is stuck, and `payments.charge` is still done",
    ]


def test_an_else_that_may_be_refused() -> None:
    code, at, _, steps = only(orchestrated(CHARGE, otherwise="orders.try_to_confirm"))
    assert (code, at) == ("refusable-end", "else")
    assert steps[-2:] == ["orders refuses `try_to_confirm` (`order.not_confirmed`)", "the saga is stuck"]


def test_ten_steps() -> None:
    found = proof(many(10))
    assert (found.verdict, found.complete) == ("proved", True)
    found = proof(many(10, refusable=True))
    assert {each.code for each in found.violations} == {"refusable-end"}
    assert found.complete


def test_no_silent_proof() -> None:
    found = proof(many(10), limit=100)
    assert (found.verdict, found.complete) == ("bounded", False)
    found = proof(many(101))
    assert (found.verdict, found.complete, found.states) == ("bounded", False, 0)
    told = [each for each in check(loads(many(101))) if each.severity == "warning"]
    assert [(each.code, each.key) for each in told] == [("not-proved", "sagas.s")]
