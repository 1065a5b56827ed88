"""Work on many things at once: results nobody looks at, and failures of a few that pass for success."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Block, Call, Catch, Function, Module, Program
from archgen.evidence.code.vocabulary import Names
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, fact

# Calls that succeed as a whole while some of their entries fail, with what tells of those.
_PER_ENTRY = (
    (
        Names(
            r"(^|\.)(send_?[mM]essage_?[bB]atch|SendMessageBatch|delete_?[mM]essage_?[bB]atch|DeleteMessageBatch)$"
        ),
        re.compile(r"[fF]ailed"),
    ),
    (
        Names(r"(^|\.)(put_records|putRecords|PutRecords|put_record_batch|PutRecordBatch|putRecordBatch)$"),
        re.compile(r"Failed(Record|Put)Count|failed(Record|Put)Count|ErrorCode|errorCode"),
    ),
    (
        Names(r"(^|\.)(put_events|putEvents|PutEvents)$"),
        re.compile(r"FailedEntryCount|failedEntryCount|ErrorCode|errorCode"),
    ),
    (
        Names(r"(^|\.)(batch_write_item|batchWriteItem|BatchWriteItem)$"),
        re.compile(r"[uU]nprocessed"),
    ),
    (
        Names(r"^(this\.|self\.)?\w*([eE]s|[eE]lastic\w*|[oO]pen[sS]earch\w*)?([cC]lient)?\.(bulk|Bulk)$"),
        re.compile(r"errors|failed|hasFailures|Errors"),
    ),
    (Names(r"^Promise\.allSettled$"), re.compile(r"rejected|\.status|reason|fulfilled")),
)
_COMMAND = re.compile(
    r"new\s+(SendMessageBatch|PutRecords|PutEvents|BatchWrite|BatchWriteItem|PutRecordBatch|PublishBatch)Command\b"
)
_COMMAND_TELLS = re.compile(r"[fF]ailed|[uU]nprocessed|ErrorCode")
_GATHER = Names(r"^(asyncio\.)?gather$")
_GATHER_TELLS = re.compile(r"isinstance\([^)]*(Exception|Error)|raise\b|\bException\b")
_ELASTIC = re.compile(r"elastic|opensearch", re.IGNORECASE)

_NOTES = re.compile(
    r"append|push|\badd\(|\+=|\+\+|failed|failures?\b|errors?\b\s*(=|\.|\[)|errs\b|raise|throw|return|break|panic|reject|retry|"
    r"dead|set\(|\.put\(|record|mark|status|errors\.Join|multierr|nack|publish|save|update|insert|send|collect|increment|inc\(",
    re.IGNORECASE,
)
_CLAIMS = re.compile(
    r"return\s+(True|true|nil|null|None|ok\b|OK\b|\{[^}]*(success|ok|done|status)[^}]*\}|\w*[sS]uccess\w*\b.*|ResponseEntity\.ok.*|"
    r"[\"'](ok|done|success)[\"'].*)\s*;?\s*$|\.(JSON|json|send|status)\(\s*(http\.StatusOK|200|\{[^}]*(success|ok)\b)",
    re.IGNORECASE,
)


_ENDS = re.compile(
    r"^_*(a?close|stop|shutdown|disconnect|cancel|teardown|cleanup|__a?exit__|destroy|dispose)", re.IGNORECASE
)
_CLOSES = re.compile(r"\.(a?close|stop|shutdown|disconnect|cancel|unsubscribe|wait_closed|write_eof)\(\)")
_TICKS = re.compile(r"[tT]icker|\.C\b|time\.Tick|<-")


def batches(program: Program) -> Iterator[Fact]:
    """`batch.unchecked` and `error.partial`."""
    for module, function, call in calls(program):
        tells = _tells(call, module)
        if tells is None or _ENDS.search(function.name) or ".cancel(" in _before(function, call):
            continue
        if _CLOSES.search(" ".join(call.args)):
            continue  # what is cancelled or shut down has nothing left to tell
        if call.discarded or not tells.search(_after(function, call)):
            yield fact("batch.unchecked", module, call.line, function=function.title, call=call.shown(40))
    for module, function in program.functions():
        if function.name and not _ENDS.search(function.name):
            yield from _partial(module, function)


def _tells(call: Call, module: Module) -> re.Pattern[str] | None:
    """What in the code would show that the entries of a batch are looked at; None for other calls."""
    if _GATHER.match(call.callee):
        return _GATHER_TELLS if call.keywords.get("return_exceptions") == "True" else None
    if any(_COMMAND.search(arg) for arg in call.args[:1]) and call.name == "send":
        return _COMMAND_TELLS
    for pattern, tells in _PER_ENTRY:
        if pattern.search(call.callee):
            if call.name in ("bulk", "Bulk") and not (
                any(_ELASTIC.search(i.module) for i in module.imports) and "helpers" not in call.callee
            ):
                return None
            return tells
    return None


def _after(function: Function, call: Call) -> str:
    lines = function.body.split("\n")
    return "\n".join(lines[max(call.line - function.line - 1, 0) :])


def _before(function: Function, call: Call) -> str:
    return "\n".join(function.body.split("\n")[: max(call.line - function.line, 0)])


def _partial(module: Module, function: Function) -> Iterator[Fact]:
    """A loop over things in which a failed change is only logged, before success is claimed for all."""
    lines = function.body.split("\n")
    loops = {
        id(block): block
        for call in function.calls
        for at, block in enumerate(call.inside)
        if block.kind == "loop" and not any(b.kind == "closure" for b in call.inside[:at])
    }
    for loop in loops.values():
        if (
            _TICKS.search(loop.header)
            or not re.search(r"\b(in|of|range)\b|\w\s*:\s*\w", loop.header)
            or re.search(r"\brange\(\d", loop.header)
        ):
            continue
        tail = "\n".join(lines[loop.end - function.line + 1 :])
        if not any(_CLAIMS.search(line) for line in tail.split("\n")):
            continue
        writes = [
            e
            for e in function.reach
            if any(b is loop for b in e.call.inside) and (e.kind in ("db.write", "publish") or e.write)
        ]
        if not writes:
            continue
        at = _passed_over(module, function, loop, lines) or _kept_to_itself(function, loop, tail)
        if at:
            yield fact("error.partial", module, at, function=function.title, call=writes[0].call.shown(40))
            return


def _passed_over(module: Module, function: Function, loop: Block, lines: list[str]) -> int:
    """The line in a loop where a failure is told to a log and to nobody else; 0 for none."""
    for catch in function.catches:
        if loop.line < catch.line and catch.end <= loop.end and not _NOTES.search(_unlogged(catch)):
            return catch.line
    if module.language == "go":
        body = "\n".join(lines[loop.line - function.line : loop.end - function.line + 1])
        for match in re.finditer(r"if\s+(?:[^;{\n]*;\s*)?err\s*!=\s*nil\s*\{([^{}]*)\}", body):
            inner = re.sub(r"(?m)^.*\b(log\w*|logger|slog|fmt\.Print\w*)\b.*$", "", match[1])
            if match[1].strip() and not _NOTES.search(inner) and re.fullmatch(r"\s*(continue)?\s*", inner):
                return loop.line + body.count("\n", 0, match.start())
    return 0


_KEEPS = re.compile(r"^\s*(\w+)\.(?:append|push|add)\(.*\)\s*;?\s*$")


def _kept_to_itself(function: Function, loop: Block, tail: str) -> int:
    """The line in a loop where a failure goes into a list that nobody looks at after it; 0 for none."""
    for catch in function.catches:
        kept = _KEEPS.match(_unlogged(catch).strip())
        if kept and loop.line < catch.line and catch.end <= loop.end:
            name = rf"\b{kept[1]}\b"
            made = re.search(
                rf"^\s*(?:(?:const|let|var)\s+)?{kept[1]}\b[^=\n]*=(?!=)", function.body, re.MULTILINE
            )
            if made and not re.search(name, tail):
                return catch.line
    return 0


def _unlogged(catch: Catch) -> str:
    return re.sub(r"(?m)^.*\b(log\w*|LOG|console|print\w*|_log|System\.(out|err))\b.*$", "", catch.body)
