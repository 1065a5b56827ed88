"""What is wrong with a system, by the path of the key; the document adds the line."""

from __future__ import annotations

from dataclasses import dataclass

from archgen.spec.document import Path


@dataclass(frozen=True)
class Issue:
    """One thing wrong at `path` of the description; with `key`, with the key itself and not its value.

    `about` is the path of what it depends on, where that is elsewhere: as long as something there
    is broken, the issue may be only a consequence.
    """

    path: Path
    message: str
    remedy: str = ""
    code: str = "reference"
    key: bool = False
    about: Path = ()
