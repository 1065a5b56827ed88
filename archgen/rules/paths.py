"""How two calls of one function relate: on one path or not, inside a transaction or not."""

from __future__ import annotations

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Function
from archgen.evidence.patterns.common import registered


def alternatives(one: Call, other: Call) -> bool:
    """Whether one of the calls stands in a branch or a handler that the other does not share."""
    if registered(one) ^ registered(other):
        return True  # each in a handler of its own, which one function registers
    apart = [{id(b) for b in call.within("spawn")} for call in (one, other)]
    if apart[0] - apart[1] and apart[1] - apart[0]:
        return True  # each in a goroutine of its own
    mine = {id(b) for b in one.within("branch", "catch")}
    theirs = {id(b) for b in other.within("branch", "catch")}
    return (bool(mine ^ theirs) and not (mine <= theirs or theirs <= mine)) or any(
        b.kind == "catch" for b in (*one.inside, *other.inside)
    )


def wraps(one: Call, other: Call) -> bool:
    """Whether `other` is made in a function that is handed to `one`, which does its own things around it."""
    return any(b.kind == "closure" and b.header.endswith(one.callee[-60:]) for b in other.inside)


def in_transaction(function: Function, call: Call) -> bool:
    """Whether the call is made inside a transaction that this function opens: a block, a closure,
    begin to commit.
    """
    for block in call.inside:
        if block.kind == "with" and words.TX_WITH.search(block.header):
            return True
        if block.kind == "closure" and words.TX_NAME.match(block.header.rpartition(".")[2]):
            return True
    begins = [e.call.line for e in function.effects if e.kind == "tx"]
    commits = [e.call.line for e in function.effects if e.kind == "commit"]
    return any(b < call.line < c for b in begins for c in commits)
