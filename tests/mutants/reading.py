"""Reading a project once for all of its mutants.

Most of an audit's time goes into parsing, and a mutant differs from its project in a file or two. What
was parsed before is handed out again; the caller must not hand out the same twice in one process, since
an audit writes into it: `run` forks a process for each mutant, after the project was read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from archgen.evidence import collect, reading
from archgen.evidence.config.located import TooMuchError, load_all
from archgen.evidence.facts import Note
from archgen.evidence.reading import Read, read_one
from archgen.evidence.tree import Source, walk

_code: dict[Source, Read] = {}
_documents: dict[str, Any] = {}
_PARTS = ((reading, "read_one"), (collect, "load_all"))


def _read(source: Source) -> Read:
    return _code[source] if source in _code else read_one(source)


def _load(text: str) -> Any:
    return _documents[text] if text in _documents else load_all(text)


def remember(root: Path) -> None:
    """Read the project in `root`, so that audits of its copies read only what differs."""
    notes: list[Note] = []
    for source in walk(root, notes):
        if source.suffix == ".py":
            _code[source] = read_one(source)
        elif source.suffix in (".yml", ".yaml"):
            try:
                _documents[source.text] = load_all(source.text)
            except (yaml.YAMLError, RecursionError, TooMuchError, ValueError):
                continue  # the audit itself says what it can't read
    for (place, name), stand_in in zip(_PARTS, (_read, _load), strict=True):
        assert hasattr(place, name), f"the audit no longer reads by {name}; mend tests/mutants/reading.py"
        setattr(place, name, stand_in)


def forget() -> None:
    """Let the audit read by itself again."""
    _code.clear()
    _documents.clear()
    for (place, name), own in zip(_PARTS, (read_one, load_all), strict=True):
        setattr(place, name, own)
