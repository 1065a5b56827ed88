"""Import blocks as isort and ruff want them, from the names a module uses."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from archgen.plan_types import Code

Import = tuple[str, str]
WIDTH = 110


def block(wanted: Iterable[Import], first_party: frozenset[str]) -> Code:
    """`wanted` holds (module, name) pairs; a name `""` imports the module itself.

    `first_party` are the packages of the generated project. The block ends without a line break.
    """
    sections: dict[int, dict[str, set[str]]] = {}
    for module, name in wanted:
        section = _section(module, first_party)
        sections.setdefault(section, {}).setdefault(module, set()).add(name)
    return Code("\n\n".join(_lines(sections[section]) for section in sorted(sections)))


def _section(module: str, first_party: frozenset[str]) -> int:
    root = module.partition(".")[0]
    if root == "__future__":
        return 0
    if root in sys.stdlib_module_names:
        return 1
    return 3 if root in first_party else 2


def _lines(modules: dict[str, set[str]]) -> str:
    plain = [f"import {module}" for module, names in sorted(modules.items()) if "" in names]
    named = [line for module, names in sorted(modules.items()) for line in _froms(module, names - {""})]
    return "\n".join(plain + named)


def _froms(module: str, names: set[str]) -> list[str]:
    """What is imported under another name gets a line of its own."""
    renamed = {name for name in names if " as " in name}
    lines = [_from(module, names - renamed)] if names - renamed else []
    return lines + [f"from {module} import {name}" for name in sorted(renamed)]


def _from(module: str, names: set[str]) -> str:
    ordered = sorted(names, key=_rank)
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in ordered) + ")"


def _rank(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as isort orders by type."""
    bare = name.partition(" ")[0]
    if bare.isupper() and len(bare) > 1:
        return 0, bare
    return (1 if bare[:1].isupper() else 2), bare
