"""Suppressions in `.archgen-audit.yaml` at the top: for what has no comments, or has many places."""

from __future__ import annotations

from pathlib import Path

import yaml

from archgen.errors import ArchgenError, Problem
from archgen.evidence.config.located import Node, TooMuchError, load_all
from archgen.rules.marks import Suppression
from archgen.triage.terms import Terms

NAME = ".archgen-audit.yaml"
_KEYS = ("rule", "path", "reason", "until")
_LARGEST = 1_000_000


def read(root: Path, terms: Terms) -> list[Suppression]:
    """The suppressions of the project's file; none where there is no file.

    Raises ArchgenError with every problem of the file, each with its line and key.
    """
    path = root / NAME
    try:
        if not path.is_file():
            if path.exists() or path.is_symlink():
                raise ArchgenError(Problem("this is not a file", file=str(path)))
            return []
        if path.stat().st_size > _LARGEST:
            raise ArchgenError(Problem("the file is too large for suppressions", file=str(path)))
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ArchgenError(Problem("the file is not UTF-8", file=str(path))) from error
    except OSError as error:
        raise ArchgenError(Problem(f"cannot be read: {error.strerror}", file=str(path))) from error
    return _Reader(str(path), terms).read(text)


class _Reader:
    """Reads on after a problem, so that all are told at once."""

    def __init__(self, file: str, terms: Terms) -> None:
        self._file, self._terms = file, terms
        self._problems: list[Problem] = []

    def read(self, text: str) -> list[Suppression]:
        found = [one for entry in self._entries(text) if (one := self._entry(*entry)) is not None]
        if self._problems:
            raise ArchgenError(*self._problems)
        return found

    def _wrong(self, message: str, line: int, key: str = "", remedy: str = "") -> None:
        self._problems.append(Problem(message, self._file, line, key=key, remedy=remedy))

    def _entries(self, text: str) -> list[tuple[int, Node]]:
        try:
            documents = load_all(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._wrong(f"not YAML: {error.problem or error}", mark.line + 1 if mark else 0)
            return []
        except (yaml.YAMLError, RecursionError, TooMuchError, ValueError) as error:
            self._wrong(f"not YAML: {' '.join(str(error).split())[:200]}", 0)
            return []
        if not documents:
            return []
        top = documents[0]
        if len(documents) > 1:
            self._wrong("one document is expected, and there are more", documents[1].line)
        if not isinstance(top.value, dict):
            self._wrong("a mapping is expected", top.line, remedy="start with `suppressions:` and a list")
            return []
        for key, node in top.items():
            if key != "suppressions":
                self._wrong("unknown key", node.line, key, "the only one is suppressions")
        listed = top.get("suppressions")
        if listed is None or listed.value == "":
            return []
        if not isinstance(listed.value, list):
            self._wrong("a list is expected", listed.line, "suppressions")
            return []
        return list(enumerate(listed.value))

    def _entry(self, number: int, node: Node) -> Suppression | None:
        where = f"suppressions[{number}]"
        if not isinstance(node.value, dict):
            self._wrong("rule, reason and until are expected", node.line, where)
            return None
        before = len(self._problems)
        for key, child in node.items():
            if key not in _KEYS:
                self._wrong("unknown key", child.line, f"{where}.{key}", f"use {', '.join(_KEYS)}")
            elif not isinstance(child.value, str):
                self._wrong("a text is expected", child.line, f"{where}.{key}")
        for key in ("rule", "reason", "until"):
            given = node.get(key)
            if given is None or (isinstance(given.value, str) and not given.value.strip()):
                example = f"until: {self._terms.example()}" if key == "until" else ""
                self._wrong(f"{key} is missing", node.line, where, example)
        if len(self._problems) > before:
            return None
        rule, reason = node.text("rule").strip(), " ".join(node.text("reason").split())
        if wrong := self._terms.unknown(rule, items=True):
            self._wrong(wrong, node.place("rule"), f"{where}.rule", "`archgen checklist list` shows all")
        day, problem = self._terms.day(node.text("until").strip())
        if problem:
            self._wrong(problem, node.place("until"), f"{where}.until")
        path = node.text("path").strip()
        if wrong := _bad_glob(path):
            self._wrong(wrong, node.place("path"), f"{where}.path")
        if len(self._problems) > before:
            return None
        return Suppression(rule, reason, day, NAME, node.line, path=path)


def _bad_glob(path: str) -> str:
    from archgen.triage.paths import matcher

    try:
        matcher(path)
    except ValueError as error:
        return str(error)
    return ""
