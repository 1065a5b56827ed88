"""Cron lines: minute hour day month weekday, in UTC, where no hour is missing or comes twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Cron:
    """When something is due, such as `0 3 * * *` or `*/15 8-18 * * mon-fri`.

    As in cron, a day counts when its date or its weekday fits, if both are restricted.
    """

    line: str

    def __post_init__(self) -> None:
        _ = self._sets  # raises ValueError here rather than at three in the morning

    @cached_property
    def _sets(self) -> tuple[set[int], set[int], set[int], set[int], set[int]]:
        fields = self.line.lower().split()
        if len(fields) != 5:
            raise ValueError(f"{self.line!r} is not a cron line of five fields")
        minute, hour, day, month, weekday = fields
        return (
            _values(minute, 0, 59),
            _values(hour, 0, 23),
            _values(day, 1, 31),
            _values(month, 1, 12, _MONTHS, 1),
            {value % 7 for value in _values(weekday, 0, 7, _WEEKDAYS)},
        )

    def latest(self, until: datetime, after: datetime) -> datetime | None:
        """The last due time that is later than `after` and not later than `until`; None without one."""
        minutes, hours, _, months, _ = self._sets
        at = until.astimezone(UTC).replace(second=0, microsecond=0)
        while at > after:
            if at.month not in months:
                at = at.replace(day=1, hour=0, minute=0) - _MINUTE
            elif not self._on(at):
                at = at.replace(hour=0, minute=0) - _MINUTE
            elif at.hour not in hours:
                at = at.replace(minute=0) - _MINUTE
            elif at.minute not in minutes:
                at -= _MINUTE
            else:
                return at
        return None

    def between(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """The due times later than `after` and not later than `until`, the last `limit` of them, in order."""
        found: list[datetime] = []
        while len(found) < limit and (due := self.latest(until, after)):
            found.append(due)
            until = due - _MINUTE
        return found[::-1]

    def _on(self, at: datetime) -> bool:
        _, _, days, _, weekdays = self._sets
        date, weekday = at.day in days, at.isoweekday() % 7 in weekdays
        _, _, day_field, _, weekday_field = self.line.split()
        if day_field.startswith("*") or weekday_field.startswith("*"):
            return date and weekday
        return date or weekday


def _values(text: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        matched = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/([1-9][0-9]*))?", part)
        if not matched:
            raise ValueError(f"{part!r} is not part of a cron line")
        start, end, step = matched.groups()
        begin = low if start == "*" else _number(start, names, first)
        last = _number(end, names, first) if end else high if start == "*" or step else begin
        if not low <= begin <= last <= high:
            raise ValueError(f"{part!r} is not within {low} to {high}")
        found |= set(range(begin, last + 1, int(step or 1)))
    return found


def _number(text: str, names: tuple[str, ...], first: int) -> int:
    return names.index(text) + first if text in names else int(text)
