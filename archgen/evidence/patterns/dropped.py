"""Errors as values that Go code lets go, or wraps when they are nil."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code.model import Call, Function, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.background import UPKEEP
from archgen.evidence.patterns.common import CLOSES, fact

_GO_CHECK = re.compile(r"if\s+(?:[^;{\n]*;\s*)?(?:err|\w+Err|err[A-Z2-9]\w*)\s*!=\s*nil\s*\{([^{}]*)\}")
_GO_TOLD = re.compile(r"(?m)^.*\b(log\w*|logger|slog|fmt\.Print\w*|zap|l\.|span)\b.*$", re.IGNORECASE)
_GO_RETURNS = re.compile(
    r"^(Exec|ExecContext|NamedExec\w*|InsertOne|InsertMany|UpdateOne|UpdateMany|DeleteOne|DeleteMany|ReplaceOne)$"
)


_PREPARES = re.compile(r"(init|setup|migrate|seed|ensure)\w*$", re.IGNORECASE)
_MAY_FAIL = re.compile(r"func\b[^{]*\berror\b[^{]*\{")
# Who asked for an answer waits for it only so long, and asks again.
_REPLY = re.compile(r"\.(ReplyTo|Reply)\b")


def dropped(program: Program) -> Iterator[Fact]:
    """Errors that Go code lets go: `error.swallowed`, `error.publish_swallowed`, `error.commit_swallowed`."""
    bodies = {(m.path, c.name): c.body for m, c in program.classes() if m.language == "go"}
    for module, function in program.functions():
        if module.language != "go" or CLOSES.fullmatch(function.name):
            continue
        lines = function.body.split("\n")
        quiet = {
            function.line + function.body.count("\n", 0, m.start())
            for m in _GO_CHECK.finditer(function.body)
            if m[1].strip() and not _GO_TOLD.sub("", m[1]).strip()
        }
        for effect in function.effects:
            call = effect.call
            if any(b.kind == "finally" for b in call.inside) or effect.via:
                continue
            text = lines[call.line - function.line] if call.line - function.line < len(lines) else ""
            blank = call.discarded or re.match(r"\s*_(\s*,\s*_)?\s*=", text) is not None
            if effect.kind == "commit" and blank:
                yield fact("error.commit_swallowed", module, call.line, function=function.title)
            elif effect.kind == "db.write" and blank and _GO_RETURNS.match(call.name):
                if _PREPARES.match(function.name) or "migrat" in module.path:
                    continue  # what fails there, the first use tells
                yield fact(
                    "error.swallowed",
                    module,
                    call.line,
                    function=function.title,
                    types="no error",
                    logged=False,
                    writes=True,
                )
            elif effect.kind == "publish" and (blank or {call.line, call.line + 1} & quiet):
                if _cannot_fail(call, bodies.get((module.path, function.owner), "")):
                    continue
                own = [f for f in module.functions if f.name == call.name and f.owner == function.owner]
                if own and call.receiver and not any(_MAY_FAIL.match(f.body) for f in own):
                    continue  # it says nothing, and is told of itself
                text = " ".join([*call.args, *(arg for c in function.calls for arg in c.args)])
                lost = {
                    "call": call.shown(50),
                    "answer": _REPLY.search(text) is not None,
                    "logged": not blank,
                }
                yield fact("error.publish_swallowed", module, call.line, function=function.title, **lost)


_MADE = re.compile(r"^(\t+)\w+(?:\s*,\s*\w+)*\s*,\s*err\s*:?=\s*([\w.]+)\(.*\)\s*$")
_GIVEN = re.compile(r"^\t+(?:\w+\s*,\s*)*err\s*:?=")


def overwritten(program: Program) -> Iterator[Fact]:
    """`error.swallowed`: an error of Go that the next call overwrites before anybody has looked at it."""
    for module, function in program.functions():
        if module.language != "go" or ", err" not in function.body:
            continue
        lines = function.body.split("\n")
        for number, line in enumerate(lines):
            made = _MADE.match(line)
            if made is None:
                continue
            for later in lines[number + 1 :]:
                if later.strip() and not later.startswith(made[1]):
                    break  # the block ends, and what follows may look
                if "err" not in re.findall(r"\w+", later):
                    continue
                again = _GIVEN.match(later) is not None and later[len(made[1])] != "\t"
                if again and not re.search(r"\berr\b", later.partition("=")[2]):
                    said = {"types": "an error that is overwritten", "logged": False, "writes": True}
                    yield fact(
                        "error.swallowed", module, function.line + number, function=function.title, **said
                    )
                break


_DROPS = re.compile(r"\s*(\w+\s*,\s*)?_\s*:?=")


def unanswered(program: Program) -> Iterator[Fact]:
    """`error.swallowed`: a request of Go that changes something, whose error is dropped."""
    for module, function in program.functions():
        if module.language != "go" or CLOSES.fullmatch(function.name):
            continue
        lines = function.body.split("\n")
        for effect in function.effects:
            at = effect.call.line - function.line
            text = lines[at] if at < len(lines) else ""
            if effect.kind == "remote" and effect.write and _DROPS.match(text):
                said = {"types": "no error", "logged": False, "writes": True}
                yield fact("error.swallowed", module, effect.call.line, function=function.title, **said)


_SAYS = re.compile(r"MQ$|[pP]ublish|[sS]end|[eE]mit|[pP]roduce|[eE]nqueue|[nN]otify")


def logged_away(program: Program) -> Iterator[Fact]:
    """`error.publish_swallowed`: a function of Go sends or enqueues through another, and only writes to a log
    that this has failed.
    """
    for module, function in program.functions():
        if module.language != "go" or not function.name or CLOSES.fullmatch(function.name):
            continue
        mute = not _MAY_FAIL.match(function.body)
        quiet = {
            function.line + function.body.count("\n", 0, m.start())
            for m in _GO_CHECK.finditer(function.body)
            if m[1].strip() and not _GO_TOLD.sub("", m[1]).strip(" \n\t,)")
        }
        for effect in function.reach:
            call = effect.call
            said = _SAYS.search(call.name) is not None
            if effect.kind == "enqueue":
                # a wrapper around the queue may have any name; what leads there in the end has to say so
                counts = said or len(effect.via) < 2
            else:
                counts = effect.kind == "publish" and bool(effect.via) and said and mute
            if not counts or not {call.line, call.line + 1} & quiet:
                continue
            if any(call.within("finally", "spawn")) and effect.kind != "enqueue":
                continue
            lost = {"call": call.shown(50), "answer": False, "logged": True}
            yield fact("error.publish_swallowed", module, call.line, function=function.title, **lost)
            break


def unasked(program: Program) -> Iterator[Fact]:
    """`error.swallowed`: a function of the project that makes a change is not asked whether it failed."""
    named: dict[str, list[Function]] = defaultdict(list)
    for _, function in program.functions():
        named[function.title].append(function)
    for module, function in program.functions():
        if module.language != "go" or CLOSES.fullmatch(function.name) or _PREPARES.match(function.name):
            continue
        for effect in function.reach:
            call = effect.call
            matters = effect.kind in ("db.write", "publish") or (effect.kind == "remote" and effect.write)
            if not effect.via or not call.discarded or not matters:
                continue
            led = named.get(effect.via[0], [])
            if not led or not all(_LAST_ERROR.match(one.body) for one in led) or UPKEEP.search(call.callee):
                continue
            if any(call.within("finally", "catch", "spawn", "closure")) or CLOSES.fullmatch(call.name):
                continue
            said = {"types": "no error", "logged": False, "writes": True}
            yield fact("error.swallowed", module, call.line, function=function.title, **said)
            break  # what is not asked once is mostly never asked


# `func (c *Client) Done(x int) error {`, `func f() (*A, error) {`
_LAST_ERROR = re.compile(r"func\b[^{]*\)\s*(?:error|\([^(){]*\berror\))\s*\{")


def _cannot_fail(call: Call, struct: str) -> bool:
    """Whether what is called is a field of the receiver's, and a function that can't say that it failed."""
    field = re.search(rf"(?m)^\s*{re.escape(call.name)}\s+func\(.*$", struct) if call.receiver else None
    return field is not None and "error" not in field[0]


def wrapped_wrong(program: Program) -> Iterator[Fact]:
    """`error.lost`: Go code that checks one error and wraps or returns another, which is nil there."""
    check = re.compile(r"if\s+(?:(\w+)\s*:?=\s*[^;{]*;\s*)?(\w+)\s*!=\s*nil\s*\{([^{}]*)\}")
    for module, function in program.functions():
        if module.language != "go":
            continue
        for match in check.finditer(function.body):
            checked, body = match[2], match[3]
            if not re.search(r"err", checked, re.IGNORECASE):
                continue
            returned = re.search(
                r"return[^\n]*\b(?:errors\.(?:Wrap|Wrapf|WithMessage|WithStack)\(\s*(\w+)|fmt\.Errorf\([^\n]*%w[^\n]*,\s*(\w+)\s*\))",
                body,
            )
            used = (returned[1] or returned[2]) if returned else ""
            if re.match(r"[eE]rr[A-Z]", used):
                continue  # an error of its own, which a package declares
            if (
                used
                and used != checked
                and re.search(r"err", used, re.IGNORECASE)
                and not re.search(rf"\b{re.escape(checked)}\b", body)
            ):
                line = function.line + function.body.count("\n", 0, match.start(3) + returned.start())  # type: ignore[union-attr]
                commit = (
                    re.search(r"[cC]ommit", function.body[max(0, match.start() - 120) : match.end()])
                    is not None
                )
                yield fact(
                    "error.lost",
                    module,
                    line,
                    function=function.title,
                    checked=checked,
                    used=used,
                    commit=commit,
                )
