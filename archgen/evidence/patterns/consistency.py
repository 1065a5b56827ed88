"""Inbox, idempotent writes, optimistic locks, transactions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Effect, Function, Module, Program
from archgen.evidence.facts import Fact, Facts
from archgen.evidence.patterns.common import Sought, called, fact, marks, mentioned
from archgen.evidence.patterns.outboxes import bare

_SEEN = re.compile(
    r"inbox|processed_?(messages?|events?)|consumed|handled_?(messages?|events?)|dedup|idempoten|received_messages|message_log",
    re.I,
)
_UPSERT = Sought(
    r"on\s+conflict|on_conflict_do|onConflict|onDuplicateKey|clause\.OnConflict|FirstOrCreate|SetUpsert\(true|insert\s+or\s+(ignore|replace)|insert\s+ignore|on\s+duplicate\s+key|merge\s+into|upsert|attribute_not_exists|\bnot_exists\(\)|"
    r"if\s+not\s+exists\s*\(\s*select|orIgnore|ON_CONFLICT|returning|\bMERGE\b",
    (
        "conflict", "duplicate", "firstorcreate", "upsert", "insert", "merge", "exists",
        "orignore", "returning",
    ),
)  # fmt: skip
_UNIQUE_ERROR = re.compile(
    r"IntegrityError|UniqueViolation|DuplicateKey|DataIntegrityViolation|unique_violation|QueryFailedError|P2002|23505|UniqueConstraint|ErrDuplicated",
    re.I,
)
_VERSION_GUARD = Sought(
    r"@Version\b|@VersionColumn|\.version\s*==(?!\s*[\d\"'])|version\s*=\s*[:?$%@]|expected_?version|ExpectedVersion|optimistic|version_id_col|WHERE[^\"'`]*\bversion\b|"
    r"\bcondition_?expression\b",
    ("version", "optimistic", "condition"),
)
_DUPLICATE_FRAMEWORK = re.compile(
    r"(?<!Noop)DuplicateMessageDetect|IdempotentReceiver|idempotentConsumer|IdempotentRepository"
)


def consistency(program: Program, facts: Facts) -> Iterator[Fact]:
    """`inbox`, `idempotent`, `optimistic_lock`, `transaction`."""
    yield from _unfilled(program, facts)
    hearing = {
        module.path
        for module, function in program.functions()
        if any(e.kind in ("consume", "ack") for e in function.effects)
    }
    hearing |= {f.file for f in facts.of("consumer")}
    yield from _asked_first(program, facts)
    for module, function in program.functions():
        for effect in function.effects:
            if effect.kind == "tx":
                yield fact(
                    "transaction",
                    module,
                    effect.call.line,
                    what=effect.call.shown(60),
                    function=function.title,
                )
            elif (
                effect.kind == "db.write"
                and _SEEN.search(effect.table)
                and effect.target not in ("delete", "update")
                and not _dead(program, facts, module, function)
            ):
                yield fact("inbox", module, effect.call.line, what=effect.table, function=function.title)
        for block in {id(b): b for c in function.calls for b in c.within("with")}.values():
            if words.TX_WITH.search(block.header):
                yield fact("transaction", module, block.line, what=block.header[:60], function=function.title)
        for pattern, kind in ((_UPSERT, "idempotent"), (_VERSION_GUARD, "optimistic_lock")):
            match = pattern.search(function.body)
            if match and function.name and (kind != "idempotent" or match[0].lower() != "returning"):
                line = function.line + function.body.count("\n", 0, match.start())
                heard = kind == "idempotent" and not hearing.isdisjoint(function.reached_from())
                what = " ".join(match[0].split())[:60]
                yield fact(kind, module, line, what=what, function=function.title, heard=heard)
        for catch in function.catches:
            if _UNIQUE_ERROR.search(catch.types):
                yield fact(
                    "idempotent",
                    module,
                    catch.line, what=f"{catch.types[:40]} is caught",
                    function=function.title, heard=not hearing.isdisjoint(function.reached_from()),
                )  # fmt: skip
    for module, item, mark, line in marks(program):
        if words.TX_MARK.search(mark):
            yield fact("transaction", module, line, what=mark[:60], function=item.name)
    for module, one in program.classes():
        match = re.search(r"@Version\b|@VersionColumn", one.body)
        if match:
            yield fact(
                "optimistic_lock",
                module,
                one.line + one.body.count("\n", 0, match.start()),
                what=match[0],
                function=one.name,
            )
    for module in program.modules.values():
        if module.production and module.live:
            for used in module.imports:
                if any(_DUPLICATE_FRAMEWORK.search(name) for name in used.names.values()):
                    yield fact(
                        "inbox", module, used.line, what="a framework's duplicate detection", function=""
                    )


_ASKS = re.compile(
    r"^(exists\w*|is_?(processed|handled|duplicate)\w*|has_?(been_?)?(seen|processed|handled)\w*)$",
    re.IGNORECASE,
)
_OF_THE_MESSAGE = re.compile(
    r"(event|message|msg|delivery|request|idempotency)\w*[._]?(get)?_?(id|key)\b", re.IGNORECASE
)


def _asked_first(program: Program, facts: Facts) -> Iterator[Fact]:
    """A handler that asks a store for the message's identity, and keeps it there once it is done."""
    heard = {(f.file, str(f["function"]).rpartition(".")[2]) for f in facts.of("consumer")}
    led = {
        via
        for module, function in program.functions()
        if (module.path, function.name) in heard
        for e in function.reach
        for via in e.via[:1]
    }
    for module, function in program.functions():
        if (module.path, function.name) not in heard and function.title not in led:
            continue
        kept = {e.call.receiver for e in function.effects if e.kind == "db.write"}
        for call in function.calls:
            told = any(_OF_THE_MESSAGE.search(arg) for arg in call.args)
            if told and _ASKS.match(call.name) and call.receiver in kept:
                yield fact("inbox", module, call.line, what=call.shown(60), function=function.title)
                break


def _unfilled(program: Program, facts: Facts) -> Iterator[Fact]:
    """`inbox.unfilled`: a table of what was handled that is read or cleared, and that nothing writes into."""
    used: dict[str, tuple[Module, Effect]] = {}
    filled = set()
    for module, function in program.functions():
        for effect in function.effects:
            table = bare(effect.table) if effect.kind in ("db.read", "db.write") else ""
            if not table or not _SEEN.search(table):
                continue
            if effect.kind == "db.read" or effect.target == "delete":
                used.setdefault(table, (module, effect))
            elif effect.target != "update" and not _dead(program, facts, module, function):
                filled.add(table)
    if facts.has("consumer") and not filled:
        for table, (module, effect) in used.items():
            yield fact("inbox.unfilled", module, effect.call.line, table=table)


def _dead(program: Program, facts: Facts, module: Module, function: Function) -> bool:
    """Whether a function of a running system is one that nothing calls; where it can't be told, it is not."""
    if not facts.services or module.language != "python" or function.owner or function.marks:
        return False
    return not called(program, function) and not mentioned(program, function.name, function)
