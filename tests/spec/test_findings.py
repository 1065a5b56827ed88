"""What check has to say about valid descriptions."""

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads_with_marks
from archgen.spec.findings import check, require
from tests.spec.calls import chain
from tests.spec.samples import BASE, CHOREOGRAPHED, CHOREOGRAPHED_SHOP, ORCHESTRATED, PEER, SHOP


def found(text: str, *, notices: bool = False) -> list[str]:
    loaded = loads_with_marks(text, "s.yaml")
    return [
        f"{each.line} {each.severity} {each.code}: {each.message}"
        for each in check(loaded.system, loaded.document)
        if notices or each.severity != "notice"
    ]


@pytest.mark.parametrize("text", [SHOP, CHOREOGRAPHED_SHOP])
def test_the_shop_is_clean(text: str) -> None:
    assert found(text) == []


def test_notices() -> None:
    assert found(PEER, notices=True) == [
        "2 notice auth-missing: there is no `auth`, so whoever reaches a service may do everything",
        "9 notice event-unused: nobody consumes `order.created`",
        "10 notice command-unsent: no saga and no reaction sends `orders.pay`; it is reached over HTTP only",
        "10 notice event-unused: nobody consumes `order.paid`",
        "16 notice event-unused: nobody consumes `card.charged`",
        "16 notice event-unused: nobody consumes `card.refused`",
        "17 notice command-unsent: no saga and no reaction sends `cards.refund`; it is reached over HTTP only",  # noqa: E501
        "17 notice event-unused: nobody consumes `card.refunded`",
    ]


def test_declared_and_never_named() -> None:
    text = "types: {Item: {sku: string}}\npolicies: {default: {}, slow: {}}\n" + BASE
    assert found(text, notices=True)[:2] == [
        "1 notice type-unused: no field is a `Item`",
        "2 notice policy-unused: no call follows the policy `slow`",
    ]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            BASE + "broker: kafka\n",
            "11 error not-available: the broker `kafka` is not available in this version",
        ),
        (
            BASE + "    language: go\n",
            "11 error not-available: the language `go` is not available in this version",
        ),
        (
            PEER + ORCHESTRATED + "      - {do: cards.charge}\n      - {do: orders.pay}\n",
            "23 warning no-undo: `cards.charge` stays done although the saga is given up: nothing undoes it",
        ),
        (
            PEER.replace("emits: card.refunded", "emits: card.refunded, fails: card.kept")
            + ORCHESTRATED
            + "      - {do: cards.charge, undo: cards.refund}\n",
            "23 warning refusable-end: `cards.refund` may be refused, and then the saga is stuck until "
            "somebody resumes it",
        ),
        (
            PEER + CHOREOGRAPHED + "      - {when: order.created, do: cards.charge}\n",
            "22 warning failure-unheard: `cards.charge` may fail, and no step of the saga hears `card.refused`",  # noqa: E501
        ),
        (
            PEER + "    on: {card.charged: {do: refund}, card.refunded: {do: refund}}\n",
            "18 warning event-cycle: events set each other off in a circle: card.refunded → card.refunded",
        ),
    ],
)
def test_findings(text: str, finding: str) -> None:
    assert found(text) == [finding]


def test_a_saga_that_only_it_can_start() -> None:
    text = BASE + CHOREOGRAPHED + "      - {when: order.paid, do: orders.pay}\n"
    assert found(text) == [
        "12 error no-start: every event of the saga comes out of the saga itself, so nothing starts it",
        "15 warning event-cycle: events set each other off in a circle: order.paid → order.paid",
    ]


def test_a_step_that_nothing_leads_to() -> None:
    text = (
        PEER
        + CHOREOGRAPHED
        + ("      - {when: order.created, do: orders.pay}\n      - {when: card.refunded, do: cards.refund}\n")
    )
    assert "23 error unreachable-step: nothing in the saga leads to `card.refunded`" in found(text)


def test_calls_in_a_circle() -> None:
    assert found(chain(("a", "b"), ("b", "c"), ("c", "b"), ("c", "a"))) == [
        "8 error call-cycle: services call each other in a circle: a → b → c → a"
    ]


def test_a_chain_of_three_calls_is_accepted() -> None:
    assert found(chain(("a", "b"), ("b", "c"), ("c", "d"))) == []


def test_a_chain_of_four_calls() -> None:
    assert found(chain(("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("a", "e"))) == [
        "8 warning call-chain: 4 calls wait for each other: a → b → c → d → e"
    ]


def test_an_error_keeps_a_system_from_being_generated() -> None:
    loaded = loads_with_marks(BASE + "broker: redis\n", "s.yaml")
    with pytest.raises(SpecError) as refused:
        require(loaded.system, loaded.document)
    assert str(refused.value) == (
        "s.yaml:11:9: broker: the broker `redis` is not available in this version (use `nats` for now)"
    )


def test_warnings_do_not() -> None:
    loaded = loads_with_marks(PEER + CHOREOGRAPHED + "      - {when: order.created, do: cards.charge}\n")
    assert "failure-unheard" in {each.code for each in require(loaded.system, loaded.document)}


def test_a_circle_within_a_saga_is_told_once_and_step_by_step() -> None:
    text = (
        PEER
        + CHOREOGRAPHED
        + (
            "      - {when: order.created, do: cards.charge}\n"
            "      - {when: card.charged, do: cards.refund}\n"
            "      - {when: card.refunded, do: cards.refund}\n"
            "      - {when: card.refused, do: orders.pay}\n"
        )
    )
    assert [line.partition(":")[0].split()[1:] for line in found(text)] == [["warning", "saga-circle"]]
