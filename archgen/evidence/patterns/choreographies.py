"""Choreographed sagas: who hears of a failure takes back what was done."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Program
from archgen.evidence.facts import Fact, Facts
from archgen.evidence.patterns.common import calls, fact
from archgen.evidence.patterns.sagas import EVENT_NAME, FAILED_EVENT, REGISTERS, UNDO, reaction


def choreographed(program: Program) -> Iterator[Fact]:
    """A registration that ties the news of a failure to the command that takes something back."""
    for module, _, call in calls(program):
        if not REGISTERS.search(call.name):
            continue
        first = [re.split(r"[\s(,]", text)[0] for text in (*call.args, *call.keywords.values())]
        given = [word.strip("\"'`") for word in first]
        # the name of an event is written down, or is that of a class: a variable tells nothing
        named = [w.strip("\"'`") for w in first if EVENT_NAME.search(w)]
        heard = next((w for w in named if FAILED_EVENT.search(w.rpartition(".")[2])), "")
        done = next((w for w in given if w != heard and UNDO.search(w.rpartition(".")[2])), "")
        for event, command in reaction(call):
            yield fact("saga.reaction", module, call.line, event=event, command=command)
        if heard and done:
            yield fact("saga.choreographed", module, call.line, what=done, function=f"on {heard}")


def reacted(program: Program, facts: Facts) -> Iterator[Fact]:
    """`saga.choreographed`: who hears of a failure, or of one outcome among others, takes a change back."""
    if len(facts.services) < 2:
        return
    heard = {(f.file, str(f["function"]).rpartition(".")[2]) for f in facts.of("consumer")}
    named = {f.title: f for _, f in program.functions()}
    for module, function in program.functions():
        if (module.path, function.name) not in heard:
            continue
        told = " ".join((function.name, *function.marks, *function.params.values()))
        ways = [function, *(named[via] for e in function.reach for via in e.via[:1] if via in named)]
        for way in dict.fromkeys(ways):
            failed = FAILED_EVENT.search(told) is not None
            undone = next(
                (
                    e.call
                    for e in way.reach
                    if e.kind in ("db.write", "outbox")
                    and UNDO.search(e.call.name)
                    and e.via
                    and (failed or any(e.call.within("branch")))
                ),
                None,
            )
            if undone:
                yield fact(
                    "saga.choreographed",
                    program.modules[way.file],
                    undone.line,
                    what=undone.name,
                    function=function.title,
                )
                break
