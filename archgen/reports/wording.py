"""Sentences that several reports share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from archgen.checklist import Audit
from archgen.rules.model import Finding


def headline(audit: Audit) -> str:
    return f"{_count(audit.files, 'file')}, {_count(len(audit.services), 'service')}"


def summary(audit: Audit) -> str:
    """The score with its coverage, never one without the other."""
    if audit.score is None:
        return "No score: none of the ten items could be judged."
    without = ""
    if audit.counted_score != audit.score:
        without = f" ({audit.counted_score:g} if suppressed findings counted)"
    hidden = f", {len(audit.suppressed)} more suppressed" if audit.suppressed else ""
    return (
        f"Score {audit.score:g} of 100{without} over {audit.judged} judged items "
        f"({audit.coverage:.0%} of the {audit.applicable} that apply), "
        f"{_count(len(audit.findings), 'finding')}{hidden}."
    )


def compared(audit: Audit) -> str:
    """How the audit stands against the baseline and the commit that were named; "" for neither."""
    said = []
    if audit.since:
        touched = sum(finding.changed for finding in audit.findings)
        said.append(f"Since {audit.since}: {_count(touched, 'finding')} on changed lines.")
    if audit.baseline:
        new = sum(not finding.known for finding in audit.findings)
        said.append(
            f"Against the baseline: {new} new, {len(audit.findings) - new} known, {len(audit.fixed)} fixed"
            + ("; --write-baseline takes what is fixed out of it." if audit.fixed else ".")
        )
    return " ".join(said)


def leading(findings: Sequence[Finding], most: int) -> tuple[list[Finding], str]:
    """Up to `most` findings, in their order, with one of each rule before a second of any; and how many more
    there are of which rule, "" for none.
    """
    first = {finding.rule: finding for finding in reversed(findings)}
    by_turn = sorted(findings, key=lambda finding: first[finding.rule] is not finding)
    taken = {id(finding) for finding in by_turn[:most]}
    shown = [finding for finding in findings if id(finding) in taken]
    more = Counter(finding.rule for finding in findings if id(finding) not in taken)
    return shown, ", ".join(f"{number} more of {rule}" for rule, number in more.items())


def standing(finding: Finding) -> str:
    """Why a finding does not decide, or that it is new; "" where there is nothing to say."""
    if finding.suppressed is not None:
        return f"suppressed until {finding.suppressed.until}: {finding.suppressed.reason}"
    if finding.known:
        return "known"
    return "" if finding.changed else "not on a changed line"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
