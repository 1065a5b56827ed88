"""Plan items → files as values. Reads templates and chassis files, never the target.

Templates deny by default: an expression may print a number, a plain word (letters, digits,
`_ . / -`), or text that went through a filter of `archgen.escape` or was composed by the plan
as `Code`. Anything else, undefined names included, stops the run. So nothing from the YAML
reaches code, shell, YAML or a Makefile unescaped because somebody forgot a filter.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.bccache import Bucket, FileSystemBytecodeCache

from archgen import escape
from archgen.errors import ArchgenError, Problem
from archgen.files import File, Kind, tree
from archgen.plan_types import Copy, Item, Template, Text

TEMPLATES = Path(__file__).parent / "templates"

# Left behind by tools that ran inside a folder of plain files; never part of it.
_LEFTOVERS = {
    "__pycache__", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".coverage",
    "node_modules", ".DS_Store", "dist", "build", "target",
}  # fmt: skip


# Compiled templates, beside the compiled modules of archgen and under the same conditions.
_COMPILED = Path(__file__).parent / "__pycache__"


class RenderError(ArchgenError):
    """A template is wrong: a bug of archgen or of a team's own template."""

    exit_code = 3


class _Environment(Environment):
    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        # Jinja's `~` would HTML-escape what is not safe and call the result safe.
        for concat in parsed.find_all(nodes.Concat):
            raise TemplateSyntaxError("use two expressions instead of `~`", concat.lineno, name, filename)
        return parsed


class _Compiled(FileSystemBytecodeCache):
    """Templates compiled by an earlier run: 0.01 s instead of 0.1 s for a system of six services.

    Jinja checks the source of the template; the file's name stands for the options above, which
    change what a source compiles to.
    """

    def __init__(self) -> None:
        options = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
        super().__init__(str(_COMPILED), f"template-{options}-%s.cache")

    def dump_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def environment(templates: Path) -> Environment:
    """The Jinja environment for a folder of templates; compiled templates stay in memory."""
    keep = templates == TEMPLATES and not sys.dont_write_bytecode and _COMPILED.is_dir()
    env = _Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        # `finalize` lets through only text that is safe and marks it; with autoescape on, macros and
        # blocks keep that mark. Nothing is ever HTML-escaped.
        autoescape=True,
        finalize=_finalize,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
        bytecode_cache=_Compiled() if keep else None,
    )
    env.filters.update({function.__name__: function for function in escape.FILTERS})
    return env


def _finalize(value: Any) -> Any:
    return value if isinstance(value, StrictUndefined) else escape.trusted(value)


_environment = cache(environment)


def render(items: Iterable[Item], templates: Path = TEMPLATES) -> tuple[File, ...]:
    """All files of a plan, sorted by path.

    Raises RenderError when a template is broken, and ProjectError when two items can't exist
    beside each other.
    """
    env = _environment(templates)
    return tree(File(item.path, _contents(item, env), item.executable, item.kind) for item in items)


def _contents(item: Item, env: Environment) -> bytes:
    match item:
        case Copy():
            return item.source.read_bytes()
        case Text():
            return item.contents.encode()
        case Template():
            return _rendered(item, env).encode()


def _rendered(item: Template, env: Environment) -> str:
    try:
        return env.get_template(item.template).render(item.context)
    except (TemplateError, ValueError, TypeError, LookupError, AttributeError) as error:
        line = getattr(error, "lineno", None) or _line(error, item.template)
        file = f"templates/{getattr(error, 'name', None) or item.template}"
        raise RenderError(Problem(f"{item.path}: {error}", file=file, line=line or 0)) from error


def _line(error: Exception, template: str) -> int | None:
    """The line of the template that raised; Jinja rewrites tracebacks to the template's own lines."""
    trace, line = error.__traceback__, None
    while trace:
        if trace.tb_frame.f_code.co_filename.replace("\\", "/").endswith(template):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def tree_items(folder: Path, under: str = "", kind: Kind = "yours") -> tuple[Copy, ...]:
    """Every file of `folder` as it is, to be put below `under`, sorted by path.

    Caches and virtual environments that tools left there are not part of it. A file that
    starts with `#!` is executable, which holds on every system and after every packaging.
    """
    prefix = f"{under}/" if under else ""
    return tuple(
        Copy(prefix + path.relative_to(folder).as_posix(), path, _is_script(path), kind)
        for path in sorted(_plain_files(folder))
    )


def _plain_files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _LEFTOVERS or path.name.endswith((".pyc", ".egg-info")):
            continue
        if path.is_dir():
            yield from _plain_files(path)
        else:
            yield path


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"#!"
