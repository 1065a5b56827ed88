"""A YAML file → System, or every problem of the file at once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from archgen.errors import Problem, SpecError, relative
from archgen.spec import shape, yaml12
from archgen.spec.document import Document
from archgen.spec.model import System
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
    try:
        system = shape.validate(document.plain())
    except ValidationError as error:
        found += [problem for _, problem in shape.problems(error, document)]
    if found:
        raise SpecError(*sorted(found, key=_place))
    return Loaded(system, document)


def _place(problem: Problem) -> tuple[int, int, str]:
    return problem.line, problem.column, problem.message
