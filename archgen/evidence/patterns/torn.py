"""Two changes of one store that belong together, each of which is kept for itself.

Where a store commits every statement by itself (a repository of Spring's without a transaction around it,
Django, Prisma, TypeORM, gorm), a crash or an error between two of them leaves the first one alone. What opens
a transaction further out, in a caller, counts; what hands a session around leaves it to whoever made it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Effect, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import fact, registered
from archgen.evidence.patterns.past import carried, past
from archgen.evidence.patterns.transactions import runners_of, tx_block

_ADDS = re.compile(r"(insert|save|add|create|bulk_?create|persist)(Many|_many|_all|All)?$", re.IGNORECASE)
_TAKES = re.compile(r"(delete|remove|soft_?(delete|remove))\w*$", re.IGNORECASE)
_CHANGES = re.compile(
    rf"({_ADDS.pattern}|{_TAKES.pattern}|(update(?!_?or)|insert|save)\w*|(create|add|replace)(?-i:[A-Z])\w*|increment|decrement)$",
    re.IGNORECASE,
)
# What is done once, or is done again as a whole until it is right.
_REPEATED = re.compile(
    r"migrat|seed|fixture|setup|(^|/)init(_\w*)?\.\w+ |\binit_?(data|default|defined|built)|sync|expunge|"
    r"archiv|retention|import|install|bootstrap|demo|restore|clean|purge|(^|/)(scripts?|management)/",
    re.IGNORECASE,
)
# What is handed around and may hold a transaction.
_HANDED = re.compile(
    r"\b(\w*[tT]rx|\w*[tT]x|\w*[sS]ession|transaction|EntityManager|manager|uow|UnitOfWork|\w*[cC]onn|Connection|cursor|"
    r"RequestContext|QueryRunner|queryRunner|PoolClient|gorm\.DB|DBTX|Querier|Execer)\b"
)
# A transaction of Go that the context takes along.
_HIDES = re.compile(
    r"WithValue\([^()]*([tT]x|[tT]rans|[dD][bB]|[sS]ess)|\.Value\([^()]*([tT]x|[tT]rans|[dD][bB])|"
    r"[tT](x|ransaction)\w*\([^()]*func\(\w+ context\.Context\)|(FromContext|FromCtx)\("
)
_CARRIED = re.compile(r"\b(ctx|tx|trx|session|manager|transaction|queryRunner)\b")
# Keeps nothing that has to agree with anything else.
_SIDE = re.compile(
    r"cache|session|token|log|audit|history|metric|statistic|file|blob|vector|bucket|jobstore|notif|email|visit|version|"
    r"^(views?|k)$",
    re.IGNORECASE,
)
_ENSURES = re.compile(r"_?ensure")  # done again at every start, until it is there
_A_CONNECTION = re.compile(r"conn(ection)?$|client$", re.IGNORECASE)
_WHOLE = re.compile(r"ATOMIC_REQUESTS")
_MAKES = ("constructor", "__init__")  # an object that changes something later
_DEPTH = 3
_NEAR = 4  # calls within which a helper opens a transaction for whoever calls it
_DJANGO = re.compile(r"django\b")


def torn(program: Program) -> Iterator[Fact]:
    """`writes.torn`: `first` and `second` are what is changed, `at` is the line of the first change; `past`
    says that the second goes past the transaction around both.
    """
    runners = runners_of(program)
    atomic = any(_WHOLE.search(text.value) for module in program.modules.values() for text in module.texts)
    unseen = carried(program)
    ways = _ways(program)
    for module, function in program.functions():
        if module.language == "typescript" and (found := past(function, unseen)):
            said = {
                "function": function.title or "the module",
                "at": found.at,
                "first": found.first,
                "second": found.second,
                "past": True,
            }
            yield fact("writes.torn", module, found.line, **said)
            continue
        if not function.name or function.name in _MAKES or _REPEATED.search(f"{module.path} {function.name}"):
            continue
        if module.language == "python" and atomic:
            continue
        given = {name for name in function.params if _A_CONNECTION.search(name)}
        changes = [
            e for e in function.reach
            if _alone(e, module, runners) and given.isdisjoint(re.findall(r"\w+", " ".join(e.call.args)))
        ]  # fmt: skip
        if early := _before(function, changes):
            yield _torn(module, function, *early)
            continue
        pair = _pair(function, changes) if len(changes) > 1 else None
        if pair and not _in_transaction(program, function, _DEPTH, ways):
            yield _torn(module, function, *pair)


def _torn(module: Module, function: Function, first: Effect, second: Effect) -> Fact:
    said = {"function": function.title or "the module", "at": first.call.line}
    said |= {"first": _said(first), "second": _said(second)}
    return fact("writes.torn", module, second.call.line, **said)


def _before(function: Function, changes: list[Effect]) -> tuple[Effect, Effect] | None:
    """A change that is kept before a transaction is begun for those that follow."""
    begin = next(
        (
            e.call
            for e in function.effects
            if e.kind == "tx" and e.call.name in ("Begin", "BeginTx", "Beginx")
        ),
        None,
    )
    if begin is None or any(begin.within("branch", "closure", "loop")):
        return None
    first = next((e for e in changes if e.call.line < begin.line and not any(e.call.inside)), None)
    later = (e for e in function.effects if e.kind == "db.write" and e.call.line > begin.line)
    second = next((e for e in later if first and e.table and e.table != first.table), None)
    return (first, second) if first and second else None


def _said(effect: Effect) -> str:
    table = re.sub(r"(repository|repo|dao|mapper)$", "", effect.table)
    if effect.via:
        return f"{table} ({effect.call.shown(40)})" if table.isidentifier() else effect.call.shown(40)
    return table or "a row"


def _alone(effect: Effect, module: Module, runners: set[str]) -> bool:
    """Whether it is a change of a named table that is kept as soon as it is made."""
    call = effect.call
    return (
        effect.kind == "db.write"
        and bool(effect.table)
        and not effect.late
        and len(effect.via) < 2
        # what a session of SQLAlchemy is told further in waits for its commit
        and not (effect.via and module.language == "python" and not module.uses(_DJANGO))
        and _CHANGES.match(effect.target) is not None
        and not _SIDE.search(effect.table)
        and not _ENSURES.match(call.name)
        and not _SIDE.search(call.receiver)
        and not any(call.within("catch", "spawn", "finally"))
        and not any(b.header.endswith(".catch") for b in call.within("closure"))
        and tx_block(call, runners) is None
        and "skipDuplicates" not in call.text()
        and not (module.language != "go" and _CARRIED.search(f"{call.callee} {' '.join(call.args)}"))
    )


def _pair(function: Function, changes: list[Effect]) -> tuple[Effect, Effect] | None:
    """The first two changes that a run makes one after the other, of two tables, or a row made anew."""
    for index, first in enumerate(changes):
        for second in changes[index + 1 :]:
            if second.call is first.call or (first.via and first.call.callee == second.call.callee):
                continue  # the same is done again
            if first.table == second.table and not (
                _TAKES.match(first.target)
                and _ADDS.match(second.target)
                and bool(first.via) == bool(second.via)
            ):
                continue
            if _follows(function, first.call, second.call):
                return first, second
    return None


_LEAVES = re.compile(r"\b(return|raise|throw|continue|break|panic)\b")


def _follows(function: Function, first: Call, second: Call) -> bool:
    """Whether who has passed `first` gets to `second`, in the same turn of every loop."""
    if registered(first) ^ registered(second):
        return False  # each in a handler of its own, which one function registers
    if {id(b) for b in first.within("loop")} - {id(b) for b in second.within("loop")}:
        return False
    around = {id(b) for b in second.within("branch")}
    left = [b for b in first.within("branch") if id(b) not in around]
    if not left:
        return True
    if around - {id(b) for b in first.within("branch")}:
        return False  # the two may be ways of one choice
    lines = function.body.split("\n")
    rest = lines[first.line - function.line : max(b.end for b in left) - function.line + 1]
    return not _LEAVES.search("\n".join(_beside(rest)))


def _beside(lines: list[str]) -> list[str]:
    """Those of `lines` that stand no deeper than the first: what leaves further in has another reason."""
    deep = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    return [line for line in lines if len(line) - len(line.lstrip()) <= deep]


# What opens a transaction for whoever calls it; one that is opened and ended further in covers nothing here.
_OPENS = re.compile(
    r"tx|trans|begin|atomic|session|unit|uow|commit|connect|lock|^(with|run|use|do|execute|call|wrap)(?-i:(?![a-z]))",
    re.IGNORECASE,
)


class _Ways(NamedTuple):
    """How transactions get to who is called: `hidden` in a context of Go's, by the types of `handles`."""

    hidden: bool
    handles: frozenset[str]


def _ways(program: Program) -> _Ways:
    hidden, handles = False, set()
    for module, function in program.functions():
        hidden = hidden or (module.language == "go" and _HIDES.search(function.body) is not None)
        if module.language == "java" and _A_CALLBACK.match(function.name):
            handles |= set(function.params.values())
    return _Ways(hidden, frozenset(handles))


# What a transaction of Java's runs, by the name that its interface gives it.
_A_CALLBACK = re.compile(r"(do)?[iI]nTransaction(WithoutResult)?$")


def _in_transaction(program: Program, function: Function, depth: int, ways: _Ways) -> bool:
    """Whether the function, or one that leads to it, may run in a transaction; `hidden`: by its context."""
    module = program.modules[function.file]
    own = [mark for one in module.classes if one.name == function.owner for mark in one.marks]
    if any(words.TX_MARK.search(mark) for mark in (*function.marks, *own)):
        return True
    if module.language == "java" and _A_CALLBACK.match(function.name):
        return True
    if any(
        e.kind in ("tx", "commit") and (not e.via or (len(e.via) < _NEAR and _OPENS.search(e.call.name)))
        for e in function.reach
    ):
        return True
    if any(
        _HANDED.search(f"{name} {type_}") or type_ in ways.handles
        for name, type_ in function.params.items()
        if ways.hidden or type_ != "context.Context"
    ):
        return True
    return depth > 0 and any(
        _in_transaction(program, caller, depth - 1, ways)
        for caller in function.callers
        if caller is not function and not _tests(program, caller)
    )


def _tests(program: Program, function: Function) -> bool:
    return not program.modules[function.file].production
