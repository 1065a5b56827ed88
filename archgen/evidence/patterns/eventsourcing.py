"""Event sourcing: state kept as the events that led to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Function, Module, Program
from archgen.evidence.facts import Fact, Facts
from archgen.evidence.patterns.common import Sought, calls, fact, imports, marks

_FRAMEWORK_IMPORT = re.compile(
    r"^(eventsourcing(\.|$)|esdbclient|@eventstore/db-client|@event-driven-io/emmett|@ocoda/event-sourcing|wolkenkit|"
    r"github\.com/(hallgren/eventsourcing|looplab/eventhorizon|EventStore/EventStore-Client-Go|modernice/goes)|"
    r"io\.eventuate(\.sync|\.Aggregate|$)|io\.eventuate$|org\.axonframework\.(eventsourcing|modelling)|com\.eventstore|akka\.persistence|org\.apache\.pekko\.persistence)"
)
_FRAMEWORK_BASE = re.compile(
    r"(ReflectiveMutableCommandProcessingAggregate|EventSourcedBehavior|EventSourcedEntity|AbstractPersistent(FSM|Actor\w*|LoggingFSM)|PersistentActor|EventSourcedAggregate|eventsourcing\.\w+|^Aggregate$)"
)
_FRAMEWORK_MARK = re.compile(r"@(?:\w+\.)*(EventSourcingHandler|EventSourcedAggregate|event)\b")
_FOLD = (
    r"(apply|apply_event|applyEvent|Apply|ApplyEvent|ApplyChange|RaiseEvent|raiseEvent|evolve|mutate|when|_when|on_event|On|replay|transition|"
    r"fold|reduce|rehydrate|Transition)"
)
_FOR = re.compile(r"\bfor\b")
_OVER = re.compile(r"\b(in|of|range)\b|:")
_FOLDED = Sought(rf"\b{_FOLD}\s*\(", tuple(_FOLD.strip("()").split("|")), 0)
_ADDS = re.compile(r"(insert|add|save|create|append|persist)(?![a-z])")
# A row per stream whose version the mapper of objects checks when it writes.
_VERSIONED = re.compile(r"@Version\b|version_id_col")
_STREAM_ROW = re.compile(r"event_?(stream|store|log|journal)|(event|aggregate)_?stream", re.IGNORECASE)
_FAR = 800  # characters from the head of a loop to the fold in it
_REDUCED = Sought(
    rf"\breduce\(\s*(?:[\w.]*{_FOLD}|\([^)]{{0,200}}\)\s*=>\s*[\w.]*{_FOLD})|\.(?:forEach|reduce)\((?:[^()]|\([^()]*\)){{0,400}}?{_FOLD}",
    ("reduce(", ".forEach("),
    0,
)
# A fresh state that takes in one after the other: `reduce(new Cart(), Cart::incorporate)`.
_TAKEN_IN = Sought(
    r"[^;{}]{0,400}\breduce(?:With)?\(\s*(?:\(\)\s*->\s*)?(?:new\s+(\w+)(?:<\w*>)?\([^()]*\)|(\w+)::new)\s*,\s*(?:\1|\2)::\w+",
    ("reduce",),
    0,
)
_TABLES = re.compile(r"^(pandas|numpy|polars|pyspark|dask|torch|tensorflow|jax)\b")
_EVENTS = re.compile(r"event|journal|history", re.IGNORECASE)
_STREAM = re.compile(r"event|stream|history|journal|commit|row", re.IGNORECASE)
_EVENT_TABLE = re.compile(
    r"^(\w*_)?(events?|event_store|eventstore|event_log|event_streams?|journal|stored_events?|domain_events?|aggregate_events?)(repository)?$",
    re.IGNORECASE,
)
_EXPECTED = re.compile(
    r"expected_?version|ExpectedVersion|expectedRevision|expected_?revision|stream_state|StreamState|current_version",
    re.IGNORECASE,
)
_CLASH = re.compile(r"IntegrityError|UniqueViolation|DuplicateKey|unique_violation")
_TOLD = re.compile(r"\b(raise|throw|return\s+[\w.(]*(err|conflict|false))", re.IGNORECASE)
_FLAG = re.compile(r"\b\w+\.(\w*event_?sourced\w*)\b|\b\w+\.(\w*eventSourced\w*)\b", re.IGNORECASE)


def event_sourcing(program: Program, facts: Facts) -> Iterator[Fact]:
    """`es.replay`, `es.append` (with `expected`), `es.framework`; `es.used` where an aggregate is
    kept this way.
    """
    for module, one in program.classes():
        if imports(module, _FRAMEWORK_IMPORT) and any(_FRAMEWORK_BASE.search(base) for base in one.bases):
            yield fact("es.framework", module, one.line, name=one.name)
            yield fact("es.used", module, one.line, name=one.name)
    for module, item, mark, line in marks(program):
        if _FRAMEWORK_MARK.search(mark) and imports(module, _FRAMEWORK_IMPORT):
            yield fact("es.used", module, line, name=item.name)
    streams: list[tuple[Module, Function, int, bool]] = []
    for module, function, call in calls(program):
        if call.callee.endswith(("append_to_stream", "appendToStream", "AppendToStream")):
            expected = _EXPECTED.search(call.text()) is not None or len(call.args) + len(call.keywords) >= 3
            streams.append((module, function, call.line, expected))
            yield fact(
                "es.append",
                module,
                call.line,
                expected=expected,
                what=call.shown(50),
                function=function.title,
            )
        elif _FRAMEWORK_IMPORT.search(origin_of(call, module, function)):
            yield fact("es.framework", module, call.line, name=call.callee[:50])
    replays = list(_replays(program))
    for module, function, line in replays:
        yield fact("es.replay", module, line, function=function.title)
    appends = list(_appends(program, facts))
    for module, function, line, expected in appends:
        yield fact("es.append", module, line, expected=expected, what="insert", function=function.title)
    if replays and (appends or streams):
        yield from _used(program, replays, appends or streams)
    elif by_kind := list(_by_kind(program)):
        yield from _kept_by_kind(program, by_kind)


def _kept_by_kind(program: Program, rebuilt: list[tuple[Module, Function, int]]) -> Iterator[Fact]:
    """The same for a store of the project's own, which only its name tells."""
    for module, function, call in calls(program):
        if _HISTORY.match(call.name) and function.name != call.name:
            # whether it asks for a version is the store's own matter
            said = {"expected": True, "what": call.shown(50), "function": function.title}
            yield fact("es.append", module, call.line, **said)
            yield from (fact("es.replay", m, line, function=f.title) for m, f, line in rebuilt)
            yield from _used(program, rebuilt, [(module, function, call.line, True)])
            return


def _replays(program: Program) -> Iterator[tuple[Module, Function, int]]:
    """Functions that read a stream and fold it into a state."""
    for module, function in program.functions():
        if module.uses(_TABLES):
            continue  # there, to apply something to rows is everyday work
        if not function.name or not _STREAM.search(function.body):
            continue  # a plain look first: folds are dear to find
        at, text = _fold_in(function.body)
        if not _STREAM.search(text):
            continue
        reads = any(e.kind == "db.read" for e in function.effects) or any(
            re.search(
                r"(execute|fetch\w*|load\w*|read\w*|get_events|getEvents|find\w*|select|query\w*|stream\w*|events|scalars)$",
                c.name,
                re.IGNORECASE,
            )
            for c in function.calls
        )
        if reads or any(_EVENTS.search(name) for name in function.params):
            yield module, function, function.line + function.body.count("\n", 0, at)


# A state rebuilt by a case for each kind of event, and a history that is only added to, by their names.
_REBUILDS = re.compile(r"(apply|replay|rebuild|rehydrate)_?\w*(events?|history)$", re.IGNORECASE)
_BY_KIND = re.compile(r"\b(switch|match)\b[^\n{]{0,60}\b(event|evt)\w*[^\n{]{0,20}(type|kind)", re.IGNORECASE)
_A_CASE = re.compile(r"^\s*case\b", re.MULTILINE)
_CASES = 5
_HISTORY = re.compile(r"append_?(history|events?)", re.IGNORECASE)


def _by_kind(program: Program) -> Iterator[tuple[Module, Function, int]]:
    """Functions that take a list of events and do something else for each kind of them."""
    for module, function in program.functions():
        if _REBUILDS.match(function.name) and (at := _BY_KIND.search(function.body)):
            looped = _FOR.search(function.body, 0, at.start())
            if looped and len(_A_CASE.findall(function.body, at.start())) >= _CASES:
                yield module, function, function.line + function.body.count("\n", 0, at.start())


def _fold_in(body: str) -> tuple[int, str]:
    """Where a loop folds one thing after the other into a state, and its text; (0, "") for none."""
    if _FOLDED.search(body):
        for loop in _FOR.finditer(body):
            text = body[loop.start() : loop.start() + _FAR]
            fold = _FOLDED.search(text)
            if fold and _OVER.search(text, 0, fold.start()):
                return loop.start(), text[: fold.end()]
    reduced = _REDUCED.search(body)
    if reduced is None and (taken := _TAKEN_IN.search(body)) and _EVENTS.search(taken[0]):
        return taken.start() + taken[0].rindex("reduce"), taken[0]
    return (reduced.start(), reduced[0]) if reduced else (0, "")


def _appends(program: Program, facts: Facts) -> Iterator[tuple[Module, Function, int, bool]]:
    """Inserts into a table of events, and whether two writers of one version collide."""
    guarded = _unique_versions(program, facts)
    versioned = any(
        _STREAM_ROW.search(one.name) and _VERSIONED.search(one.body) for _, one in program.classes()
    )
    for module, function in program.functions():
        for effect in function.effects:
            if effect.kind != "db.write" or not _EVENT_TABLE.match(effect.table):
                continue
            if not _ADDS.match(effect.target):
                continue
            name = effect.table.rpartition(".")[2]
            expected = versioned or name in guarded or _EXPECTED.search(function.body) is not None
            passed_over = any(_CLASH.search(c.types) and not _TOLD.search(c.body) for c in function.catches)
            expected = expected and not passed_over
            yield module, function, effect.call.line, expected


def _unique_versions(program: Program, facts: Facts) -> set[str]:
    """Tables with a unique key that includes a version."""
    found = set()
    for table in facts.of("table"):
        if re.search(r"(unique|primary\s+key)\s*\([^)]*(version|revision|sequence)", table["columns"]):
            found.add(str(table["name"]).rpartition(".")[2])
    for module in program.modules.values():
        for function in module.functions:
            for call in function.calls:
                if (
                    call.name == "Table"
                    and call.args
                    and re.search(
                        r"""(UniqueConstraint|PrimaryKeyConstraint)\((?:[^()=]*,)?\s*["']\w*version["']""",
                        " ".join(call.args),
                    )
                ):
                    found.add(call.args[0].strip("\"'").lower())
    return found


def _used(
    program: Program,
    replays: list[tuple[Module, Function, int]],
    appends: list[tuple[Module, Function, int, bool]],
) -> Iterator[Fact]:
    """Where the store is put to work. A store behind a switch that nothing turns on is not used."""
    names = {f.name for _, f, _ in replays}
    flags: set[str] = set()
    guarded = False
    for _, function, call in calls(program):
        if call.name in names and call.callee != call.name:
            flag = _FLAG.search(function.body)
            if flag:
                guarded = True
                flags.add((flag[1] or flag[2]).lower())
    if not guarded:
        module, function, line = replays[0]
        if any(c.name == function.name for _, f, c in calls(program) if f is not function):
            yield fact("es.used", module, line, name=function.title)
        return
    for module in program.modules.values():
        if not module.live or module.test:
            continue
        for function in module.functions:
            for call in function.calls:
                for key, value in call.keywords.items():
                    if key.lower() in flags and value in ("True", "true"):
                        strength_module = module if module.production else replays[0][0]
                        yield fact(
                            "es.used",
                            strength_module,
                            call.line if module.production else replays[0][2],
                            name=call.text()[:60],
                        )
