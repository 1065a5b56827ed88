"""Promises, retries and timeouts along chains of calls."""

# ruff: noqa: RUF001

from __future__ import annotations

from itertools import pairwise

import pytest

from archgen.errors import SpecError
from archgen.observability import objectives
from archgen.spec import loads
from archgen.spec.chains import AVAILABILITY, LATENCY
from archgen.spec.findings import check
from tests.spec.calls import chain
from tests.spec.samples import BASE

ABC = (("a", "b"), ("b", "c"))


def found(text: str) -> list[str]:
    return [
        f"{each.code} {each.key}: {each.message}" for each in check(loads(text)) if each.severity != "notice"
    ]


def test_the_product_of_the_promises_along_a_chain() -> None:
    assert found(chain(*ABC, slo="{availability: 99.9%}")) == [
        "slo-availability services.a.slo.availability: `a` promises 99.9 %, and what it calls allows at most "
        "b 99.9 % × c 99.9 % = 99.8001 %"
    ]
    assert found(chain(*ABC, slo="{availability: 99.8%}")) == []
    assert found(chain(*ABC)) == [], "nobody promised more than the alerts hold everybody to"


def test_one_that_is_called_by_two_ways_counts_once() -> None:
    text = chain(("a", "b"), ("a", "c"), ("b", "c"), slo="{availability: 99.8%}")
    assert found(text) == []


def test_what_promises_more_allows_more() -> None:
    text = chain(("a", "b"), slo="{availability: 99.95%}")
    assert len(found(text)) == 1
    assert found(text.replace("slo: {}", "slo: {availability: 99.99%}")) == []


def test_a_call_with_a_fallback_does_not_count() -> None:
    text = chain(*ABC, slo="{availability: 99.95%}")
    assert len(found(text)) == 1
    assert found(text.replace("{policy: a}", "{policy: a, fallback: last_known}")) == []
    [behind] = found(text.replace("{policy: b}", "{policy: b, fallback: last_known}"))
    assert behind.endswith("allows at most b 99.9 %")


def test_an_answer_takes_longer_than_what_it_is_made_of() -> None:
    assert found(chain(("a", "b"), slo="{latency: 500ms}")) == [
        "slo-latency services.a.slo.latency: `a` promises to answer within 500 ms, and `b`, which it calls, "
        "promises 500 ms"
    ]
    assert found(chain(("a", "b"), slo="{latency: 1s}")) == []


def test_retries_multiply() -> None:
    policies = "policies: {a: {timeout: 90s, retry: {attempts: 4}}, b: {retry: {attempts: 3}}}"
    assert found(chain(*ABC, policies=policies)) == [
        "retry-amplification services.a.calls[b.view_of_b]: one request may become 12 at `c`: a → b → c, "
        "4 × 3 attempts"
    ]
    assert found(chain(*ABC, policies=policies.replace("4", "3"))) == []
    assert found(chain(("a", "b"), policies="policies: {a: {retry: {attempts: 50}}}")) == []


def test_a_caller_waits_longer_than_its_peer_may_take() -> None:
    policies = "policies: {a: {timeout: 6s, retry: {attempts: 1}}, b: {timeout: 2s, retry: {attempts: 3}}}"
    assert found(chain(*ABC, policies=policies)) == [
        "timeout-chain services.a.calls[b.view_of_b]: `a` waits 6 s for `b`, which may itself take 6 s "
        "for `c`: 3 × 2 s"
    ]
    assert found(chain(*ABC, policies=policies.replace("6s", "6100ms"))) == []


def test_a_long_chain_is_no_trouble() -> None:
    names = [f"s{i}" for i in range(1200)]
    text = chain(*pairwise(names), policies=_policies(names), slo="{availability: 99%}")
    assert {each.split()[0] for each in found(text)} == {"call-chain", "slo-availability", "timeout-chain"}


def _policies(names: list[str]) -> str:
    return "policies:\n" + "\n".join(f"  {name}: {{retry: {{attempts: 1}}}}" for name in names)


def test_what_holds_for_everybody_is_what_the_alerts_say() -> None:
    assert objectives.AVAILABILITY.target == AVAILABILITY
    assert objectives.LATENCY.bound == LATENCY


@pytest.mark.parametrize(
    ("slo", "message"),
    [
        ("{availability: 99.9}", "services.orders.slo.availability: expected a percentage"),
        ("{availability: 100%}", "'100%' is not between 95% and 99.99999%"),
        ("{availability: 12%}", "'12%' is not between 95% and 99.99999%"),
        ("{availability: most}", "'most' is not a percentage"),
        ("{latency: 3}", "services.orders.slo.latency: expected a duration with its unit"),
        ("{latency: 300ms}", "services.orders.slo.latency: 300 ms is not a step of the histogram"),
    ],
)
def test_no_promises(slo: str, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        loads(BASE + f"    slo: {slo}\n")
    assert message in str(refused.value)


def test_promises_are_numbers() -> None:
    slo = loads(BASE + "    slo: {availability: 99.95%, latency: 250ms}\n").services["orders"].slo
    assert (slo.availability, slo.latency) == (0.9995, 0.25)
