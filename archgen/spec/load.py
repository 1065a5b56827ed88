"""A YAML file → System, or every problem of the file at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from archgen.errors import Problem, SpecError, relative
from archgen.spec import shape, yaml12
from archgen.spec.analysis import bind_all
from archgen.spec.consistency import inconsistent
from archgen.spec.document import Document
from archgen.spec.document import Path as KeyPath
from archgen.spec.facts import collect
from archgen.spec.issue import Issue
from archgen.spec.model import System
from archgen.spec.references import unresolved
from archgen.spec.salvage import apart, consequence, salvage
from archgen.spec.text import read


class Loaded(NamedTuple):
    """A system, and the document it was read from, which knows the line of every key."""

    system: System
    document: Document


def load(path: Path) -> System:
    """The system that the file describes. Raises SpecError with all problems of the file."""
    return load_with_marks(path).system


def loads(source: str | bytes, name: str = "system.yaml") -> System:
    """The system that `source` describes; `name` stands for the file in messages. Raises SpecError."""
    return loads_with_marks(source, name).system


def load_with_marks(path: Path) -> Loaded:
    """As `load`, with the document for the lines of later findings."""
    return loads_with_marks(read(path), relative(path))


def loads_with_marks(source: str | bytes, name: str = "system.yaml") -> Loaded:
    """As `loads`, with the document for the lines of later findings."""
    document = yaml12.parse(source, name)
    found = list(document.problems)
    wrong: list[KeyPath] = []
    bound = not found
    system: System | None
    data = document.plain()
    try:
        system = shape.validate(data)
    except ValidationError as error:
        found += shape.problems(error, document)
        wrong = shape.wrong_paths(error, unknown=False)
        broken = shape.wrong_paths(error)
        bound = bound and all(map(apart, broken))
        system = salvage(data, broken)
    if system is not None:
        issues = [issue for issue in _issues(system, bound=bound) if not consequence(issue, wrong)]
        found += [_problem(issue, document) for issue in issues]
    if found or system is None:
        raise SpecError(*sorted(found, key=_place))
    return Loaded(system, document)


def _issues(system: System, *, bound: bool) -> Iterator[Issue]:
    facts = collect(system)
    yield from unresolved(system, facts)
    yield from inconsistent(system)
    if bound:
        # Of sagas whose names do not all resolve, what comes before the first that does not.
        yield from bind_all(system, facts)[1]


def _problem(issue: Issue, document: Document) -> Problem:
    return document.problem(issue.path, issue.message, remedy=issue.remedy, code=issue.code, key=issue.key)


def _place(problem: Problem) -> tuple[int, int, str]:
    return problem.line, problem.column, problem.message
