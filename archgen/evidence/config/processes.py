"""What starts the processes: Procfile, Dockerfile, compose commands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_PROC = re.compile(r"^([A-Za-z][\w-]*):\s*(.+)$")
_ONCE = {"release", "migrate", "console", "test"}


def wants(source: Source) -> bool:
    name = source.name
    return (
        name == "Procfile"
        or name.startswith("Procfile.")
        or name == "Dockerfile"
        or name.endswith(".Dockerfile")
    )


def collect(source: Source, strength: Strength) -> Iterator[Fact]:
    """`process` with its command as one line of shell."""
    if source.name.startswith("Procfile"):
        for number, line in enumerate(source.text.splitlines(), 1):
            match = _PROC.match(line)
            if match and match[1] not in _ONCE:
                yield Fact("process", source.path, number, strength, {"name": match[1], "command": match[2]})
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        match = re.match(r"\s*(?:CMD|ENTRYPOINT)\s+(.+)", line, re.IGNORECASE)
        if match:
            yield Fact("process", source.path, number, strength, {"name": "", "command": _plain(match[1])})


def _plain(text: str) -> str:
    """A command in exec form as one line."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return " ".join(str(word) for word in words) if isinstance(words, list) else text
