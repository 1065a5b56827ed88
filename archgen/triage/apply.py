"""Suppressions against findings: which are hidden, and which suppressions have nothing to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from archgen.rules.marks import State, Suppression
from archgen.rules.model import Finding
from archgen.triage.paths import matcher
from archgen.triage.terms import Terms


class Suppressions:
    """All suppressions of a project. It remembers which were of use while findings pass through `split`."""

    def __init__(self, found: Iterable[Suppression], terms: Terms) -> None:
        self._all = [self._dated(one, terms) for one in found]
        self._used: set[int] = set()
        self._blind: set[str] = set()

    @staticmethod
    def _dated(one: Suppression, terms: Terms) -> Suppression:
        expired = one.state is State.UNUSED and one.until is not None and one.until < terms.today
        return replace(one, state=State.EXPIRED) if expired else one

    def split(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
        """The findings that stay, and those that are suppressed, each with its suppression."""
        stay, hidden = [], []
        for finding in findings:
            one = self._for(finding)
            if one is None:
                stay.append(finding)
            else:
                hidden.append(replace(finding, suppressed=one))
        return stay, hidden

    def item(self, item: str) -> Suppression | None:
        """The suppression that accepts a failed item."""
        for number, one in enumerate(self._all):
            if one.rule == item and one.state is State.UNUSED:
                self._used.add(number)
                return replace(one, state=State.ACTIVE)
        return None

    def not_judged(self, rules: Iterable[str]) -> None:
        """Rules that crashed: whether their suppressions are needed is not known."""
        self._blind |= set(rules)

    def told(self) -> tuple[Suppression, ...]:
        """Every suppression with its state, those that hide something included."""
        return tuple(
            replace(one, state=State.ACTIVE) if n in self._used else one
            for n, one in enumerate(self._all)
            if n in self._used or one.rule not in self._blind
        )

    def _for(self, finding: Finding) -> Suppression | None:
        chosen: Suppression | None = None
        for number, one in enumerate(self._all):
            if one.state is State.UNUSED and one.rule == finding.rule and _covers(one, finding):
                # all that cover it are needed as far as anyone can tell
                self._used.add(number)
                chosen = chosen or replace(one, state=State.ACTIVE)
        return chosen


def _covers(one: Suppression, finding: Finding) -> bool:
    if one.covered:
        return one.file == finding.file and finding.line in (one.covered, one.line)
    return matcher(one.path)(finding.file)
