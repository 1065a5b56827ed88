"""Package manifests: what a folder is built as, the commands that it installs, and how Node starts it."""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_NAMES = {"package.json", "pyproject.toml", "setup.cfg", "setup.py"}
_SCRIPT = re.compile(r"""^\s*["']?([\w.-]+)\s*=\s*([\w.]+):([\w.]+)""", re.MULTILINE)
_TSCONFIG = re.compile(r"^tsconfig([.-][\w-]+)?\.json$|^jsconfig\.json$")
_PATH = re.compile(r'"([\w@~#$./-]+?)(/\*)?"\s*:\s*\[\s*"([^"]+?)(/\*)?"')
_BASE = re.compile(r'"baseUrl"\s*:\s*"([^"]+)"')
_COMMAND = re.compile(r'^\s*"bin"\s*:', re.MULTILINE)
_DESKTOP = re.compile(r'^\s*"electron"\s*:', re.MULTILINE)  # runs where its user sits
_PRIVATE = re.compile(r'^\s*"private"\s*:\s*"?true', re.MULTILINE)
_STARTS = {"start", "start:prod", "start:production", "serve", "worker", "start:worker", "prod"}


def wants(source: Source) -> bool:
    return source.name in _NAMES


def collect(source: Source, strength: Strength) -> Iterator[Fact]:
    """`package` per manifest, `script` per command that it installs, `process` per start script of Node."""
    yield Fact("package", source.path, 1, strength, {"folder": source.folder, "command": _is_tool(source)})
    if source.name == "package.json":
        yield from _node(source, strength)
    elif source.name == "pyproject.toml":
        yield from _pyproject(source, strength)
    elif "console_scripts" in source.text:
        start = source.text.index("console_scripts")
        text = source.text[start:].split("\n\n")[0].split("]")[0]
        for match in _SCRIPT.finditer(text):
            line = source.text.count("\n", 0, start + match.start(1)) + 1
            yield _script(source, line, match[1], match[2], match[3], strength)


def _is_tool(source: Source) -> bool:
    """Whether a package of Node installs a command for whoever wants it, or runs on its user's desktop."""
    if source.name != "package.json":
        return False
    command = _COMMAND.search(source.text) is not None and _PRIVATE.search(source.text) is None
    return command or _DESKTOP.search(source.text) is not None


def aliases(source: Source) -> dict[str, str]:
    """Names by which scripts import: paths of tsconfig (which may hold comments, so it is no JSON), and the
    package of a workspace.
    """
    if source.name == "package.json" and source.folder:
        match = re.search(r'^\s*"name"\s*:\s*"([^"]+)"', source.text, re.MULTILINE)
        return {match[1]: source.folder} if match else {}
    if not _TSCONFIG.match(source.name) or '"paths"' not in source.text:
        return {}
    base = _BASE.search(source.text)
    root = posixpath.join(source.folder, base[1] if base else ".")
    found = {}
    for match in _PATH.finditer(source.text[source.text.index('"paths"') :]):
        place = posixpath.normpath(posixpath.join(root, re.sub(r"/index(\.d)?\.tsx?$|\.tsx?$", "", match[3])))
        found[match[1]] = place.removeprefix("./")
    return found


def base_of(source: Source) -> str | None:
    """The folder from which scripts import without a dot, as a tsconfig says; None where none is said."""
    if not _TSCONFIG.match(source.name) or not (base := _BASE.search(source.text)):
        return None
    return posixpath.normpath(posixpath.join(source.folder, base[1])).removeprefix(".").strip("/")


def _pyproject(source: Source, strength: Strength) -> Iterator[Fact]:
    try:
        data = tomllib.loads(source.text)
    except (ValueError, RecursionError):
        return
    tables = (
        _at(data, "project", "scripts"),
        _at(data, "project", "entry-points", "console_scripts"),
        _at(data, "tool", "poetry", "scripts"),
    )
    for name, target in ((n, t) for table in tables for n, t in table.items()):
        module, _, function = str(target).partition(":")
        match = re.search(rf"""^\s*["']?{re.escape(name)}["']?\s*=""", source.text, re.MULTILINE)
        line = source.text.count("\n", 0, match.start()) + 1 if match else 1
        yield _script(source, line, name, module, function, strength)


def _at(data: dict[str, Any], *path: str) -> dict[str, Any]:
    value: Any = data
    for key in path:
        value = value.get(key, {}) if isinstance(value, dict) else {}
    return value if isinstance(value, dict) else {}


def _script(source: Source, line: int, name: str, module: str, function: str, strength: Strength) -> Fact:
    data = {"name": name, "module": module, "function": function, "folder": source.folder}
    return Fact("script", source.path, line, strength, data)


def _node(source: Source, strength: Strength) -> Iterator[Fact]:
    try:
        data = json.loads(source.text)
    except (ValueError, RecursionError):
        return
    for name, command in _at(data, "scripts").items() if isinstance(data, dict) else ():
        if name in _STARTS and isinstance(command, str):
            at = max(source.text.find(f'"{name}"'), 0)
            line = source.text.count("\n", 0, at) + 1
            yield Fact("process", source.path, line, strength, {"name": name, "command": command})
