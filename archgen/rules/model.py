"""What a rule is, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import cached_property
from textwrap import dedent
from typing import Literal

from archgen.evidence.facts import Fact, Facts, Strength
from archgen.rules.marks import Mark, Suppression


class Severity(IntEnum):
    NOTE = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Verdict(Enum):
    PASS = "pass"
    PARTIAL = "partial"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    ERROR = "error"

    @property
    def judged(self) -> bool:
        """Whether the verdict says something about the project, and so counts in the score."""
        return self in (Verdict.PASS, Verdict.PARTIAL, Verdict.FAIL)


@dataclass(frozen=True, slots=True)
class Hit:
    """One place that a rule points at. `line` counts from 1; it is 0 when the place is the file or
    the project.

    `severity` is the rule's own unless the place is a lesser case.
    """

    file: str
    line: int
    message: str
    strength: Strength = Strength.USED
    severity: Severity | None = None


@dataclass(frozen=True)
class Sample:
    """A small project: its files by path, as they are written here, indented or not.

    In a sample that the rule must hit, the lines that it hits carry `<-` in a comment.
    """

    language: str
    written: Mapping[str, str]

    @cached_property
    def files(self) -> dict[str, str]:
        """The files without the indentation; an audit has no need of them."""
        return {path: _flush_left(text) for path, text in self.written.items()}


def _flush_left(text: str) -> str:
    return dedent(text[1:]) if text.startswith("\n") else text


@dataclass(frozen=True)
class Rule:
    """`kind` evidence: the pattern is there, and `valid` samples show it. `kind` defect: it is
    broken, as `invalid` ones show.

    `check` is pure: the same facts always give the same hits.
    """

    id: str
    item: str
    kind: Literal["evidence", "defect"]
    severity: Severity
    title: str
    why: str
    remedy: str
    languages: tuple[str, ...]
    valid: tuple[Sample, ...]
    invalid: tuple[Sample, ...]
    check: Callable[[Facts], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a defect rule found. `last` is the last line of the statement that starts on `line`.

    `known`: the baseline has it. `changed`: on a line that the compared change touched, True where
    nothing is compared.
    """

    rule: str
    severity: Severity
    file: str
    line: int
    message: str
    remedy: str
    mark: Mark | None = None
    last: int = 0
    suppressed: Suppression | None = None
    known: bool = False
    changed: bool = True

    @property
    def decides(self) -> bool:
        """Whether the finding counts in the exit code."""
        return self.suppressed is None and not self.known and self.changed

    @property
    def fingerprint(self) -> str:
        """What stays the same while the code around moves; "" where nothing was compared."""
        return self.mark.fingerprint if self.mark else ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """`rule` is "" where the place is what the verdict was judged on, and no rule's."""

    rule: str
    file: str
    line: int
    strength: Strength
    what: str


@dataclass(frozen=True)
class Seen:
    """What the rules of one item said, for its judge."""

    facts: Facts
    evidence: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def shows(self, *rules: str) -> bool:
        return any(self.evidence.get(rule) for rule in rules)

    def breaks(self, *rules: str) -> bool:
        return any(finding.rule in rules for finding in self.findings)

    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)


@dataclass(frozen=True)
class Judgement:
    """`grounds` are the places that a verdict rests on where no rule has any: what was looked
    through in vain.
    """

    verdict: Verdict
    reason: str
    grounds: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Item:
    """One of the ten: its id, the question it asks, and how the answer follows from what the rules saw."""

    id: str
    title: str
    judge: Callable[[Seen], Judgement]


def hits(facts: Iterable[Fact], message: Callable[[Fact], str] | str) -> list[Hit]:
    """A hit per fact, with a message made from it."""
    return [
        Hit(f.file, f.line, message if isinstance(message, str) else message(f), f.strength) for f in facts
    ]


def missing(parts: Mapping[str, bool]) -> str:
    """The names of what is not there, as words: `a, b and c`."""
    names = [name.removeprefix("a ") for name, there in parts.items() if not there]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
