"""What keeps a saga going: deadlines that are set, looked for and acted on; a log that is written; what a
participant knows when it is told to undo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Class, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import called, calls, fact, mentioned

_ABOUT = re.compile(r"saga|workflow|process_?manager|choreograph", re.IGNORECASE)
_DUE = re.compile(r"deadline|timeout|time_?out|expires|overdue", re.IGNORECASE)
_WHEN = re.compile(r"^(deadline|expires_at|due_at|timeout_at|times_out_at)$")
_NOTHING = re.compile(r"^(None|null|nil|undefined)$")
_COMPARES = re.compile(
    r"(deadline|expires_at|due_at|timeout_at)\b\s*(<|>)|(<|>)=?\s*[\w.]*(deadline|expires_at|due_at|timeout_at)\b"
)
_TABLE = re.compile(r"(\w+\.)?(sagas?(_\w+)?|workflow_instances)", re.IGNORECASE)
_WRITES = {"save", "store", "persist", "update", "flush", "put"}
_UNDOES = re.compile(r"undo|compensat|rollback|revert", re.IGNORECASE)
_KNOWS = re.compile(r"^(state|status|outcome|known|seen|before|was)$")


def saga_life(program: Program) -> Iterator[Fact]:
    """`saga.timeout`, `saga.no_deadline`, `saga.log`, `saga.forgets`, `saga.blind`."""
    about = [(m, f) for m, f in program.functions() if f.name and _ABOUT.search(m.path + f.owner + f.name)]
    yield from _timeouts(program, about)
    yield from _logs(program)
    for module, function in program.functions():
        if not _UNDOES.search(function.name) or not function.calls:
            continue
        inner = function.body.partition(":\n" if module.language == "python" else "{")[2]
        for name in function.params:
            if _KNOWS.match(name) and not re.search(rf"\b{name}\b", inner):
                yield fact("saga.blind", module, function.line, function=function.title, param=name)


def _timeouts(program: Program, about: list[tuple[Module, Function]]) -> Iterator[Fact]:
    given = [
        value
        for _, function in about
        for call in function.calls
        for key, value in call.keywords.items()
        # one that is only copied was set elsewhere
        if _WHEN.match(key) and not re.search(rf"\b{key}\b", value)
    ]
    if given and all(map(_NOTHING.match, given)):
        module, function = about[0]
        yield fact("saga.no_deadline", module, function.line, why="the deadline of a step is never set")
    finders = [(m, f) for m, f in about if _COMPARES.search(f.body)]
    used = [(m, f) for m, f in finders if _alive(program, f)]
    if finders and not used:
        module, function = finders[0]
        yield fact("saga.no_deadline", module, function.line, why=f"nobody calls {function.title}")
    for module, function in about:
        late = re.search(r"timeout|timed_?out|overdue|expire", function.name, re.IGNORECASE)
        empty = re.search(r"^\s*return\b|^\s*pass\b|\{\s*\}", function.body, re.MULTILINE)
        if late and empty and not function.calls and called(program, function):
            why = f"{function.title} does nothing"
            yield fact("saga.no_deadline", module, function.line, why=why)
    for module, function in about:
        if _DUE.search(function.body):
            yield fact("saga.timeout", module, function.line, function=function.title)


def _alive(program: Program, function: Function, depth: int = 6) -> bool:
    """Whether something that is in use leads to the function."""
    seen, now = {id(function)}, [function]
    for _ in range(depth):
        above = []
        for one in now:
            users = [
                c for c in one.callers if program.modules[c.file].live and not program.modules[c.file].test
            ]
            if not users and (
                not one.name or one.marks or one.name == "main" or mentioned(program, one.name, one)
            ):
                return True
            above += [user for user in users if id(user) not in seen]
        seen |= {id(one) for one in above}
        now = above
        if not now:
            return False
    return True


def _logs(program: Program) -> Iterator[Fact]:
    """Where the state of sagas is written, by statement or by a class that holds the rows of a table."""
    for module, function in program.functions():
        for effect in function.effects:
            if effect.kind != "db.write" or effect.target == "delete" or effect.table.endswith("_steps"):
                continue
            if re.search(r"saga|workflow|process_instance", effect.table, re.IGNORECASE):
                yield fact("saga.log", module, effect.call.line, what=effect.table)
    for module, one in program.classes():
        own = {f.name: f for f in module.functions if f.owner == one.name}
        table = next((a for f in own.values() for c in f.calls for a in c.args if _TABLE.fullmatch(a)), "")
        writers = [own[name] for name in _WRITES & set(own)]
        if not table:
            continue
        saves = [f for f in writers if f.name != "flush"]
        if saves and not any(_used(program, one, f) for f in saves):
            yield fact("saga.forgets", module, one.line, name=one.name, table=table)
        elif writers and not table.endswith("_steps"):
            yield fact("saga.log", module, one.line, what=one.name)


def _used(program: Program, owner: Class, function: Function) -> bool:
    """Whether the method is called, on something that may be of the class: `session.steps.save(...)`."""
    if called(program, function):
        return True
    homes = {
        match[1]
        for m, f in program.functions()
        for match in re.finditer(rf"(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?{owner.name}\(", f.body)
    }
    return any(
        call.name == function.name and call.receiver in homes
        for _, f, call in calls(program)
        if f.owner != owner.name
    )
