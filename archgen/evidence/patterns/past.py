"""Changes that stand in a transaction and are not made by it.

A transaction of Prisma's, knex's, Drizzle's or slonik's is what its closure is handed. What is asked of the
client itself, from within, takes another connection: it stays when the transaction is taken back.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Effect, Function, Program

_TAKES_NONE = re.compile(r"(?:async\s*)?\(\s*\)\s*=>")
_TAKES_ONE = re.compile(r"(?:async\s*)?\(?\s*(\w+)\s*(?::[^)=]*)?\)?\s*=>")
_PRISMA = re.compile(r"(?:this\.)?_?prisma\b")
# Where the transaction is carried along unseen, every change may be made by it.
_CARRIES = re.compile(
    r"(node:)?async_hooks|cls-hooked|nestjs-cls|@nestjs-cls|typeorm-transactional|@mikro-orm|sequelize"
)
_BOUND = re.compile(r"\b(?:const|let|var)\s+(\{[^}]*\}|\[[^\]]*\]|\w+)[^=\n]*=\s*([^;]*?)(?:;|\n)")
# What a change is called where nothing else tells of it.
_BY_NAME = re.compile(r"(insert|update|delete|upsert|save)[A-Z]\w*$")
# Of another store, or undone by another hand, or on its way to a queue.
_APART = re.compile(r"asset|file|blob|bucket|cache|index|log|audit|metric|queue|task|job", re.IGNORECASE)


class Past(NamedTuple):
    """Two changes by line and by what they change: the second is the one that goes past the transaction."""

    first: str
    at: int
    second: str
    line: int


def carried(program: Program) -> bool:
    """Whether transactions are carried along unseen in the project's scripts."""
    return any(m.uses(_CARRIES) for m in program.modules.values() if m.language == "typescript")


def past(function: Function, unseen: bool) -> Past | None:
    """The changes of a transaction in `function` of which one goes past it; `unseen` as `carried` says."""
    for call in function.calls:
        given = call.args[0] if call.args else ""
        if call.name == "$transaction" and _TAKES_NONE.match(given):
            if found := _of_prisma(function, call):
                return found
        elif not unseen and words.TX_NAME.match(call.name):
            handed = next(filter(None, map(_TAKES_ONE.match, call.args)), None)
            if handed and (found := _beside(function, call, handed[1])):
                return found
    return None


def _inside(call: Call, outer: Call) -> bool:
    return any(
        b.kind == "closure" and b.line == outer.line and b.header.endswith(outer.name) for b in call.inside
    )


def _of_prisma(function: Function, call: Call) -> Past | None:
    """Two changes by the client itself, in a transaction whose closure takes nothing."""
    inside = [
        e for e in function.effects
        if e.kind == "db.write" and e.table and _PRISMA.match(e.call.callee) and _inside(e.call, call)
    ]  # fmt: skip
    return _told(inside[0], inside[1].call, inside[1].table) if len(inside) > 1 else None


def _told(first: Effect, second: Call, table: str) -> Past:
    return Past(_said(first), first.call.line, table or second.shown(40), second.line)


def _said(effect: Effect) -> str:
    return effect.call.shown(40) if effect.via or not effect.table.isidentifier() else effect.table


def _beside(function: Function, call: Call, handed: str) -> Past | None:
    """A change by the transaction that the closure is handed, and one that knows nothing of it."""
    inside = [c for c in function.calls if _inside(c, call)]
    block = next((b for c in inside for b in c.inside if b.kind == "closure" and b.line == call.line), None)
    if block is None:
        return None
    lines = function.body.split("\n")
    text = "\n".join(lines[block.line - function.line : block.end - function.line + 1])
    own = _own(text, handed)
    changes = {id(e.call): e for e in function.reach if e.kind == "db.write" and not e.late}
    by_it = [changes[id(c)] for c in inside if id(c) in changes and _names(c) & own]
    for one in inside if by_it else ():
        known = changes.get(id(one))
        named = "." not in one.callee and one.awaited and _BY_NAME.match(one.callee)
        if not (known or named) or _names(one) & own or _made_within(one, text):
            continue
        if not _APART.search(f"{one.callee} {known.table if known else ''}"):
            table = known.table if known and known.table.isidentifier() and not known.via else ""
            return _told(by_it[0], one, table)
    return None


def _own(text: str, handed: str) -> set[str]:
    """The names within a closure that come from what it is handed."""
    own, before = {handed}, 0
    while len(own) > before:
        before = len(own)
        for names, value in _BOUND.findall(text):
            if not own.isdisjoint(re.findall(r"\w+", value)):
                own |= set(re.findall(r"\w+", names))
    return own


def _names(call: Call) -> set[str]:
    return set(re.findall(r"\w+", f"{call.callee} {call.text()}"))


def _made_within(call: Call, text: str) -> bool:
    """Whether it calls a function that is written in the closure itself, and may use what that is handed."""
    head = re.escape(call.callee.partition(".")[0])
    return "." not in call.callee and re.search(rf"\b(const|let|function)\s+{head}\b", text) is not None
