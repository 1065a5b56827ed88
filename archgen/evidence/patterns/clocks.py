"""Work that comes round inside a process without a library for it: tickers, timers, loops that sleep."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Block, Call, Function, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, fact

_TIMERS = re.compile(r"^(scheduleAtFixedRate|scheduleWithFixedDelay|setInterval)$")
_PAUSES = re.compile(r"^(sleep|After|Tick|NewTicker|wait_for|wait)$")
_ROUND = re.compile(r"^(while\b|for\b(?!.*\bin\b))")
_TELLS = re.compile(r"(print|[Pp]rint(ln|f))$")
_COUNTS = re.compile(r"metric|gauge|statistic", re.IGNORECASE)
_TRIES = re.compile(r"attempt|retr(y|ies)|backoff|reconnect", re.IGNORECASE)


def clocks(program: Program) -> Iterator[Fact]:
    """`job.schedule`: what changes something that lasts, again and again, after a pause."""
    for module, function, call in calls(program):
        if _COUNTS.search(call.text()):
            continue
        if _TIMERS.match(call.name) and (module.language == "java" or _lasts(function)):
            yield fact("job.schedule", module, call.line, what=call.shown(60), function=function.title)
    for module, function in program.functions():
        if module.language not in ("go", "python") or _TRIES.search(function.name):
            continue
        pause = next((c for c in function.calls if _PAUSES.match(c.name) and _goes_round(c, function)), None)
        if pause is not None and _lasts(function) and not any(e.kind == "consume" for e in function.effects):
            yield fact("job.schedule", module, pause.line, what=pause.shown(60), function=function.title)


def _only_waits(loop: Block, pause: Call, function: Function) -> bool:
    """Whether nothing happens in a loop until somebody else is done: `while is_importing(): sleep(1)`."""
    asks = re.search(r"\w\(", loop.header.partition(":")[0]) is not None
    return asks and all(
        call is pause or call.line == loop.line or _TELLS.match(call.name) or words.LOG.search(call.callee)
        for call in function.calls
        if any(b is loop for b in call.inside)
    )


def _goes_round(pause: Call, function: Function) -> bool:
    """Whether the pause stands in an endless loop, or makes the ticker that one waits for, and no failure led
    to it.
    """
    if any(True for _ in pause.within("catch", "branch")):
        return False
    if any(_only_waits(b, pause, function) for b in pause.within("loop")):
        return False
    if pause.name == "NewTicker":
        return any(_ROUND.match(b.header.strip()) for c in function.calls for b in c.within("loop"))
    return any(_ROUND.match(b.header.strip()) for b in pause.within("loop"))


def _lasts(function: Function) -> bool:
    return any(e.kind in ("db.write", "publish", "outbox") or e.write for e in function.reach)
