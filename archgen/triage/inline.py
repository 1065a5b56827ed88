"""Suppressions in the comments of a file: `archgen: ignore[DTC-001] until=2027-01-31 because of this`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from archgen.rules.marks import State, Suppression
from archgen.triage.comments import Comment, comments
from archgen.triage.terms import Terms

MARK = re.compile(r"\barchgen:\s*ignore\b")
_IDS = re.compile(r"\s*\[([^\]]*)\]")
_UNTIL = re.compile(r"(?:^|\s)until\s*[=:]\s*(\S+)")
_BECAUSE = re.compile(r"\bbecause\b[:,]?\s*(.*)", re.DOTALL)
_END = re.compile(r"\s*(\*/|-->)\s*$")


def read(path: str, text: str, terms: Terms) -> Iterator[Suppression]:
    """The suppressions in the comments of a file, one per rule, those that are not valid included."""
    found = comments(path, text)
    alone = {comment.line for comment in found if comment.alone}
    for comment in found:
        match = MARK.search(comment.text)
        if match:
            covered = comment.line
            while covered in alone:
                covered += 1
            yield from _parse(_END.sub("", comment.text[match.end() :]), path, comment, covered, terms)


def _parse(text: str, path: str, comment: Comment, covered: int, terms: Terms) -> Iterator[Suppression]:
    def invalid(problem: str, rule: str = "") -> Suppression:
        return Suppression(rule, "", None, path, comment.line, state=State.INVALID, problem=problem)

    ids = _IDS.match(text)
    rules = [part.strip() for part in ids[1].split(",") if part.strip()] if ids else []
    if ids is None or not rules:
        yield invalid("name the rules in brackets, as in ignore[DTC-001]")
        return
    rest = text[ids.end() :]
    until, because = _UNTIL.search(rest), _BECAUSE.search(rest)
    day: date | None = None
    problem = "" if until else f"say until when, as in until={terms.example()}"
    if until:
        day, problem = terms.day(until[1])
    reason = " ".join(because[1].split()) if because else ""
    if not problem and not reason:
        problem = "say why, as in `because the relay comes in May`"
    for rule in rules:
        wrong = problem or terms.unknown(rule)
        if wrong:
            yield invalid(wrong, rule)
        else:
            yield Suppression(rule, reason, day, path, comment.line, covered=covered)
