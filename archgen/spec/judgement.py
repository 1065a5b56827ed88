"""What a rule says about a path of the description; the document adds the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archgen.spec.document import Path

Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True)
class Judgement:
    """A finding before its line is known; with `key`, about the key at `path` and not its value.

    `steps` tells what has to happen for it to show, one line each; empty where nothing has to.
    """

    code: str
    severity: Severity
    message: str
    path: Path
    remedy: str = ""
    key: bool = False
    steps: tuple[str, ...] = ()
