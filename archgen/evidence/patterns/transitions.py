"""What is checked and then changed, with nothing between that keeps a second one out.

`if order.status != OPEN: raise …; order.status = PAID; order.save()`: two at once both pass the check, and
an order is paid and cancelled, or a balance is spent twice. What guards it: a lock, a version, or a
statement that repeats the condition (UPDATE … WHERE status = 'open').
Source: Berenson et al., A Critique of ANSI SQL Isolation Levels, 1995 (P4, lost update; A5B, write skew).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code.model import Effect, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import fact
from archgen.evidence.patterns.updates import FETCHED, GUARDED, versioned

_STATES = (
    r"(?:\w{0,30}_)?(?:status|state|phase)|\w{0,30}(?:Status|State|Phase)|"
    r"(?:is_?)?(?:paid|used|redeemed|claimed|consumed|sold|booked|reserved|taken|assigned|accepted|cancell?ed|"
    r"refunded|shipped|confirmed|settled|spent|captured)(?:_?at)?"
)
_AMOUNTS = (
    r"(?:\w{0,30}_)?(?:stock|balance|credits?|points|funds|seats|score|available\w*|remaining\w*)|"
    r"\w{0,30}(?:Stock|Balance|Credits?|Points|Funds|Seats|Score|Available\w*|Remaining\w*)"
)
_ONE = r"(?<![\w.])(?P<one>[a-zA-Z_]\w*)(?P<on>(?:\.\w+){0,2}?)\.(?:(?:get|is)_?(?=[A-Z_a-z]))?"
_STATE = re.compile(rf"{_ONE}(?P<field>(?i:{_STATES}))\b(?:\(\))?")
_AMOUNT = re.compile(rf"{_ONE}(?P<field>(?i:{_AMOUNTS}))\b(?:\([^()]*\))?")
# `if (usedSeats >= seats)`, where somebody has counted them
_COUNTED = re.compile(
    r"(?<![\w.])(?P<one>(?P<field>(?:used|taken|booked|free|left|remaining|available)_?"
    r"(?i:seats?|tickets?|places?|slots?|stock|spots?)))\b(?![.(])"
)
_COMPARED = re.compile(r"(?<![-=<])[<>]=?(?![<>])|\.compareTo\(|\.(?:is_?)?(?:less|greater)", re.IGNORECASE)
_IF = re.compile(r"\bif\b(?P<said>[^\n{}]{4,240})")
_LEAVES = re.compile(r"\b(return|raise|throw|continue|abort|panic|fail\w*|orElseThrow)\b|\bexit\(|Error\(")
_WRITTEN = 6  # lines after a condition within which it leaves
_NEAR = 800  # characters that they may have
# What a second run takes, spends or does twice; a switch that is turned twice is turned.
_MATTERS = re.compile(
    r"order|book|reserv|pay(?!load)|charge|refund|coupon|voucher|ticket|seat|invoice|code|transfer|withdraw|"
    r"wallet|unlock|redeem|ship|deliver|claim|bid|invit|plan|job|task|stock|balance|credit|points|funds|score|"
    r"available|remaining|used|sold|taken|spent|validat",
    re.IGNORECASE,
)
_SETS = re.compile(r"update|save|set", re.IGNORECASE)
_SELF = re.compile(r"(save|update|put|store|persist)$", re.IGNORECASE)
_NO_ROW = frozenset(
    {"self", "this", "cls", "e", "err", "ex", "error", "res", "response", "resp", "r", "req", "request"}
)


def transitions(program: Program) -> Iterator[Fact]:
    """`state.raced`: `what` was checked at line `at`, and is changed at the line of the fact."""
    guarded: set[str] | None = None
    named: dict[str, list[Function]] = defaultdict(list)
    for _, function in program.functions():
        named[function.name].append(function)
    for module, function in program.functions():
        if not function.name or not _mentions(function.body):
            continue
        for one, field, at, change in _checked(function):
            guarded = versioned(program) if guarded is None else guarded
            if _free(module, function, one, at, guarded, named):
                yield fact(
                    "state.raced",
                    module,
                    change,
                    function=function.title,
                    what=one if one == field else f"{one}.{field}",
                    at=at,
                )
                break


# One of these is in every state and amount that the patterns know; plain words are found fast.
_STEMS = (
    "stat", "phase", "paid", "used", "redeem", "claim", "consum", "sold", "book", "reserv", "taken",
    "assign", "accept", "cancel", "refund", "shipp", "confirm", "settl", "spent", "captur", "stock",
    "balance", "credit", "point", "fund", "seat", "score", "availab", "remain", "left", "free",
)  # fmt: skip


def _mentions(body: str) -> bool:
    text = body.lower()
    return "if" in text and any(stem in text for stem in _STEMS)


def _checked(function: Function) -> Iterator[tuple[str, str, int, int]]:
    """What a condition asks before the function leaves or changes it: whose, which, and both lines."""
    for match in _IF.finditer(function.body):
        said, near = match["said"], function.body[match.end() : match.end() + _NEAR].split("\n")
        if not _LEAVES.search(said + "\n".join(near[:_WRITTEN])):
            continue
        after = function.body[match.end() :]
        at = function.line + function.body.count("\n", 0, match.start())
        if (state := _STATE.search(said)) and not state["on"]:
            change = _set(function, state["one"], state["field"], after, at)
        elif _COMPARED.search(said) and (state := _COUNTED.search(said) or _AMOUNT.search(said)):
            change = _taken(function, state["field"], after, at)
        else:
            continue
        if change and _MATTERS.search(f"{state['one']} {state['field']} {function.title}"):
            yield state["one"], state["field"], at, change


def _writes(function: Function, line: int) -> Iterator[Effect]:
    return (
        e for e in function.reach
        if e.kind in ("db.write", "commit") and e.call.line > line and not e.late
    )  # fmt: skip


def _set(function: Function, one: str, field: str, after: str, at: int) -> int:
    """The line at which the state is set and kept, 0 where it is not."""
    name, capital = re.escape(one), re.escape(field[:1].upper() + field[1:])
    set_ = re.search(rf"(?<![\w.]){name}\.(?:{re.escape(field)}\s*=(?![=>])|[sS]et_?(?i:{capital})\()", after)
    if set_:
        line = at + after.count("\n", 0, set_.start())
        own = (c for c in function.calls if c.line >= line and c.receiver == one and _SELF.match(c.name))
        return line if any(_writes(function, line - 1)) or any(own) else 0
    return next(
        (e.call.line for e in _writes(function, at) if not e.via and _sets(e, one, field)),
        0,
    )


def _sets(effect: Effect, one: str, field: str) -> bool:
    """Whether a statement sets the field of `one` and does not ask for what it was."""
    text = effect.call.text()
    said = re.compile(rf"(?<![\w.])[\"'`]?{re.escape(field)}[\"'`]?\s*[:=](?!=)")
    named = said.findall(" ".join(effect.call.args)) or said.findall(text)
    return (
        len(named) == 1
        and _SETS.search(effect.call.name) is not None
        and (re.search(rf"\b{re.escape(one)}\b", text) is not None or effect.table.lower() == one.lower())
    )


_ADDS = re.compile(r"(add|create|insert|save|update|decrement|withdraw|spend|deduct)\w*$", re.IGNORECASE)


def _taken(function: Function, field: str, after: str, at: int) -> int:
    """The line of what is kept after there was enough, 0 where a statement asks once more."""
    if re.search(rf"{re.escape(field)}\W{{0,3}}\s*>=?|{re.escape(field)}__gt|\$gte?\b", after, re.IGNORECASE):
        return 0
    return next(
        (e.call.line for e in _writes(function, at) if e.kind == "db.write" and _ADDS.match(e.call.name)), 0
    )


def _is_fetched(one: str, before: str) -> bool:
    known = rf"(?<![\w.]){re.escape(one)}\b[^=\n]{{0,60}}(?::?=(?!=))\s*[^;]*?(?i:{FETCHED})\w*\("
    return re.search(known, before) is not None


_FETCHES = re.compile(rf"(?i:{FETCHED})\w*\(")


def _is_found(one: str, before: str, named: dict[str, list[Function]]) -> bool:
    """Whether a function of the project that fetches something has returned it."""
    made = re.search(
        rf"(?<![\w.]){re.escape(one)}\b[^=\n]{{0,60}}(?::?=(?!=))\s*(?:await\s+)?([\w.]+)\(", before
    )
    known = named.get(made[1].rpartition(".")[2], []) if made else []
    return len(known) == 1 and _FETCHES.search(known[0].body) is not None


def _is_handed(one: str, function: Function) -> bool:
    """Whether it is what one that calls has fetched."""
    if one not in function.params:
        return False
    place = list(function.params).index(one)
    for caller in function.callers:
        for call in caller.calls:
            given = call.args[place] if call.name == function.name and len(call.args) > place else ""
            before = "\n".join(caller.body.split("\n")[: call.line - caller.line])
            if given.isidentifier() and _is_fetched(given, before):
                return True
    return False


def _free(
    module: Module,
    function: Function,
    one: str,
    at: int,
    guarded: set[str],
    named: dict[str, list[Function]],
) -> bool:
    """Whether `one` was fetched before, and nothing keeps a second one out."""
    if one.lower() in _NO_ROW:
        return False
    before = "\n".join(function.body.split("\n")[: at - function.line])
    if not (_is_fetched(one, before) or _is_found(one, before, named) or _is_handed(one, function)):
        return False
    typed = re.search(rf"\b([A-Z]\w*)(?:<[^>\n]*>)?\s+{re.escape(one)}\s*=", before)
    if guarded & ({typed[1]} if typed else {one[:1].upper() + one[1:], module.types.get(one, "")}):
        return False
    return not any(GUARDED.search(text) for f in (function, *function.callers) for text in (f.body, *f.marks))
