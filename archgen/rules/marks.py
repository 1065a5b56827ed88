"""What a finding may carry: the mark that it is known by, and the suppression that hides it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import Enum


class State(Enum):
    ACTIVE = "active"  # it hides a finding
    UNUSED = "unused"  # there is nothing for it to hide
    EXPIRED = "expired"  # its day has passed: it hides nothing
    INVALID = "invalid"  # it cannot be read, or lacks what is demanded: it hides nothing


@dataclass(frozen=True, slots=True)
class Suppression:
    """One rule, or one item, that a team lives with until a day, and why.

    `file` and `line` are where it is written. It covers the files that `path` (as in a .gitignore)
    matches, all of them where it is "", or one `covered` line of its own file.
    """

    rule: str
    reason: str
    until: date | None
    file: str
    line: int
    path: str = ""
    covered: int = 0
    state: State = State.UNUSED
    problem: str = ""

    def told(self) -> str:
        """What became of it, as a sentence without a full stop."""
        if self.state is State.INVALID:
            return f"the suppression is not valid: {self.problem}"
        if self.state is State.EXPIRED:
            return f"the suppression of {self.rule} expired on {self.until}"
        if self.state is State.UNUSED:
            return f"the suppression of {self.rule} is not needed: nothing of it is found there"
        return f"{self.rule} is suppressed until {self.until}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Mark:
    """What is remembered of a finding. `number` counts from 0 among those that are alike in one file."""

    rule: str
    file: str
    owner: str
    text: str
    number: int = 0

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits."""
        parts = "\0".join((self.rule, self.file, self.text, str(self.number)))
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
