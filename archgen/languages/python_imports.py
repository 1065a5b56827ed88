"""Import blocks as isort and ruff want them, from the names a module uses."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

from archgen.plan_types import Code

Import = tuple[str, str]


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
    ordered = sorted(modules, key=_natural)
    plain = [f"import {module}" for module in ordered if "" in modules[module]]
    named = [line for module in ordered for line in _froms(module, modules[module] - {""})]
    return "\n".join(plain + named)


def _froms(module: str, names: set[str]) -> list[str]:
    """What is imported under another name gets a line of its own."""
    renamed = {name for name in names if " as " in name}
    lines = [_from(module, names - renamed)] if names - renamed else []
    return lines + [f"from {module} import {name}" for name in sorted(renamed, key=_rank)]


def _from(module: str, names: set[str]) -> str:
    return f"from {module} import {', '.join(sorted(names, key=_rank))}"


def _rank(name: str) -> tuple[object, ...]:
    """Constants, then classes, then the rest, as isort orders by type."""
    bare = name.partition(" ")[0]
    constant = bare.isupper() and len(bare) > 1
    return 0 if constant else 1 if bare[0].isupper() else 2, _natural(bare.lower()), _natural(bare), name


def _natural(name: str) -> list[tuple[int, str]]:
    """A key by which `order2` comes before `order10`."""
    parts = re.findall(r"(\d+)|(\D)", name)
    return [(int(digits or 0), other) for digits, other in parts]
