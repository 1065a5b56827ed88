"""Where blueprints are, what they say of themselves, and what one renders to.

A blueprint is a folder with a Copier template: a `copier.yml` and files ending in `.jinja`.
Copier is imported only when one is rendered.
"""

from __future__ import annotations

import difflib
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from archgen.errors import Problem, ProjectError
from archgen.files import File

_PACKAGE = Path(__file__).parent
_CONFIG = ("copier.yml", "copier.yaml")
# What tools leave in a folder that somebody works in; never part of a blueprint.
_LEFTOVERS = (
    "__pycache__",
    "*.py[co]",
    ".venv",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
)


def shelf() -> Path:
    """The folder with archgen's own blueprints: in the wheel beside the code, in a checkout above it."""
    packaged = _PACKAGE / "_blueprints"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "blueprints"


def available(folder: Path | None = None) -> dict[str, str]:
    """Name → one line about it, for every blueprint in `folder` (default: archgen's own)."""
    folder = folder or shelf()
    found = sorted(path for path in folder.iterdir() if _config(path)) if folder.is_dir() else []
    return {path.name: about(path) for path in found}


def find(name: str) -> Path:
    """The folder of a blueprint, given by its name or as a folder of the user's own."""
    own = Path(name)
    named = "/" not in name and "\\" not in name
    if named and _config(shelf() / name):
        return shelf() / name
    if _config(own):
        return own
    if own.is_dir():
        raise ProjectError(Problem(f"{name} is not a blueprint: it has no copier.yml"))
    close = difflib.get_close_matches(name, available(), 1)
    remedy = f"did you mean {close[0]}?" if close else "`archgen new` lists the blueprints"
    raise ProjectError(Problem(f"there is no blueprint {name!r}", remedy=remedy))


def about(blueprint: Path) -> str:
    """The blueprint's `_about`, "" where it has none."""
    return str(_read(blueprint).get("_about", "")).strip()


def questions(blueprint: Path) -> dict[str, Any]:
    """The questions of the blueprint: what its configuration has that is not a setting."""
    return {key: value for key, value in _read(blueprint).items() if not key.startswith("_")}


def _config(blueprint: Path) -> Path | None:
    return next((blueprint / name for name in _CONFIG if (blueprint / name).is_file()), None)


def _read(blueprint: Path) -> dict[str, Any]:
    path = _config(blueprint)
    try:
        # Only the keys of the first level are of interest; a team's `!include` must not stop us.
        found = yaml.load(path.read_text("utf-8"), _Lenient) if path else {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProjectError(Problem(str(error), file=str(path), remedy="mend the blueprint")) from error
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


class _Lenient(yaml.SafeLoader):
    pass


_Lenient.add_multi_constructor("!", lambda loader, suffix, node: {})


def render(blueprint: Path, answers: Mapping[str, str], *, ask: bool) -> tuple[File, ...]:
    """The files of the blueprint. With `ask`, questions without an answer are asked on the terminal.

    Raises ProjectError for an unknown or wrong answer, and for a blueprint that does not render
    or that wants to run code of its own.
    """
    _refuse_unknown(blueprint, answers)
    with tempfile.TemporaryDirectory(prefix="archgen-") as folder:
        _copy(blueprint, Path(folder) / "new", answers, ask)
        return tuple(_files(Path(folder) / "new"))


def _files(folder: Path) -> Iterator[File]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            contents = path.read_bytes()
            executable = contents.startswith(b"#!") or bool(path.stat().st_mode & 0o100)
            yield File(path.relative_to(folder).as_posix(), contents, executable)


def _refuse_unknown(blueprint: Path, answers: Mapping[str, str]) -> None:
    known = questions(blueprint)
    problems = []
    for key in answers:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            remedy = f"did you mean {close[0]}?" if close else f"it asks for: {', '.join(known) or 'nothing'}"
            problems.append(Problem(f"{blueprint.name} does not ask for {key!r}", remedy=remedy))
    if problems:
        raise ProjectError(*problems)


def _copy(blueprint: Path, folder: Path, answers: Mapping[str, str], ask: bool) -> None:
    import copier
    from copier.errors import CopierError
    from jinja2 import TemplateError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            copier.run_copy(
                str(blueprint),
                folder,
                dict(answers),
                # The user's own Copier settings must not change what comes out.
                settings=copier.Settings(),
                exclude=_LEFTOVERS,
                defaults=not ask,
                quiet=True,
                # Of a blueprint under version control, what lies there and not its latest tag.
                vcs_ref="HEAD" if (blueprint / ".git").exists() else None,
            )
    except (CopierError, TemplateError, ValueError, TypeError) as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        message = str(error).strip() or type(error).__name__
        raise ProjectError(Problem(f"the blueprint {blueprint.name} can't be used: {message}")) from error
