"""Amounts that are read, reckoned with in the code, and written back: of two at once, one is lost.

What guards them: a lock on the row or in the process, a version that is checked, a condition in the
statement, a sum that the database does, or isolation that refuses the second.
Source: Berenson et al., A Critique of ANSI SQL Isolation Levels, 1995 (anomaly P4, lost update).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Call, Function, Module, Program
from archgen.evidence.code.names import plain
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import fact

_WORDS = (
    r"(?:\w{0,40}_)?(?:in_?use|stocks?|inventory|quantity|qty|balance|funds|credits?|seats?|tickets?|available\w*|reserved\w*|"
    r"remaining\w*|\w{0,40}allocated|capacity|on_?hand|in_?stock|points|"
    r"\w{0,40}(?:Stocks?|Inventory|Quantity|Qty|Balance|Funds|Credits?|Seats?|Tickets?|"
    r"Available\w*|Capacity|OnHand|InStock|Points)|Available\w*|Reserved\w*|Remaining\w*|\w{0,40}Allocated)"
)
_FIELD = rf"(?P<one>[a-z]\w*)(?:\.(?:data|attributes))?\.(?P<field>(?i:{_WORDS}))"
# `product.stock -= n`, `product.stock = product.stock - n`
_RECKONED = re.compile(
    rf"\b{_FIELD}\s*(?:[-+]=\s*[\w(]|=\s*(?:\w+\(\s*)?(?P=one)(?:\.\w+)?\.(?P=field)\s*[-+]\s*[\w(])",
)
# `product.setStock(product.getStock() - n)`, `account.setBalance(account.getBalance().subtract(n))`
_SET = re.compile(
    rf"\b(?P<one>[a-z]\w*)\.set(?P<field>(?i:{_WORDS}|price|amount))\(\s*(?P=one)\s*\.get(?P=field)\(\)\s*(?:[-+]|\.(?:subtract|add|minus|plus)\()"
)
# `update(id, { stock: level.stock + n })`, `update(stock=level.stock - n)`
_GIVEN = re.compile(rf"\b(?P<field>(?i:{_WORDS}))\s*[:=]\s*(?P<one>[a-z]\w*)\.(?P=field)\s*[-+]\s*[\w(]")
_UPDATES = re.compile(r"^(update\w*|save|set|patch|findByIdAndUpdate|findOneAndUpdate|upsert|values)$")
_OWN = frozenset({"self", "this", "cls", "state", "cart", "total", "totals", "acc", "sum", "result", "stats"})
FETCHED = r"(?:get|count|find|load|first|one|fetch|select|query|retrieve|read|scalar|lookup|search|by_?id)"
GUARDED = re.compile(
    r"for_?update|@Lock\b|LockMode|pessimistic|\block\w*\(|\.(?:r|w)?lock\b|mutex|synchronized|semaphore|\bversion\b|"
    r"serializable|repeatable|\$inc\b|isolation|redlock|compare_?and|optimistic|\batomically\b|condition_?expression",
    re.IGNORECASE,
)
_VERSIONED = re.compile(
    r"@Version\b|VersionColumn|version_id_col|optimistic|\bversion\b|versionKey|\bVersion\s+int"
)


def updates(program: Program) -> Iterator[Fact]:
    """`update.lost`: an amount of something that was fetched is changed and saved, and nothing guards it."""
    guarded: set[str] | None = None
    for module, function in program.functions():
        if not function.name or not _mentions(function.body):
            continue
        for pattern in (_SET,) if module.language == "java" else (_RECKONED, _GIVEN):
            for match in pattern.finditer(function.body):
                guarded = versioned(program) if guarded is None else guarded
                line = function.line + function.body.count("\n", 0, match.start())
                if _lost(module, function, match, line, guarded):
                    what = f"{match['one']}.{match['field'][:1].lower()}{match['field'][1:]}"
                    yield fact("update.lost", module, line, function=function.title, what=what)
                    break


# One of these is in every amount that the patterns know: plain words are looked for a hundred times as fast.
_STEMS = (
    "use", "stock", "inventory", "quantity", "qty", "balance", "fund", "credit", "seat", "ticket",
    "available", "reserved", "remaining", "allocated", "capacity", "hand", "point", "price", "amount",
)  # fmt: skip


def _mentions(body: str) -> bool:
    if "+" not in body and "-" not in body and ".add(" not in body and ".subtract(" not in body:
        return ".plus(" in body or ".minus(" in body
    text = body.lower()
    return any(stem in text for stem in _STEMS)


def versioned(program: Program) -> set[str]:
    """Classes whose rows have a version that is checked."""
    return {
        one.name
        for module in program.modules.values()
        if not module.test
        for one in module.classes
        if _VERSIONED.search(one.body) or any(_VERSIONED.search(mark) for mark in one.marks)
    }


_KEPT = re.compile(
    r"(.*[/.@])?(dapr(io)?|i?o?redis|aioredis|go-redis|valkey\w*|etcd\w*|consul|memcached?|pymemcache)([/.\-]|$)",
    re.I,
)
_TAKES = re.compile(r"^(GetState|get_?[sS]tate|[gG]et|[hH][gG]et)$")
_PUTS = re.compile(r"^(SaveState|save_?[sS]tate|[sS]et|[hH][sS]et|set_?ex|SetEX|put|Put)$", re.IGNORECASE)
_MUTATES = re.compile(
    r"\bappend\(|\.(push|append|add|remove|extend|update|pop|splice)\(|[-+]=|\w\[[^\]\n]+\]\s*=(?!=)"
)
_OPENS = re.compile(r"loads\(|parse\(|Unmarshal\(|readValue\(|decode\(|fromJson\(|pickle")
_ONLY_IF = re.compile(
    r"\bwatch\b|multi\b|pipeline|transact|\beval|lua|etag|\bnx\b|\bcas\b|\block", re.IGNORECASE
)


def documents(program: Program) -> Iterator[Fact]:
    """`update.lost`: a document is taken from a store by its key, changed in the code, and put back whole."""
    for module, function in program.functions():
        if "cache" in f"{module.path} {function.title}".lower():
            continue  # what a cache loses is reckoned again
        if not module.uses(_KEPT) or not _OPENS.search(function.body) or _ONLY_IF.search(function.body):
            continue
        lines = function.body.split("\n")
        for take in (c for c in function.calls if _TAKES.match(c.name) and c.receiver):
            put = next(
                (c for c in function.calls if _PUTS.match(c.name) and c.line > take.line and _same(take, c)),
                None,
            )
            between = "\n".join(lines[take.line - function.line : put.line - function.line]) if put else ""
            if put and _EXPIRES.search(put.text()):
                continue  # a cache: what it loses is reckoned again
            if put and _MUTATES.search(between) and _OPENS.search(between):
                key = next(arg for arg in take.args if _is_key(arg) and arg in put.args)
                yield fact(
                    "update.lost",
                    module,
                    put.line,
                    function=function.title,
                    what=f"what it keeps under {key[:40]}",
                )
                break


_EXPIRES = re.compile(r"[\"'](EX|PX)[\"']|\b(ex|px|ttl|expire\w*)\b\s*[=:]|set_?ex\(", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_KEY = re.compile(r"key|id\b|Id\b|ID\b|name|user|session", re.IGNORECASE)


def _same(take: Call, put: Call) -> bool:
    """Whether both are calls on one store with one key."""
    holder = take.callee.rpartition(".")[0]
    return holder == put.callee.rpartition(".")[0] and any(
        _is_key(arg) and arg in put.args for arg in take.args
    )


def _is_key(arg: str) -> bool:
    return _KEY.search(arg) is not None and not re.search(r"store|context|ctx", arg, re.IGNORECASE)


def _lost(module: Module, function: Function, match: re.Match[str], line: int, guarded: set[str]) -> bool:
    one = match["one"]
    if one in _OWN or one in function.params:
        return False  # what it was handed, somebody else has fetched and may hold
    kept = any(
        e.call.line > line
        and e.kind in ("db.write", "commit")
        and _keeps(e.call.text(), one, module.language)
        for e in function.reach
    )
    if match.re is _GIVEN:
        said = _BLANKS.sub("", match[0])
        holders = [c for c in function.calls if _UPDATES.match(c.name) and c.receiver]
        kept = any(said in _BLANKS.sub("", c.text()) for c in holders)
    kept = kept or any(
        c.line > line and c.receiver == one and _SELF_KEPT.match(c.name) for c in function.calls
    )
    whole = [mark for c in module.classes if c.name == function.owner for mark in c.marks]
    if not kept and not any("Transactional" in mark for mark in (*function.marks, *whole)):
        return False
    before = function.body[: match.start()]
    fetched = re.search(
        rf"(?<![\w.]){re.escape(one)}\b[^=\n]{{0,60}}(?::?=(?!=)|\bin\b|\bof\b)\s*[^;\n]*(?i:{FETCHED})",
        before,
    )
    among = re.search(rf"(?<![\w.]){re.escape(one)}\s*=\s*(\w+)\[", before)
    if among and re.search(rf"(?<![\w.]){among[1]}\s*=\s*[^=\n]*(?i:{FETCHED})", before):
        fetched = among
    kinds = {one[:1].upper() + one[1:], module.types.get(one, "")}
    if fetched is None and module.language == "java":
        # `accounts.findById(id).map(account -> …)`; the name of the repository tells of what type it is
        handed = rf"\.(?:map|flatMap|ifPresent\w*|forEach|doOnNext)\(\s*\(?{re.escape(one)}\)?\s*->"
        fetched = re.search(rf"\b(?P<store>\w+)\.(?i:{FETCHED})\w{{0,60}}\([^;]{{0,400}}{handed}", before)
        kinds |= (
            {plain(module.types.get(fetched["store"], "")).removesuffix("Repository")} if fetched else set()
        )
    if fetched is None:
        return False
    typed = re.search(rf"\b([A-Z]\w*)(?:<[^>\n]*>)?\s+{re.escape(one)}\s*=", before)
    if guarded & ({typed[1]} if typed else kinds):
        return False
    around = [function, *function.callers]
    return not any(GUARDED.search(text) for f in around for text in (f.body, *f.marks))


_SELF_KEPT = re.compile(r"(save|update|put|store|persist)$", re.IGNORECASE)


def _keeps(text: str, one: str, language: str) -> bool:
    """Whether a write is of `one`, or of all that was changed (a session that is committed or flushed)."""
    return re.search(rf"\b{re.escape(one)}\b", text) is not None or (
        language in ("python", "java")
        and re.search(r"\b(commit|flush|save_?changes)\b", text, re.IGNORECASE) is not None
    )
