"""What is demanded of every suppression: a known rule, and a day that is not too far off."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches

LONGEST = 366


@dataclass(frozen=True)
class Terms:
    """`rules` are the ids of defects, `evidence` those of evidence, `items` the ten."""

    today: date
    rules: Collection[str]
    evidence: Collection[str] = ()
    items: Collection[str] = ()

    def example(self) -> str:
        return str(self.today + timedelta(days=90))

    def day(self, text: str) -> tuple[date | None, str]:
        """The day that `text` names, and what is wrong with it."""
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return None, f"{text!r} is no day: write it as {self.example()}"
        if (day - self.today).days > LONGEST:
            return None, (
                f"{text} is too far off: a suppression lives for {LONGEST} days at most, then look again"
            )
        return day, ""

    def unknown(self, rule: str, *, items: bool = False) -> str:
        """Why `rule` cannot be suppressed, "" when it can."""
        known = [*self.rules, *(self.items if items else ())]
        if rule in known:
            return ""
        if rule in self.evidence:
            return f"{rule} is evidence: it finds what is there, and there is nothing to suppress"
        if rule in self.items:
            return f"{rule} is an item: accept it in the suppressions file, or name one of its rules here"
        near = get_close_matches(rule.upper(), known, n=1) or get_close_matches(rule.lower(), known, n=1)
        return f"there is no rule {rule!r}" + (f", did you mean {near[0]}?" if near else "")
