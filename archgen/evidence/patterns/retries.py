"""Calls that are tried again, by a library or in a loop: how often, and after which pause."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Block, Call, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, fact, marks

_RETRY_ORIGIN = re.compile(
    r"^(tenacity|backoff|stamina|retrying|retry\.|async-retry|p-retry|axios-retry|cockatiel\.retry|ts-retry|exponential-backoff|promise-retry|"
    r"github\.com/(cenkalti/backoff|avast/retry-go|hashicorp/go-retryablehttp|sethvargo/go-retry|eapache/go-resiliency/retrier)|"
    r"k8s\.io/(client-go/util/retry|apimachinery/pkg/util/wait\.(Exponential\w*Backoff\w*|Poll\w*Backoff\w*))|"
    r"org\.springframework\.retry|io\.github\.resilience4j\.retry|dev\.failsafe\.RetryPolicy)"
)
RETRY_MARK = re.compile(r"@(?:\w+\.)*(retry|Retryable|Retry|on_exception|RetryableTopic)\b")
# A task of Celery that waits before it is tried again, as often as it says.
_CELERY = re.compile(r"\btask\(.*\b(default_retry_delay|retry_backoff)\s*=", re.DOTALL)
_TASK = re.compile(r"(self|task\w*)$")
UNBOUNDED = re.compile(r"^(while\s*\(?\s*(True|true|1)\s*\)?|for\s*\(\s*;\s*;\s*\)|for)\s*:?$")
_ATTEMPTS = re.compile(
    r"attempt|\bretries\b|\btries\b|max_?\w*(tries|attempts)|\btries_?left|\bremaining\b|\bfailed\b|\b[ijn]\s*<|range\(\s*\w*[\d_]|deadline|\+\+\s*[<>]=?\s*\w|\bcnt\b|\bcount(er)?\s*[<>]",
    re.IGNORECASE,
)
_RETRY_WORD = re.compile(r"attempt|retr(y|ies)|tries|again|backoff|failed", re.IGNORECASE)
_OVER_THINGS = re.compile(r"\b(in|of|range)\b|\w\s*:\s*\w")
_CONSUMES = re.compile(
    r"\b(consume|poll|fetch|receive|accept|Accept|recv|Recv|next_message|ReadMessage|FetchMessage|select)\b|<-|"
    r"\.Read(Message|JSON|Frame|Line|String|Bytes)?\(|[nN]otification|\b[wW]ait(For|Once|_for_)\w*\("
)
_AGAIN = re.compile(r"\bcontinue\b")
# in Go it is a failure that is met again, and not the next page or entry
_GO_AGAIN = re.compile(
    r"\bif\b[^{\n]*(\berr\w*\b|\bok\b|Cause|errors\.)[^{\n]*\{[^{}]*\bcontinue\b|"
    r"\bif\s+err\w*\s*==\s*nil\s*\{[^{}]*\b(return|break)\b"
)
# Who failed is left behind, and the next one's turn begins.
_NEXT = re.compile(r"\b(idx|index|position|pos|offset|cursor|page)\w*\s*(\+=|\+\+)|=\s*next\(", re.IGNORECASE)
_ITERATES = re.compile(r"\b\w*([iI]ter|[rR]ows|[cC]ursor|[sS]canner)\w*\.(Next|Scan)\w*\(")
_JITTER = re.compile(r"random|jitter|rand\.", re.IGNORECASE)
# Whoever sits before it answers again, and may stop.
_ASKS_SOMEBODY = re.compile(r"(?<![\w.])(input|getpass|prompt|readline)\(")
_GROWS = re.compile(
    r"\*\*|\*=\s*2|<<|Math\.pow|math\.Pow|exponential|backoff|2\s*\*|\*\s*2|multiplier", re.IGNORECASE
)


def retry_origin(call: Call, module: Module, function: Function) -> bool:
    """Whether a call hands something to a library that tries it again."""
    return _RETRY_ORIGIN.search(origin_of(call, module, function)) is not None


def retries(program: Program) -> Iterator[Fact]:
    """`retry` with `bounded`, `backoff`, `jitter`, and whether it is `near` calls to peers: a
    library's, or a loop.
    """
    remote = {m.path for m, f in program.functions() if any(e.kind == "remote" for e in f.effects)}
    for module, function, call in calls(program):
        if _RETRY_ORIGIN.search(origin_of(call, module, function)):
            near = not remote.isdisjoint(function.reached_from()) or any(
                e.kind == "remote" for e in function.reach
            )
            jitter = "jitter" in call.text()
            yield fact(
                "retry",
                module,
                call.line,
                by=call.callee[:40],
                bounded=True,
                backoff=True,
                jitter=jitter,
                loop=False,
                near=near,
            )
        elif call.name == "retry" and _TASK.match(call.receiver) and "countdown" in call.keywords:
            said = {"by": call.callee[:40], "bounded": True, "backoff": True, "jitter": False, "loop": False}
            yield fact("retry", module, call.line, near=False, **said)
    for module, item, mark, line in marks(program):
        if _CELERY.search(mark):
            said = {"by": mark[:60], "bounded": True, "backoff": True, "jitter": False, "loop": False}
            yield fact("retry", module, line, near=False, **said)
            continue
        if RETRY_MARK.search(mark):
            near = isinstance(item, Function) and any(e.kind == "remote" for e in item.reach)
            yield fact(
                "retry",
                module,
                line,
                by=mark[:60],
                bounded=True,
                backoff=True,
                jitter="jitter" in mark,
                loop=False,
                near=near,
            )
    for module, function in program.functions():
        near = not remote.isdisjoint(function.reached_from()) or any(
            e.kind == "remote" for e in function.reach
        )
        yield from _loops(module, function, near)


def retry_loops(module: Module, function: Function) -> Iterator[Block]:
    """Loops that try again: a caught failure inside a loop, whose success leaves the loop."""
    lines = function.body.split("\n")
    loops = {id(b): b for call in function.calls for b in call.within("loop")}
    for loop in loops.values():
        if _OVER_THINGS.search(loop.header) and not _ATTEMPTS.search(loop.header):
            continue  # one turn per thing, not one per attempt
        if module.language == "python" and re.match(r"(async\s+)?for\s*\($", loop.header.strip()):
            continue  # over several lines
        if not UNBOUNDED.match(loop.header.strip()) and not _RETRY_WORD.search(function.body):
            continue
        body = "\n".join(lines[loop.line - function.line : loop.end - function.line + 1])
        catches = [
            c
            for c in function.catches
            if loop.line <= c.line <= loop.end and not re.match(r"(final\s+)?InterruptedException\b", c.types)
        ]
        queue = re.match(r"while\s*\(?\s*(\w+)(\.length)?\b", loop.header.strip())
        if queue and re.search(rf"\b{queue[1]}\.(pop|popleft|shift|poll|remove|get_nowait)\(", body):
            continue  # one turn per thing that waits
        inner = [b for b in loops.values() if b is not loop and loop.line <= b.line and b.end <= loop.end]
        # what fails in a loop further in is tried again there, or left out
        catches = [c for c in catches if not any(b.line <= c.line <= b.end for b in inner)]
        if module.language == "go" and _ITERATES.search(body) and not _ATTEMPTS.search(loop.header):
            continue
        if any(_NEXT.search(catch.body) for catch in catches) or _ASKS_SOMEBODY.search(body):
            continue
        caught = bool(catches) or (
            module.language == "go"
            and re.search(
                r"err\w*\s*!=\s*nil|err\s*==|Cause\(err|errors\.(Is|As)|,\s*ok\s*:?=\s*\w+\(err", body
            )
            is not None
        )
        # a try that ends in return or break is tried again only after a failure
        leaves = re.search(r"\b(return|break)\b", body) is not None
        own = _without_inner(body) if _AGAIN.search(body) else body
        again = (
            _GO_AGAIN.search(body) if module.language == "go" else _AGAIN.search(own)
        ) is not None or any(
            not _gives_up(lines[catch.line - function.line + 1 : catch.end - function.line + 1])
            for catch in catches
        )
        if caught and leaves and again and not (module.language == "go" and _leaves_at_once(body)):
            yield loop


_LOOPS = re.compile(r"^\s*(?:\w+:\s*)?(?:async\s+)?(?:for|while)\b")


def _without_inner(body: str) -> str:
    """The text of a loop without the loops inside of it, as far as indentation tells."""
    kept: list[str] = []
    deep = -1
    for number, line in enumerate(body.split("\n")):
        indent = len(line) - len(line.lstrip())
        if deep >= 0 and line.strip() and indent <= deep:
            deep = -1
        if deep < 0 and number and _LOOPS.match(line):
            deep = indent
        if deep < 0:
            kept.append(line)
    return "\n".join(kept)


_GO_FAILED = re.compile(r"\bif\b[^\n{]*\berr\w*\s*!=\s*nil[^\n{]*\{([^{}]*)\}")


_GO_EACH = re.compile(r"\bfor\b[^\n{]*\brange\b[^\n{]*\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}")


def _leaves_at_once(body: str) -> bool:
    """Whether every failure in a loop of Go ends it: its turns are pages or entries, not attempts."""
    # what is done for each of several things within a turn is no attempt
    handlers = _GO_FAILED.findall(_GO_EACH.sub("", body))
    return bool(handlers) and all(
        re.search(r"\b(return|break|panic|os\.Exit|Fatalf?)\b", text) for text in handlers
    )


def _loops(module: Module, function: Function, near: bool) -> Iterator[Fact]:
    """Loops that try again, with how often and after which pause."""
    lines = function.body.split("\n")
    for loop in retry_loops(module, function):
        body = "\n".join(lines[loop.line - function.line : loop.end - function.line + 1])
        if re.search(r"\byield\b", body):
            continue  # it hands on what comes, one after the other
        inside = [c for c in function.calls if any(b is loop for b in c.inside)]
        # `retry.wait()` computes a pause; what pauses is awaited, or sleeps
        waits = [
            c
            for c in inside
            if re.search(r"(sleep|delay|setTimeout|After|backoff|park)$", c.name, re.IGNORECASE)
            or (c.awaited and re.search(r"wait|pause|retry", c.name, re.IGNORECASE))
            or (module.language == "go" and c.args and re.search(r"^[wW]ait|[pP]ause", c.name))
        ]
        unbounded = UNBOUNDED.match(loop.header.strip()) is not None and (
            not _ATTEMPTS.search(body) or _never_gives_up(module, function, loop)
        )
        does = {e.kind for e in function.reach if any(b is loop for b in e.call.inside)} - {"log", "wait"}
        # of two who change a row at once, one begins again
        asks = near and not (does and does <= {"db.read", "db.write", "tx", "commit"})
        consumer = _CONSUMES.search(
            re.sub(r"\bfetch\(", "", body) if module.language == "typescript" else body
        )
        if consumer and not waits:
            continue
        yield fact(
            "retry", module, loop.line, by="loop", loop=True, bounded=not unbounded, backoff=bool(waits),
            grows=any(_GROWS.search(f.body) for f in module.functions),
            jitter=any(_JITTER.search(f.body) for f in module.functions if f.name),
            function=function.title, consumer=consumer is not None, near=asks,
        )  # fmt: skip


def _never_gives_up(module: Module, function: Function, loop: Block) -> bool:
    """Whether nothing in the loop but the try itself leaves it, so that counting failures changes nothing."""
    tries = {id(b): b for c in function.calls for b in c.within("try") if loop.line <= b.line <= loop.end}
    if module.language == "go" or not tries:
        return False
    kept = [
        line
        for number, line in enumerate(function.body.split("\n"), function.line)
        if loop.line < number <= loop.end and not any(b.line <= number <= b.end for b in tries.values())
    ]
    return re.search(r"\b(raise|throw|return|break|exit|abort)\b", "\n".join(kept)) is None


def _gives_up(handler: list[str]) -> bool:
    """Whether a handler always ends in raising or returning, as far as its indentation tells."""
    body = [line for line in handler if line.strip(" })\t")]
    if not body:
        return False
    first, last = body[0], body[-1]
    indent = len(last) - len(last.lstrip())
    return re.match(r"\s*(raise|throw|return|break)\b", last) is not None and indent <= len(first) - len(
        first.lstrip()
    )
