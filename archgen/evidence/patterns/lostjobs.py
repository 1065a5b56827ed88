"""Work that writes its own failure to a log and ends well: who had it done takes it as done, and nobody tries
it again.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from archgen.evidence.code.model import Block, Call, Catch, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import BROAD, fact, imports
from archgen.evidence.patterns.jobs import JOB_MARK, WORKER_IMPORT, tasks_of
from archgen.evidence.patterns.swallowed import acts

_CONSUMES = re.compile(
    r"@(?:\w+\.)*(KafkaListener|RabbitListener|JmsListener|SqsListener|StreamListener|PulsarListener|Incoming|"
    r"RabbitSubscribe|EventPattern|Process)\b"
)
_WORKS = re.compile(r"(^|[\s.])(Worker|define|process|work|createWorker)$")
_LISTENER = re.compile(
    r"(subscriber|listener|observer|handler|callback|hook)(\.\w+)?$|registry\.notify$", re.IGNORECASE
)
_EVENT = re.compile(r"event|message|msg|payload|notif|command|data", re.IGNORECASE)
# What a handler of errors may say that tells nobody but a reader of logs.
_TOLD = re.compile(
    r"(?m)^\s*(?:return\s*(?:None|null|undefined)?|continue|(?:error|warn|warning|debug|info)\(.*\))\s*;?\s*$"
)
# Failures that trying again may mend.
_PASSES = re.compile(
    r"timeout|timed_?out|connect|network|request|http|socket|\bIO|OSError|mail|smtp|send|unavailable|transient|api_?error|"
    r"client_?error|rpc",
    re.IGNORECASE,
)
_LOGS = re.compile(r"log|print|console|warn", re.IGNORECASE)
_KINDS = ("db.write", "publish", "enqueue", "remote", "commit")


def lost_jobs(program: Program) -> Iterator[Fact]:
    """`error.swallowed` within a job, a handler of messages, or around what hears of an event."""
    jobs = _jobs(program)
    for module, function in program.functions():
        for catch in function.catches:
            broad = BROAD.match(catch.types.strip()) is not None
            may_pass = _PASSES.search(catch.types) is not None and _LOGS.search(catch.body) is not None
            if not (broad or may_pass) or acts(_TOLD.sub("", catch.body)):
                continue
            tried = [c for c in function.calls if any(b is catch.tried for b in c.inside)]
            if broad and any(_of_events(c, catch) for c in tried):
                lost = "a failed subscriber"
            elif _is_work(tried, function, module, jobs, catch) and _does(function, catch):
                lost = "a failed job"
            else:
                continue
            said = {"types": lost, "logged": True, "writes": True}
            yield fact("error.swallowed", module, catch.line, function=function.title, **said)


def _jobs(program: Program) -> set[int]:
    """Functions that a queue or a broker calls, and those that only they call."""
    tasks = tasks_of(program)
    found = {
        id(function): function
        for module, function in program.functions()
        if function.name in tasks
        or any(
            _CONSUMES.match(mark) or (JOB_MARK.match(mark) and imports(module, WORKER_IMPORT))
            for mark in function.marks
        )
    }
    for _, function in program.functions():
        if function.name and function.callers and all(id(c) in found for c in function.callers):
            found[id(function)] = function
    return set(found)


def _is_work(tried: list[Call], function: Function, module: Module, jobs: set[int], catch: Catch) -> bool:
    """Whether the try is of a job as a whole, and not of one of the things that it goes through."""
    for call in tried:
        around = _around(call, catch)
        if any(block.kind in ("loop", "catch", "finally") for block in around):
            return False
        handed = [block for block in around if block.kind == "closure"]
        if handed:
            return imports(module, WORKER_IMPORT) and _WORKS.search(handed[-1].header) is not None
    return id(function) in jobs


def _around(call: Call, catch: Catch) -> list[Block]:
    """The blocks around the try of `catch`, from the outermost in."""
    return list(itertools.takewhile(lambda block: block is not catch.tried, call.inside))


def _does(function: Function, catch: Catch) -> bool:
    """Whether what is tried changes or asks for something elsewhere."""
    return any(
        e.kind in _KINDS and not e.late and any(b is catch.tried for b in e.call.inside)
        for e in function.reach
    )


def _of_events(call: Call, catch: Catch) -> bool:
    """Whether the call hands an event to one of several that have asked for it."""
    several = any(b.kind in ("loop", "closure") for b in _around(call, catch))
    return (
        several
        and _LISTENER.search(call.callee) is not None
        and _EVENT.search(" ".join(call.args)) is not None
    )
