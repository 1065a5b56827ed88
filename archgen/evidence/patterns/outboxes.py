"""Outboxes: a table that is filled with what another function publishes, or a stream of a table's changes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code.model import Effect, Function, Module, Program
from archgen.evidence.facts import Fact, Facts
from archgen.evidence.patterns.common import fact, handlers

# Who sends again what was sent or put aside commits no change with it.
_AGAIN = re.compile(
    r"(^|_)(again|re_?send|re_?drive|re_?queue|re_?play|re_?publish)|[a-z]Again", re.IGNORECASE
)
_ASIDE = re.compile(r"dead_?letter|dlq|parked|undeliver", re.IGNORECASE)


def outboxes(program: Program, facts: Facts) -> Iterator[Fact]:
    """`outbox` and `outbox.relay`."""
    yield from _tables(program, facts)
    yield from _streams(program, facts)


def _tables(program: Program, facts: Facts) -> Iterator[Fact]:
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
                    what=effect.call.shown(50),
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
                    fills[bare(effect.table)].append((module, function, effect))
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
                yield fact("outbox.relay", module, line, what=sent.call.shown(50), **data)


def _neighbours_read(module: Module, function: Function, table: str) -> bool:
    """Does a function of the same file read the table, and does this one call it?"""
    names = {c.name for c in function.calls}
    return any(
        other.name in names and any(e.kind == "db.read" and bare(e.table) == table for e in other.effects)
        for other in module.functions
    )


_KEEPER = r"(s?(repository|repo|dao|mapper))?"
_READS, _ENDS = "(select|find|fetch|get|read)", "(delete|update|mark|remove)"
_TELLING = re.compile(r"out_?box|event|messag|outgoing|pending|relay|notif|queue|_", re.IGNORECASE)


def _takes(module: Module, table: str) -> bool:
    """Rows are read in the module, and deleted or marked there once they are sent."""
    effects = [e for f in module.functions for e in f.effects]
    reads = any(e.kind == "db.read" and bare(e.table) == table for e in effects)
    ends = any(
        e.kind == "db.write" and bare(e.table) == table and e.target not in ("insert", "add") for e in effects
    )
    if _TELLING.search(table):
        # such a name is no everyday word, so that its mention near a verb is enough
        text = "\n".join(f.body for f in module.functions)
        near = rf"\w*[^\n]{{0,80}}\b{re.escape(table)}{_KEEPER}\b"
        asked = rf"\b{re.escape(table)}s?(repository|repo|dao|mapper)\."
        reads = reads or re.search(rf"{_READS}{near}|{asked}{_READS}", text, re.IGNORECASE) is not None
        ends = ends or re.search(rf"{_ENDS}{near}|{asked}{_ENDS}", text, re.IGNORECASE) is not None
    return reads and ends


def bare(table: str) -> str:
    return table.lower().strip("_\"'`").rpartition(".")[2].removesuffix("repository").rstrip("s") or table
