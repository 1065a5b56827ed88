"""Reading a project once for all of its mutants.

Most of an audit's time goes into parsing, and a mutant differs from its project in a file or two. What
was parsed before is handed out again; the caller must not hand out the same twice in one process, since
an audit writes into it: `run` forks a process for each mutant, after the project was read.
"""

from __future__ import annotations

from typing import Any

from archgen.evidence import collect
from archgen.evidence.code.effects import find_effects
from archgen.evidence.code.parse import parse
from archgen.evidence.config.located import load_all
from archgen.evidence.facts import Note
from archgen.evidence.nature import Nature
from archgen.evidence.tree import walk

_known: dict[tuple[str, str, Nature], Any] = {}
_documents: dict[str, Any] = {}


def _parse(path: str, text: str, nature: Nature = Nature.PRODUCTION) -> Any:
    found = _known.get((path, text, nature))
    return parse(path, text, nature) if found is None else found


def _effects(module: Any) -> None:
    if not module.functions or not any(function.effects for function in module.functions):
        find_effects(module)


def _load_all(text: str) -> Any:
    return _documents[text] if text in _documents else load_all(text)


def remember(root: Any) -> None:
    """Read the project in `root`, so that audits of its copies read only what differs."""
    notes: list[Note] = []
    for source in walk(root, notes):
        if source.suffix == ".py":
            module = parse(source.path, source.text, source.nature)
            if module is not None:
                find_effects(module)
                _known[source.path, source.text, source.nature] = module
        elif source.suffix in (".yml", ".yaml"):
            try:
                _documents[source.text] = load_all(source.text)
            except Exception:
                continue
    for name, stand_in in (("parse", _parse), ("find_effects", _effects), ("load_all", _load_all)):
        assert hasattr(collect, name), f"the audit no longer reads by {name}; mend tests/mutants/reading.py"
        setattr(collect, name, stand_in)


def forget() -> None:
    """Let the audit read by itself again."""
    _known.clear()
    _documents.clear()
    for name, own in (("parse", parse), ("find_effects", find_effects), ("load_all", load_all)):
        setattr(collect, name, own)
