from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.jobs.cron import Cron

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
LINES = st.sampled_from(
    (
        "0 3 * * *",
        "*/7 * * * *",
        "0 0 1 * *",
        "30 8-18/2 * * mon-fri",
        "5 4 13 * 5",
        "0 0 29 feb *",
        "1/20 0 * * 7",
    )
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "until", "latest"),
    [
        ("0 3 * * *", "2026-11-23 02:59:59", "2026-11-22 03:00"),
        ("0 3 * * *", "2026-11-23 03:00", "2026-11-23 03:00"),
        ("0 0 29 2 *", "2027-03-01 00:00", "2024-02-29 00:00"),
        ("15 10 * * sun", "2026-11-23 09:00", "2026-11-22 10:15"),
        ("15 10 * * 7", "2026-11-23 09:00", "2026-11-22 10:15"),
        # Both the day and the weekday are given: either will do. 2026-11-13 was a Friday.
        ("0 0 10 * fri", "2026-11-12 12:00", "2026-11-10 00:00"),
        ("0 0 10 * fri", "2026-11-14 12:00", "2026-11-13 00:00"),
        ("0,30 8-10 1 jan,jul *", "2026-07-01 10:29", "2026-07-01 10:00"),
    ],
)
def test_the_latest_due_time(line: str, until: str, latest: str) -> None:
    assert Cron(line).latest(at(until), at("2020-01-01")) == at(latest)


@given(LINES, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=900)))
def test_due_times_are_in_order_within_bounds_and_none_is_left_out(
    line: str, after: datetime, span: timedelta
) -> None:
    until = after + span
    found = Cron(line).between(after, until, 50)
    assert found == sorted(set(found))
    assert all(after < due <= until for due in found)
    edges = [*found, until + timedelta(minutes=1)]
    for earlier, later in zip(found, edges[1:], strict=False):
        assert Cron(line).latest(later - timedelta(minutes=1), earlier) is None


@given(LINES, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=20)))
def test_looking_twice_finds_what_looking_once_does(line: str, after: datetime, span: timedelta) -> None:
    middle, until = after + span / 3, after + span
    cron = Cron(line)
    parts = cron.between(after, middle, 9_999) + cron.between(middle, until, 9_999)
    assert parts == cron.between(after, until, 9_999)


@pytest.mark.parametrize(
    "line", ["", "* * * *", "60 * * * *", "* 24 * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *"]
)
def test_a_line_that_means_nothing_is_refused_at_once(line: str) -> None:
    with pytest.raises(ValueError):
        Cron(line)
