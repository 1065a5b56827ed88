"""Texts of a description → values with a meaning: durations and cron lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

DURATION = r"[0-9]+(\.[0-9]+)?(ms|s|m|h|d)"
SHARE = r"[0-9]{1,3}(\.[0-9]{1,5})?%"
CRON = r"[^\s]+( +[^\s]+){4}"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST = 366 * 86400.0


class FormatError(ValueError):
    """A text that doesn't mean what it should; `remedy` says what to write instead."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def shown(text: str) -> str:
    """`text` for a message: in quotes, on one line, cut when long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def seconds(text: str) -> float:
    """The seconds that a duration such as `200ms`, `2s`, `5m`, `1h` or `1d` lasts; never 0."""
    if not re.fullmatch(DURATION, text):
        raise FormatError(f"{shown(text)} is not a duration", "for example `200ms`, `2s`, `5m`, `1h`")
    number, unit = re.split(r"(?<=\d)(?=[a-z])", text)
    value = float(number) * _UNITS[unit]
    if not 0.001 <= value <= _LONGEST:
        raise FormatError(f"{shown(text)} is not between 1ms and 366d")
    return value


def share(text: str) -> float:
    """The share that a percentage such as `99.9%` is, at least 95 % and less than all."""
    if not re.fullmatch(SHARE, text):
        raise FormatError(f"{shown(text)} is not a percentage", "for example `99.9%`")
    # Through decimal digits, so that 99.9 % is the 0.999 that people compare with.
    value = round(float(text.rstrip("%")) / 100, 9)
    if not 0.95 <= value < 1:
        raise FormatError(f"{shown(text)} is not between 95% and 99.99999%", "nothing answers always")
    return value


@dataclass(frozen=True)
class Cron:
    """A cron line of five fields: the minutes, hours, days, months and weekdays (0 is Sunday) it fires at.

    As in cron, a day counts when it is in `days` or in `weekdays` if both are restricted.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def cron(text: str) -> Cron:
    """The times of a cron line such as `0 3 * * *`. Raises FormatError also for one that never fires."""
    if not re.fullmatch(CRON, text):
        raise FormatError(
            f"{shown(text)} is not a cron line: expected 5 fields, found {len(text.split())}",
            "minute hour day month weekday, for example `0 3 * * *`",
        )
    minute, hour, day, month, weekday = text.lower().split()
    line = Cron(
        minutes=_cron_field("minute", minute, 0, 59),
        hours=_cron_field("hour", hour, 0, 23),
        days=_cron_field("day", day, 1, 31),
        months=_cron_field("month", month, 1, 12, _MONTHS, first=1),
        weekdays=frozenset(value % 7 for value in _cron_field("weekday", weekday, 0, 7, _WEEKDAYS)),
    )
    longest = max(_LENGTHS[month - 1] for month in line.months)
    if weekday.startswith("*") and min(line.days) > longest:
        raise FormatError(f"{shown(text)} never fires: no such day in that month")
    return line


def _cron_field(
    what: str, text: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0
) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/([0-9]{1,4}))?", part)
        numbers = _cron_range(found, low, high, names, first) if found else None
        if not numbers:
            raise FormatError(
                f"{shown(part)} is not a {what} of a cron line", f"{low} to {high}, `*` or `*/5`"
            )
        values |= numbers
    return frozenset(values)


def _cron_range(
    found: re.Match[str], low: int, high: int, names: tuple[str, ...], first: int
) -> set[int] | None:
    start_text, end_text, step_text = found.groups()
    if start_text == "*":
        if end_text:
            return None
        start, end = low, high
    else:
        one = _cron_number(start_text, names, first)
        other = _cron_number(end_text, names, first) if end_text else one
        if one is None or other is None:
            return None
        start, end = one, high if step_text and not end_text else other
    if not low <= start <= end <= high:
        return None
    step = int(step_text) if step_text else 1
    return set(range(start, end + 1, step)) if step else None


def _cron_number(text: str, names: tuple[str, ...], first: int) -> int | None:
    if text in names:
        return names.index(text) + first
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None
