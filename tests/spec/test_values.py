"""Durations and cron lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen.spec import loads
from archgen.spec.values import FormatError, cron, seconds
from tests.spec.samples import BASE


@pytest.mark.parametrize(
    ("text", "value"),
    [("200ms", 0.2), ("2s", 2.0), ("5m", 300.0), ("1h", 3600.0), ("1d", 86400.0), ("1.5s", 1.5)],
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "2", "s", "-2s", "2 s", "2S", "2s\n", "1h30m", "367d", "0.1ms", "٢s"])
def test_no_durations(text: str) -> None:
    with pytest.raises(FormatError):
        seconds(text)


def test_durations_of_a_policy_are_seconds() -> None:
    text = BASE + "policies: {p: {timeout: 1500ms, retry: {delay: 1m}, breaker: {reset: 1h}}}\n"
    policy = loads(text).policies["p"]
    assert (policy.timeout, policy.retry.delay, policy.breaker.reset) == (1.5, 60.0, 3600.0)


def test_a_cron_line() -> None:
    line = cron("*/20 9-17/4 1,15 jan-mar MON-fri")
    assert line.minutes == {0, 20, 40}
    assert line.hours == {9, 13, 17}
    assert line.days == {1, 15}
    assert line.months == {1, 2, 3}
    assert line.weekdays == {1, 2, 3, 4, 5}


def test_seven_is_sunday_as_is_zero() -> None:
    assert cron("0 0 * * 7").weekdays == cron("0 0 * * 0").weekdays == {0}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "*-5 * * * *",
        "1,,2 * * * *",
        "a * * * *",
        "0 0 31 feb,apr *",
        "@daily",
        " 0 0 * * *",
    ],
)
def test_no_cron_lines(text: str) -> None:
    with pytest.raises(FormatError):
        cron(text)


@given(st.text(alphabet="0123456789*/,- janmo", max_size=30))
def test_a_cron_line_fires_or_is_refused(text: str) -> None:
    try:
        line = cron(text)
    except FormatError:
        return
    assert all((line.minutes, line.hours, line.days, line.months, line.weekdays))
    assert line.minutes <= set(range(60))
    assert line.weekdays <= set(range(7))
