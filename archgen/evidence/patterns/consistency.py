"""Outbox, inbox, idempotent writes, optimistic locks, transactions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Effect, Function, Module, Program
from archgen.evidence.facts import Fact, Facts
from archgen.evidence.patterns.common import Sought, called, fact, handlers, marks, mentioned

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


# Who sends again what was sent or put aside commits no change with it.
_AGAIN = re.compile(
    r"(^|_)(again|re_?send|re_?drive|re_?queue|re_?play|re_?publish)|[a-z]Again", re.IGNORECASE
)
_ASIDE = re.compile(r"dead_?letter|dlq|parked|undeliver", re.IGNORECASE)


def consistency(program: Program, facts: Facts) -> Iterator[Fact]:
    """`outbox`, `inbox`, `idempotent`, `optimistic_lock`, `transaction`."""
    yield from _outboxes(program, facts)
    yield from _streams(program, facts)
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
                    what=effect.call.callee[-60:],
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
                yield fact("inbox", module, call.line, what=call.callee[-60:], function=function.title)
                break


def _unfilled(program: Program, facts: Facts) -> Iterator[Fact]:
    """`inbox.unfilled`: a table of what was handled that is read or cleared, and that nothing writes into."""
    used: dict[str, tuple[Module, Effect]] = {}
    filled = set()
    for module, function in program.functions():
        for effect in function.effects:
            table = _bare(effect.table) if effect.kind in ("db.read", "db.write") else ""
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


def _outboxes(program: Program, facts: Facts) -> Iterator[Fact]:
    """A table that one function fills and another one reads, publishes from, and empties or marks.

    What the table is called does not matter; both halves must be there, else nothing is published.
    A framework that writes the outbox for the code counts where the code publishes through it.
    """
    fills: dict[str, list[tuple[Module, Function, Effect]]] = defaultdict(list)
    drains: dict[str, list[tuple[Module, Function, Effect]]] = defaultdict(list)
    for module, function in program.functions():
        for effect in function.effects:
            if effect.kind == "outbox":
                yield fact(
                    "outbox",
                    module,
                    effect.call.line,
                    what=effect.call.callee[-50:],
                    by="framework",
                    function=function.title,
                )
            if (
                effect.kind == "db.write"
                and effect.table
                and effect.target
                in ("insert", "save", "add", "create", "persist", "insert or", "append", "putItem")
            ):
                again = any(_ASIDE.search(e.table) for e in function.effects)
                if not again and not _AGAIN.search(function.name):
                    fills[_bare(effect.table)].append((module, function, effect))
    for module, function in program.functions():
        published = [e for e in function.reach if e.kind == "publish"]
        if not published or any(e.kind == "outbox" for e in function.effects):
            continue
        for table in fills:
            if re.search(
                rf"\b{re.escape(table)}{_KEEPER}\b", function.body, re.IGNORECASE
            ) or _neighbours_read(module, function, table):
                drains[table].append((module, function, published[0]))
    yield from _followed(program, fills)
    yield from _connected(facts, fills)
    for table, fillers in fills.items():
        readers = [
            (m, f, e)
            for m, f, e in drains.get(table, ())
            if _takes(m, table) and not any(f is g for _, g, _ in fillers)
        ]
        if readers:
            module, function, effect = fillers[0]
            yield fact(
                "outbox",
                module,
                effect.call.line,
                what=f"{table} is filled",
                by="table",
                table=table,
                function=function.title,
            )
            relay, reader, sent = readers[0]
            yield fact(
                "outbox.relay",
                relay,
                sent.call.line,
                what=f"{table} is published",
                table=table,
                function=reader.title,
            )


_PLACE = re.compile(r"outbox|checkpoint|offset|subscription|cursor|position|watermark", re.IGNORECASE)
_MOVES = re.compile(r"(update|set|advance|move|store|save)(?=[A-Z_]|$)", re.IGNORECASE)
_LOG = re.compile(r"(^|_)(events?|journal|event_?log|event_?store|messages)$", re.IGNORECASE)


def _followed(program: Program, fills: dict[str, list[tuple[Module, Function, Effect]]]) -> Iterator[Fact]:
    """A table of events that a relay follows: it keeps the place up to which it has sent them on."""
    tables = [table for table in fills if _LOG.search(table)]
    for module, function in program.functions() if tables else ():
        sent = next((e for e in function.reach if e.kind == "publish"), None)
        place = next(
            (
                e for e in function.reach
                if e.kind == "db.write" and _MOVES.match(e.target) and _PLACE.search(f"{e.table} {e.target}")
            ),
            None,
        )  # fmt: skip
        if sent is None or place is None or sent.call is place.call or sent.call.line > place.call.line:
            continue
        home, filler, effect = fills[tables[0]][0]
        about = {"by": "table", "table": tables[0]}
        what = f"{tables[0]} is filled"
        yield fact("outbox", home, effect.call.line, what=what, function=filler.title, **about)
        what = f"{tables[0]} is followed"
        yield fact("outbox.relay", module, sent.call.line, what=what, function=function.title, **about)
        return


def _connected(facts: Facts, fills: dict[str, list[tuple[Module, Function, Effect]]]) -> Iterator[Fact]:
    """A table that a connector follows in the database's log, beside the code."""
    for connector in facts.of("outbox.connector"):
        for table in (t for t in fills if t.replace("_", "") in connector["tables"]):
            for home, filler, effect in fills[table]:
                about = {"by": "table", "table": table, "function": filler.title}
                yield fact("outbox", home, effect.call.line, what=f"{table} is filled", **about)
            said = {"what": f"{table} is followed", "by": "table", "table": table, "function": "a connector"}
            yield Fact("outbox.relay", connector.file, connector.line, connector.strength, said)


def _streams(program: Program, facts: Facts) -> Iterator[Fact]:
    """A function that a table's stream of changes calls, and that sends them on: an outbox by the table."""
    for deployed in facts.of("function"):
        if not deployed["stream"]:
            continue
        for module, function in handlers(program, deployed):
            sent = next((e for e in function.reach if e.kind == "publish"), None)
            if sent:
                data = {"by": "stream", "table": deployed["name"], "function": function.title}
                line = sent.call.line
                yield fact("outbox", module, line, what="a table's stream of changes", **data)
                yield fact("outbox.relay", module, line, what=sent.call.callee[-50:], **data)


def _neighbours_read(module: Module, function: Function, table: str) -> bool:
    """Does a function of the same file read the table, and does this one call it?"""
    names = {c.name for c in function.calls}
    return any(
        other.name in names and any(e.kind == "db.read" and _bare(e.table) == table for e in other.effects)
        for other in module.functions
    )


_KEEPER = r"(s?(repository|repo|dao|mapper))?"
_READS, _ENDS = "(select|find|fetch|get|read)", "(delete|update|mark|remove)"
_TELLING = re.compile(r"out_?box|event|messag|outgoing|pending|relay|notif|queue|_", re.IGNORECASE)


def _takes(module: Module, table: str) -> bool:
    """Rows are read in the module, and deleted or marked there once they are sent."""
    effects = [e for f in module.functions for e in f.effects]
    reads = any(e.kind == "db.read" and _bare(e.table) == table for e in effects)
    ends = any(
        e.kind == "db.write" and _bare(e.table) == table and e.target not in ("insert", "add")
        for e in effects
    )
    if _TELLING.search(table):
        # such a name is no everyday word, so that its mention near a verb is enough
        text = "\n".join(f.body for f in module.functions)
        near = rf"\w*[^\n]{{0,80}}\b{re.escape(table)}{_KEEPER}\b"
        asked = rf"\b{re.escape(table)}s?(repository|repo|dao|mapper)\."
        reads = reads or re.search(rf"{_READS}{near}|{asked}{_READS}", text, re.IGNORECASE) is not None
        ends = ends or re.search(rf"{_ENDS}{near}|{asked}{_ENDS}", text, re.IGNORECASE) is not None
    return reads and ends


def _bare(table: str) -> str:
    return table.lower().strip("_\"'`").rpartition(".")[2].removesuffix("repository").rstrip("s") or table
