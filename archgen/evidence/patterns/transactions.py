"""Calls of peers and messages that leave before the transaction around them has ended."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Block, Call, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import fact


def transactions(program: Program) -> Iterator[Fact]:
    """`remote_in_tx`, `publish_in_tx`."""
    runners = runners_of(program)
    for module, function in program.functions():
        yield from _in_transactions(module, function, runners)


def runners_of(program: Program) -> set[str]:
    """Functions that run a function they are given inside a transaction."""
    found = set()
    for _, function in program.functions():
        if not any(e.kind in ("tx", "commit") for e in function.reach):
            continue
        if any(call.callee in function.params and tx_block(call, set()) for call in function.calls):
            found.add(function.name)
    return found


def tx_block(call: Call, runners: set[str]) -> Block | None:
    for block in call.inside:
        if block.kind == "with" and words.TX_WITH.search(block.header):
            return block
        if block.kind == "closure":
            name = block.header.rpartition(".")[2]
            if words.TX_NAME.match(name) or name in runners:
                return block
    return None


# Who is handed one of these works inside of a transaction that somebody else ends.
_UNIT = re.compile(r"\b(Abstract)?UnitOfWork\b|\bsql\.Tx\b|\bpgx\.Tx\b")


def _of_its_class(module: Module, function: Function) -> bool:
    """Whether all methods of its class run in transactions, and it changes something in its own."""
    if module.language != "java" or not any(e.kind == "db.write" for e in function.reach):
        return False
    own = [mark for one in module.classes if one.name == function.owner for mark in one.marks]
    return any(words.TX_MARK.search(mark) and not _NOT_MEANT.search(mark) for mark in own) and not any(
        "Transactional" in mark for mark in function.marks
    )


# Seata's: the peers that are asked take part in it, a broker does not.
_SPANNING = re.compile(r"@(?:\w+\.)*GlobalTransactional\b")
_NOT_MEANT = re.compile(r"readOnly\s*=\s*true|NOT_SUPPORTED|NEVER|SUPPORTS")


def _in_transactions(module: Module, function: Function, runners: set[str]) -> Iterator[Fact]:
    whole = any(words.TX_MARK.search(mark) for mark in function.marks) or any(
        _UNIT.search(type_) for type_ in function.params.values()
    )
    begins = sorted(
        e.call.line
        for e in function.effects
        if e.kind == "tx" and e.call.name.lower().startswith(("begin", "start"))
    )
    commits = sorted(e.call.line for e in function.effects if e.kind == "commit")
    always = not whole and _of_its_class(module, function)
    spanning = any(map(_SPANNING.match, function.marks))
    seen: set[str] = set()
    for effect in function.reach:
        if effect.kind not in ("remote", "publish") or effect.kind in seen:
            continue
        if effect.late or effect.call.after_commit:
            continue
        between = any(b < effect.call.line for b in begins) and any(effect.call.line < c for c in commits)
        if (
            whole
            or between
            or always
            or tx_block(effect.call, runners)
            or (spanning and effect.kind == "publish")
        ):
            # a publish that is itself handed to the transaction belongs to an outbox of some library
            if effect.kind == "publish" and any(
                re.search(r"\b(tx|session|conn|transaction|client)\b", a) for a in effect.call.args
            ):
                continue
            seen.add(effect.kind)
            kind = "remote_in_tx" if effect.kind == "remote" else "publish_in_tx"
            retried = any(b.kind == "closure" for b in effect.call.inside)
            yield fact(
                kind,
                module,
                effect.call.line,
                function=function.title,
                call=effect.call.shown(50),
                retried=retried,
            )
