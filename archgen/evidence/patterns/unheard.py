"""Failures that nobody hears: of a promise, a future or a thread that is not asked, and of an error that
is written to a log before success is reported.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code.model import Call, Effect, Function, Module, Program, ending
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.background import UPKEEP
from archgen.evidence.patterns.common import CLOSES, FAR, fact

_ASYNC = re.compile(
    r"^\s*(?:@[^\n]*\n\s*)*(?:(?:export|default|public|private|protected|static|override)\s+)*async\b"
)
# What a process does once, and what waits for what follows.
_ONCE = re.compile(
    r"(bootstrap|main|start\w*|init\w*|setup|on(Module|Application)\w*|constructor|connect\w*|listen\w*)$",
    re.I,
)


def unheard(program: Program) -> Iterator[Fact]:
    """`error.swallowed` and `error.publish_swallowed` where nothing is caught, and nothing is met either."""
    named: dict[str, list[Function]] = defaultdict(list)
    for _, function in program.functions():
        named[function.title].append(function)
    for module, function in program.functions():
        if CLOSES.fullmatch(function.name):
            continue
        if module.language == "typescript":
            yield from _promises(module, function, named)
            yield from _left_to_a_log(module, function)
        elif module.language == "java":
            yield from _futures(module, function)
        elif module.language == "go":
            yield from _logged(module, function)
        else:
            yield from _threads(module, function)


def _changes(effect: Effect) -> bool:
    return effect.kind in ("db.write", "publish") or (effect.kind == "remote" and effect.write)


def _promises(module: Module, function: Function, named: dict[str, list[Function]]) -> Iterator[Fact]:
    """An asynchronous function of the project that makes a change and is called without waiting for it."""
    if not function.name or _ONCE.match(function.name):
        return
    lines = function.body.split("\n")
    told: set[int] = set()
    asked = [e.call.callee for e in function.effects if _changes(e)]
    for call in function.calls:
        chained = call.name == "toPromise" and call.discarded and not call.awaited
        if chained and any(call.callee.startswith(callee) for callee in asked):
            said = {"types": "no promise", "logged": False, "writes": True}
            yield fact("error.swallowed", module, call.line, function=function.title, **said)
    for effect in function.reach:
        call = effect.call
        if not effect.via or not call.discarded or call.awaited or call.line in told or not _changes(effect):
            continue
        text = lines[call.line - function.line] if call.line - function.line < len(lines) else ""
        led = named.get(effect.via[0], ())
        if len(led) != 1 or not _ASYNC.match(led[0].body) or led[0].catches or re.match(r"\s*void\s", text):
            continue  # it sees to its own failures, or somebody says that it is meant
        if any(call.within("catch", "closure")) or UPKEEP.search(call.callee):
            continue
        if not _means(call, led[0], module, function):
            continue
        told.add(call.line)
        said = {"types": "no promise", "logged": False, "writes": True}
        yield fact("error.swallowed", module, call.line, function=function.title, **said)


_ONLY_TOLD = re.compile(
    r"\(?\s*\w*(?:\s*:\s*\w+)?\s*\)?\s*=>\s*\{?\s*(?:(?:[\w.?]*\.)?(?:log|logger|console|error|warn)\b[^;{}]*(?:\{[^{}]*\}[^;{}]*)?;?\s*)?\}?$",
    re.IGNORECASE,
)


def _left_to_a_log(module: Module, function: Function) -> Iterator[Fact]:
    """A message or a job whose failure only a log hears: `enqueue(x).catch((e) => logger.error(e))`."""
    sent = [e for e in function.reach if e.kind in ("publish", "enqueue") and len(e.via) < FAR]
    for call in function.calls if sent else ():
        if call.name != "catch" or not call.discarded or not call.args or not _ONLY_TOLD.match(call.args[0]):
            continue
        asked = call.callee.partition("(")[0]
        if any(e.call.callee == asked and abs(e.call.line - call.line) < _CHAIN for e in sent):
            lost = {"call": ending(asked, 50), "answer": False, "logged": True}
            yield fact("error.publish_swallowed", module, call.line, function=function.title, **lost)


_CHAIN = 12  # lines over which a chain of calls may go


def _means(call: Call, target: Function, module: Module, function: Function) -> bool:
    """Whether it is sure that `target` is called, and no method of a library that has the same name."""
    holder = call.receiver
    if not holder or not target.owner or holder in ("this", "self"):
        return True
    known = function.params.get(holder) or module.types.get(holder, "")
    words = re.sub(r"[^a-z]", "", holder.lower())
    return target.owner in known or (len(words) > 3 and words in target.owner.lower())


_TEMPLATE = re.compile(r"kafka_?template|kafka_?producer|KafkaTemplate|KafkaProducer", re.IGNORECASE)


def _futures(module: Module, function: Function) -> Iterator[Fact]:
    """A message of Kafka's that is handed over, and of which nobody asks whether it has arrived."""
    waits = re.search(r"\.flush\(\)", function.body)
    for effect in function.effects:
        call = effect.call
        holder = f"{call.receiver} {module.types.get(call.receiver, '')}"
        if effect.kind != "publish" or call.name != "send" or not _TEMPLATE.search(holder) or waits:
            continue
        if (
            call.discarded
            and not any(call.within("try"))
            and not any("->" in arg or "::" in arg for arg in call.args)
        ):
            lost = {"call": call.shown(50), "answer": False, "logged": False, "asked": False}
            yield fact("error.publish_swallowed", module, call.line, function=function.title, **lost)
            return


_CHECKED = re.compile(r"if\s+(?:[^;{\n]*;\s*)?\w*[eE]rr\w*\s*!=\s*nil\s*\{([^{}]*)\}")
_TOLD = re.compile(r"(?m)^.*\b(log\w*|logger|slog|fmt\.Print\w*|zap|klog|span)\b.*$", re.IGNORECASE)
_LEAVES = re.compile(r"\b(return|continue|break|goto|panic)\b")
_FAILS = re.compile(r"^func\b[^{]*\)\s*(?:\([^{)]*\berror\)|error)\s*\{")
_SUCCESS = re.compile(r"\breturn\b[^\n]*\bnil\s*$", re.MULTILINE)


# Who answers a request can say what has failed, and what is an answer that says nothing of it.
_ANSWERS = re.compile(r"\b(http\.ResponseWriter|\*?gin\.Context|echo\.Context|\*?fiber\.Ctx)\b")
_HANDLER = re.compile(r"\breturn func\(\w+ http\.ResponseWriter\b")
_ANSWERED = re.compile(
    r"\.Encode\(|\bw\.Write\(|Fprint\w*\(w,|WriteHeader\(http\.Status(OK|Created|NoContent)|http\.Redirect\(|"
    r"\.(JSON|Status|String|Redirect)\((http\.Status(OK|Created|NoContent|Found|SeeOther)|2\d\d|30\d)"
)


def _logged(module: Module, function: Function) -> Iterator[Fact]:
    """Go code that could say that a change has failed, writes it to a log instead, and reports success."""
    if _FAILS.match(function.body):
        success = _SUCCESS
    elif any(map(_ANSWERS.search, function.params.values())) or _HANDLER.search(function.body):
        success = _ANSWERED
    elif _SENDS.match(function.name) and _NO_RESULT.match(function.body) and not _TELLS.search(function.body):
        yield from _sent(module, function)
        return
    else:
        return
    for check in _CHECKED.finditer(function.body):
        if not check[1].strip() or _LEAVES.search(check[1]) or _TOLD.sub("", check[1]).strip():
            continue
        if not success.search(function.body, check.end()):
            continue
        line = function.line + function.body.count("\n", 0, check.start())
        made = [e for e in function.reach if _changes(e) and e.call.line in (line, line - 1)]
        if (
            made
            and not any(made[0].call.within("loop", "finally", "spawn"))
            and not UPKEEP.search(made[0].call.callee)
        ):
            said = {"types": "a logged error", "logged": True, "writes": True, "call": _name(made[0].call)}
            yield fact("error.swallowed", module, made[0].call.line, function=function.title, **said)
            return


# What is only there to tell somebody else.
_SENDS = re.compile(
    r"([pP]ost|[sS]end|[nN]otify|[pP]ublish|[dD]eliver|[pP]ush|[eE]mit|[dD]ispatch|[cC]all|[fF]ire|[tT]rigger)(?![a-z])"
)
_NO_RESULT = re.compile(r"^func\b[^{]*\)\s*\{")
_TELLS = re.compile(r"<-|\bpanic\(|\bchan\b|\bos\.Exit\(")


def _sent(module: Module, function: Function) -> Iterator[Fact]:
    """What a function of Go sends that can tell nobody of its failure, and writes it to a log."""
    if UPKEEP.search(function.title) or "rogress" in function.name:
        return  # the next one tells more
    for check in _CHECKED.finditer(function.body):
        kept = _TOLD.sub("", check[1]).replace("return", "").strip()
        line = function.line + function.body.count("\n", 0, check.start())
        made = [
            e for e in function.effects
            if _changes(e) and e.kind != "db.write" and e.call.line in (line, line - 1)
        ]  # fmt: skip
        if check[1].strip() and not kept and made and not UPKEEP.search(made[0].call.callee):
            said = {"types": "a logged error", "logged": True, "writes": True, "call": _name(made[0].call)}
            yield fact("error.swallowed", module, made[0].call.line, function=function.title, **said)
            return


def _name(call: Call) -> str:
    return call.shown(40)


def _threads(module: Module, function: Function) -> Iterator[Fact]:
    """Threads that are waited for, and of which nobody asks whether they have failed."""
    for call in function.calls:
        if call.name != "Thread" or "target" not in call.keywords or ".join(" not in function.body:
            continue
        name = call.keywords["target"].rpartition(".")[2]
        found = [f for f in module.functions if f.name == name]
        if any(any(map(_changes, f.reach)) and not f.catches for f in found) and not UPKEEP.search(name):
            said = {"types": "no thread", "logged": False, "writes": True}
            yield fact("error.swallowed", module, call.line, function=function.title, **said)
            return
