"""Rows that save themselves (Active Record): of Django, PynamoDB, peewee, Tortoise, MongoEngine, Beanie.

Source of the name: M. Fowler, Patterns of Enterprise Application Architecture, "Active Record".
"""

from __future__ import annotations

import re

from archgen.evidence.code.links import Links
from archgen.evidence.code.model import Call, Effect, Function, Module, Program

_LIBRARY = re.compile(r"(django\.db|django\.contrib\.gis\.db|pynamodb|peewee|tortoise|mongoengine|beanie)\b")
_BASE = re.compile(r"(^|\.)(Model|Document|DynamicDocument)$")
_KEEPS = re.compile(r"a?(save|delete)$")
_MADE = re.compile(r"(?:[a-z_]\w*\.)*([A-Z]\w*)\(.*\)\.\w+$", re.DOTALL)


def keep(links: Links) -> None:
    """Adds the effect `db.write` to what tells a record to save or to delete itself."""
    models = _models(links.program)
    if not models:
        return
    for module, function in links.program.functions():
        if module.language != "python":
            continue
        known = {id(e.call) for e in function.effects}
        added = [
            Effect("db.write", call, table=model.lower(), target=call.name.removeprefix("a"))
            for call in function.calls
            if _KEEPS.match(call.name)
            and id(call) not in known
            and (model := _model(call, module, function, links, models))
        ]
        if added:
            function.effects[:] = sorted([*function.effects, *added], key=lambda e: e.call.line)


def _models(program: Program) -> set[str]:
    """The names of all classes that come from a model of a library's."""
    heirs: dict[str, set[str]] = {}
    found: set[str] = set()
    for module, one in program.classes():
        if module.language != "python":
            continue
        for base in one.bases:
            heirs.setdefault(base.rpartition(".")[2], set()).add(one.name)
            if _BASE.search(base) and module.uses(_LIBRARY):
                found.add(one.name)
    waiting = list(found)
    while waiting:
        new = heirs.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _model(call: Call, module: Module, function: Function, links: Links, models: set[str]) -> str:
    """Which of the models the record is of, "" where it is of none."""
    if call.receiver in ("self", "cls"):
        named = [function.owner]
    elif made := _MADE.match(call.callee):
        named = [made[1]]
    else:  # `Order`, or what it came from: `Order.get`, `Order.objects.get`
        named = links.type_of(call, module, function).split(".")
    return next((name for name in named if name in models), "")
