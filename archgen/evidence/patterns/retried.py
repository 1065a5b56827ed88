"""What is tried again and must not be, and breakers that let everybody in when they try again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Class, Effect, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.breakers import is_breaker, whole
from archgen.evidence.patterns.common import FAR, calls, fact, line_in, marks
from archgen.evidence.patterns.retries import RETRY_MARK, retry_loops, retry_origin

# Whatever tells the peer that it has seen this before: a key, a version, a condition.
_KEYED = re.compile(
    r"idempoten|request_?id\b|requestId|dedup|if-match|if-none-match|client_?token|clientToken|nonce|"
    r"transaction_?id|operation_?id|correlation_?id",
    re.IGNORECASE,
)
_CREATES = re.compile(
    r"^(post\w*|request|exchange|send|Post\w*|Do|"
    r"(?i:create|charge|add|place|book|transfer|pay|send|submit|reserve|order|issue|refund|register|"
    r"subtract|decrement|increment|deduct|withdraw|deposit)\w*)$"
)
# What changes by an amount changes twice, by whichever method it is asked for.
_RELATIVE = re.compile(
    r"^(subtract|decrement|increment|deduct|withdraw|deposit|increase|decrease)", re.IGNORECASE
)
_IDEMPOTENT = re.compile(r"\b(put|PUT|Put|delete|DELETE|Delete|head|HEAD|get|GET)\b")
_ALWAYS = re.compile(
    r"retryCondition['\"]?\s*[:=]\s*(\(\w*\)|\w+)\s*=>\s*true|retryCondition:\s*axiosRetry\.isRetryableError"
)
_ALL_METHODS = re.compile(r"(allowed_methods|method_whitelist)\s*=\s*(None|False|\[[^\]]*[\"']POST)")
# A client that hands the same request to itself once more, whatever it asked for.
_AGAIN = re.compile(
    r"retry_?count\w*\s*(\+=|\+\+)[\s\S]{0,600}?\b\w+\(\s*(\w*[cC]onfig|\w*[rR]equest)\s*\)", re.IGNORECASE
)
_WRITE_METHOD = re.compile(r"@(?:\w+\.)*(Post|POST)(Mapping|Exchange)?\b|RequestMethod\.POST")

_HALF_SET = re.compile(r"(=|\(|set\w*\()\s*[\w.\"']*half[_-]?open", re.IGNORECASE)
_ADMITS_ONE = re.compile(
    r"probe|trial|in_?flight|half_?open_?(calls?|requests?|count|max|permits?|limit|attempts?|running|busy|gate)|"
    r"max_?half_?open|permits?\b|semaphore|TryAcquire|CompareAndSwap|compareAndSet|tryLock|try_acquire|"
    r"half[_-]?open[^\n]{0,60}:?\s*\n?\s*(raise|throw|return\s+(False|false|ErrOpen|nil,\s*Err))",
    re.IGNORECASE,
)


def retried(program: Program) -> Iterator[Fact]:
    """`retry.unsafe`: a call that creates something is made again with nothing that tells the peer."""
    for module, function in program.functions():
        for loop in retry_loops(module, function):
            inside = [e for e in function.reach if any(b is loop for b in e.call.inside)]
            yield from _unsafe(module, function, inside)
        handed = {c.callee for c in function.calls if retry_origin(c, module, function)}
        closed = [
            e
            for e in function.reach
            if any(b.kind == "closure" and b.header in handed for b in e.call.inside)
        ]
        yield from _unsafe(module, function, closed)
    for module, item, mark, line in marks(program):
        if not RETRY_MARK.search(mark) or "RetryableTopic" in mark:
            continue
        if isinstance(item, Function):
            yield from _unsafe(module, item, item.reach)
        else:
            yield from _client(module, item, line)
    for module, function, call in calls(program):
        text = call.text()
        if (call.name in ("axiosRetry", "default") and _ALWAYS.search(text)) or (
            call.name == "Retry" and _ALL_METHODS.search(text)
        ):
            yield fact("retry.unsafe", module, call.line, function=function.title, call="every method")
        if call.callee.endswith("interceptors.response.use") and (again := _AGAIN.search(function.body)):
            near = function.body[max(0, again.start() - 900) : again.end()]
            if not re.search(r"\.method\b|isRetryable", near) and not _KEYED.search(near):
                yield fact("retry.unsafe", module, call.line, function=function.title, call="every method")


def _unsafe(module: Module, function: Function, effects: Iterable[Effect]) -> Iterator[Fact]:
    for effect in effects:
        if (
            effect.kind == "remote"
            and effect.write
            and len(effect.via) < FAR
            and _creates(effect, function)
            and not _keyed(function, effect.call)
        ):
            yield fact(
                "retry.unsafe",
                module,
                effect.call.line,
                function=function.title,
                call=effect.call.shown(40),
            )
            return


# Numbers and spans are sent with the time that they are of: twice is once.
_NUMBERS = re.compile(r"metric|telemetry|remote_?write|span|trace", re.IGNORECASE)


def _creates(effect: Effect, function: Function) -> bool:
    if _NUMBERS.search(function.title) or words.READ_NAME.match(function.name):
        return False  # it asks, by whatever method
    name = effect.via[-1].rpartition(".")[2] if effect.via else effect.call.name
    if _RELATIVE.match(function.name):
        return True
    if effect.target == "http" and not effect.via:
        return not _IDEMPOTENT.search(f"{effect.call.name} {' '.join(effect.call.args[:2])}")
    return _CREATES.match(name) is not None and not re.match(r"(?i)put|delete|get", name)


def _keyed(function: Function, call: Call) -> bool:
    return _KEYED.search(function.body) is not None or _KEYED.search(call.text()) is not None


def _client(module: Module, one: Class, line: int) -> Iterator[Fact]:
    """A declared client whose every method is tried again, one that creates something among them."""
    for function in module.functions:
        if (
            function.owner == one.name
            and any(_WRITE_METHOD.search(m) for m in function.marks)
            and not words.READ_NAME.match(function.name)
        ):
            text = " ".join([one.body[:4000], *function.params, *function.marks])
            if not _KEYED.search(text):
                yield fact("retry.unsafe", module, line, function=one.name, call=function.name)
            return


def _never_raised(text: str) -> bool:
    """Whether a flag of a probe under way is asked and put down again, and nothing ever puts it up."""
    flags = set(
        re.findall(r"\bif\b[^\n]*?\b((?:self|this)\.\w*(?:prob|trial|in_?flight|busy)\w*)\s*[):{]", text)
    )
    raised = (rf"{re.escape(flag)}\s*(?:=(?!=)(?!\s*(?:False|false|0)\b)|\+=|\+\+|\.)" for flag in flags)
    return bool(flags) and not any(re.search(pattern, text) for pattern in raised)


def crowds(program: Program) -> Iterator[Fact]:
    """`breaker.crowd`: a breaker written by hand whose half-open state counts nobody who comes in."""
    told: set[str] = set()  # packages of Go, in which one breaker may be two structs
    for module, one in program.classes():
        package = module.path.rpartition("/")[0] if module.language == "go" else f"{module.path} {one.name}"
        text = whole(program, module, one)
        if (
            package in told
            or not is_breaker(program, module, one)
            or (_ADMITS_ONE.search(text) and not _never_raised(text))
        ):
            continue
        told.add(package)
        own = [f for f in module.functions if f.owner == one.name]
        at = next((line for f in own if (line := line_in(f, _HALF_SET))), one.line)
        yield fact("breaker.crowd", module, at, name=one.name)
