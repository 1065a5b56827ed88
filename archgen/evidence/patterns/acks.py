"""Messages acknowledged before they are worked on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Block, Call, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import fact
from archgen.evidence.patterns.transactions import tx_block

_HANDLER = re.compile(
    r"^(handler|handle|callback|cb|fn|process|consumer|listener|onMessage|on_message|action)$"
)
_HANDLES = re.compile(r"(handler|processor|listener|use_?case|service|strategy)$", re.IGNORECASE)


def acknowledgements(program: Program) -> Iterator[Fact]:
    """`ack_early`, `requeue.endless`."""
    for module, function in program.functions():
        yield from _acks(module, function)
        yield from _endless(module, function)


_BACK = re.compile(
    r"^(?:basicReject\([^,]+,\s*true\)|basicNack\([^,]+,[^,]+,\s*true\)|basic_(?:nack|reject)\(.*requeue=True.*\)|"
    r"Reject\(true\)|Nack\([^,]+,\s*true\)|nack\([^,]+(?:,[^,]+,\s*true)?\)|reject\([^,]+,\s*true\))$"
)
_COUNTS = re.compile(
    r"x-death|redeliver|attempt|retr(y|ies)|count|delay|dead|dlq|sleep|pause|limit", re.IGNORECASE
)


def _endless(module: Module, function: Function) -> Iterator[Fact]:
    """`requeue.endless`: what failed is put back into its queue at once, however often it has."""
    for call in function.calls:
        if not call.receiver or not _BACK.match(f"{call.name}{call.text()[len(call.callee) :]}"):
            continue
        if module.language in ("java", "python", "typescript") and not any(call.within("catch")):
            continue
        broker = any(words.BROKER_IMPORT.search(item.module) for item in module.imports)
        if broker and not _COUNTS.search(function.body):
            yield fact("requeue.endless", module, call.line, function=function.title)
            return


def _acks(module: Module, function: Function) -> Iterator[Fact]:
    """A message acknowledged before its handler is done, or after it was refused."""
    yield from _refused(module, function)
    if _GIVES_UP.search(function.name):
        return  # the work is not to be done
    yield from _settled_first(module, function)
    yield from _whatever_came(module, function)
    yield from _uncommitted(function, module)
    for ack in (e for e in function.effects if e.kind == "ack"):
        scope = ack.call.inside
        for call in function.calls:
            if call is ack.call or (
                call.inside[: len(scope)] != scope and scope[: len(call.inside)] != call.inside
            ):
                continue
            if not (
                (call.callee in function.params and _HANDLER.match(call.name))
                or _HANDLER.match(call.callee)
                or (_HANDLER.match(call.name) and re.search(_HANDLES, call.receiver))
                or any(e.call is call and (e.kind == "db.write" or e.write) for e in function.reach)
            ):
                continue
            if call.line > ack.call.line and not any(
                b.kind in ("catch", "branch") for b in ack.call.inside[-1:]
            ):
                yield fact(
                    "ack_early",
                    module,
                    ack.call.line,
                    function=function.title,
                    why="before the handler is called",
                )
                return
            promised = module.language == "typescript" and re.search(
                r"async|Promise|=>\s*\{", "".join(function.params.values()) + function.body[:2000]
            )
            if (
                module.language == "typescript"
                and call.discarded
                and not call.awaited
                and call.line < ack.call.line
                and promised
            ):
                yield fact(
                    "ack_early",
                    module,
                    call.line,
                    function=function.title,
                    why="without awaiting the handler",
                )
                return


_SETTLES = re.compile(r"ack|settle|delete|commit|confirm|done|complete|finish", re.IGNORECASE)
_GIVES_UP = re.compile(r"^_*(abort|discard)", re.IGNORECASE)
_WORKS = re.compile(r"^_*(handle|process|dispatch|on_?message)\w*$", re.IGNORECASE)


def _settled_first(module: Module, function: Function) -> Iterator[Fact]:
    """What was acknowledged is then handed on to be worked on, or its handler is called only then."""
    for ack in (e for e in function.reach if e.kind == "ack"):
        if ack.via and not _SETTLES.search(ack.call.name):
            continue
        apart = [b for b in ack.call.inside if b.kind in ("catch", "branch", "finally")]
        loop = next((b for b in reversed(ack.call.inside) if b.kind == "loop"), None)
        settled = {ack.call.receiver, *(re.findall(r"\w+", loop.header.partition(" in ")[2]) if loop else ())}
        settled -= {"self", "this", ""}
        for call in function.calls:
            behind = call.line > (loop.end if loop else ack.call.line)
            if not behind or any(all(b is not c for c in call.inside) for b in apart):
                continue
            if any(b.kind == "catch" for b in call.inside) or words.LOG.search(call.callee):
                continue
            given = (
                call.awaited
                and not ack.via
                and any(re.fullmatch(r"\w+", a) and a in settled for a in call.args)
            )
            if given or _WORKS.match(call.name):
                yield fact(
                    "ack_early", module, ack.call.line, function=function.title, why="before it is worked on"
                )
                return


_MEETS = re.compile(
    r"\b(raise|throw|return|reject|nack|nacks|requeue|negative\w*|dead\w*|retry\w*|park\w*)\b", re.IGNORECASE
)


def _whatever_came(module: Module, function: Function) -> Iterator[Fact]:
    """Acknowledged in the end, also where the work has failed and that was only told."""
    ended = (e.call for e in function.reach if e.kind == "db.write" and _ENDS_ROW.match(e.call.name))
    for ack in (*(e.call for e in function.effects if e.kind == "ack"), *ended):
        last = next((b for b in reversed(ack.inside) if b.kind == "finally"), None)
        passed = last and next(
            (c for c in function.catches if c.end <= last.line + 1 and not _MEETS.search(c.body) and c.tried),
            None,
        )
        worked = passed and any(
            any(b is passed.tried for b in call.inside) and _DOES.match(call.name) for call in function.calls
        )
        if worked:
            why = "also what has failed"
            yield fact("ack_early", module, ack.line, function=function.title, why=why)
            return


# Spring sends these on its own, once the listener and the transaction around it have ended.
_BY_THE_CONTAINER = re.compile(r"acknowledge|commitOffsets")


def _uncommitted(function: Function, module: Module) -> Iterator[Fact]:
    """Acknowledged inside of the transaction of its work: if that does not commit, both are lost."""
    changes = [e.call for e in function.reach if e.kind == "db.write" and not e.late]
    if not changes:
        return
    whole = any(words.TX_MARK.search(mark) for mark in function.marks)
    for ack in (e.call for e in function.reach if e.kind == "ack" and not e.late):
        if _BY_THE_CONTAINER.match(ack.name) or any(ack.within("catch")):
            continue
        block = None if whole else tx_block(ack, set())
        inside = changes if whole else [c for c in changes if block and any(b is block for b in c.inside)]
        if any(c is not ack and c.line <= ack.line for c in inside):
            why = "inside of the transaction that the work is done in"
            yield fact("ack_early", module, ack.line, function=function.title, why=why)
            return


_ENDS_ROW = re.compile(
    r"_*((mark|set)_?)?([aA]s_?)?([dD]one|[pP]rocessed|[cC]ompleted?|[fF]inished|[hH]andled)(?![a-z])|"
    r"_*(ack|remove|delete)_?([jJ]ob|[eE]vent|[mM]essage|[tT]ask)s?$"
)
_DOES = re.compile(
    r"_*(call|notify)_?(subscriber|listener|handler)s?|_*(handle|process|on_?message|execute|work|dispatch|consume|run|callback)\w*$",
    re.IGNORECASE,
)


def _refused(module: Module, function: Function) -> Iterator[Fact]:
    """A refusal in a branch that does not leave, and an acknowledgement that follows all the same."""
    acks = [e.call for e in function.effects if e.kind == "ack"]
    lines = function.body.split("\n")
    for reject in (e.call for e in function.effects if e.kind == "reject"):
        around = [*reject.within("branch", "catch")][::-1]
        if not around:
            continue
        branch = around[0]
        after = next(
            (a for a in acks if a.line > branch.end and not any(b is branch for b in a.inside)), None
        )
        apart = [b for b in around if after and not any(b is c for c in after.inside)]
        leaves = any(_left_behind(lines, function, reject, block) for block in apart)
        if after is not None and not leaves and branch in apart:
            shared = [b for b in reject.inside if b.kind in ("loop", "closure")]
            else_ = {line for block in around for line in (block.line, block.end)}
            if all(any(b is c for c in after.inside) for b in shared) and not any(
                b.kind == "branch" and b.line in else_  # one of those, or what is done else
                for b in after.inside
            ):
                yield fact(
                    "ack_early", module, after.line, function=function.title, why="what it has just refused"
                )
                return


def _left_behind(lines: list[str], function: Function, reject: Call, block: Block) -> bool:
    """Whether what surrounds a refusal ends in leaving."""
    inside = "\n".join(lines[reject.line - function.line : block.end - function.line + 1])
    leaves = re.compile(r"^\s*(return|continue|break|throw|raise|panic)\b", re.MULTILINE)
    return leaves.search(_outer(inside)) is not None


def _outer(text: str) -> str:
    """What of `text` stands no deeper than where it began: a nested return does not leave."""
    depth, kept = 0, []
    for line in text.split("\n"):
        if depth <= 0:
            kept.append(line)
        depth += line.count("{") - line.count("}")
    return "\n".join(kept)
