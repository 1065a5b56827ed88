"""`archgen new`: starts a system from a blueprint."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from archgen import blueprints, console
from archgen.base import FOLDER
from archgen.errors import Problem, ProjectError, relative
from archgen.project import write


def list_blueprints() -> int:
    """Prints what there is to start from."""
    found = blueprints.available()
    width = max(map(len, found), default=0)
    for name, about in found.items():
        console.out(f"{name:<{width}}  {about}".rstrip())
    console.say()
    console.say("Next: archgen new BLUEPRINT DIR")
    return 0


def new(blueprint: str, folder: Path | None, data: Sequence[str], defaults: bool) -> int:
    """Renders the blueprint into `folder` (default: one of the blueprint's name).

    What is not answered by `data` is asked on a terminal, unless `defaults`; elsewhere the
    defaults hold. Raises ProjectError, and then nothing was written.
    """
    source = blueprints.find(blueprint)
    target = folder or Path(source.resolve().name)
    _refuse_used(target)
    ask = not defaults and sys.stdin.isatty() and sys.stderr.isatty()
    files = blueprints.render(source, _answers(data), ask=ask)
    # They are the user's from the start: archgen never merges into them what the blueprint becomes.
    write(target, files, remember=False)
    _next(target, [file.path for file in files])
    return 0


def _refuse_used(target: Path) -> None:
    if (target / FOLDER).exists():
        raise ProjectError(
            Problem(
                f"{relative(target)} already holds a system",
                remedy="choose another folder, or run `archgen architect run` on the description in it",
            )
        )


def _answers(data: Sequence[str]) -> dict[str, str]:
    answers = {}
    for pair in data:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ProjectError(Problem(f"--data {pair!r} is not of the form key=value"))
        answers[key] = value
    return answers


def _next(target: Path, paths: Sequence[str]) -> None:
    place = relative(target)
    console.say(f"{len(paths)} files in {place}")
    specs = [path for path in paths if path == "system.yaml"] or [
        path for path in paths if path.endswith(".yaml")
    ]
    if specs:
        console.say()
        console.say(f"Next: archgen architect run {Path(place, specs[0])}")
