"""What a rule says about a path of the description; the document adds the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archgen.spec.document import Path

Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True)
class Judgement:
    """A finding before its line is known; with `key`, about the key at `path` and not its value."""

    code: str
    severity: Severity
    message: str
    path: Path
    remedy: str = ""
    key: bool = False
