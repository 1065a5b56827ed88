"""Telemetry that tells nothing: traces that are lost on the way, metrics that do nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from archgen.evidence.code.model import Class, Function, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import Sought, called, calls, does_nothing, fact, mentioned, outermost


def lost_traces(program: Program) -> Iterator[Fact]:
    """`trace.lost`: a call that is traced as one of a client and takes no context along; and what would
    continue the context of a request or message, and is used by nobody.
    """
    for module, function in program.functions():
        if not function.name:
            continue
        span = _CLIENT_SPAN.search(function.body)
        if span is None:
            continue
        near = [f for f in module.functions if f.owner == function.owner and f.name]
        # a method may open the span around what its class was handed to call
        callers = near if function.owner else [function]
        calls_peer = any(e.kind == "remote" for f in callers for e in f.reach)
        if calls_peer and not any(_INJECTS.search(f.body) for f in near):
            line = function.line + function.body[: span.start()].count("\n")
            why = "opens a span for a call, and the call takes no context along"
            yield fact("trace.lost", module, line, function=function.title, why=why)
    for module, function in program.functions():
        if not _CONTINUES.search(function.body) or not function.name or called(program, function):
            continue
        owner = next((c for c in module.classes if c.name == function.owner), None)
        named: Function | Class = owner or outermost(module, function)
        if named is owner and not re.fullmatch(r"__call__|dispatch|__enter__|process_request", function.name):
            continue
        if not named.marks and not mentioned(program, named.name, named):
            why = "would continue the trace of what comes in, and is used by nobody"
            yield fact("trace.lost", module, named.line, function=named.name, why=why)


_CLIENT_SPAN = re.compile(r"SpanKind\.(CLIENT|PRODUCER)\b")
_INJECTS = re.compile(r"\binject\w*\(|traceparent", re.IGNORECASE)
_CONTINUES = Sought(
    r"\bextract\((?!\s*\w+\s+(?i:from)\b)|SpanKind\.(CONSUMER|SERVER)\b|\bcontinued\(",
    ("extract(", "SpanKind.", "continued("),
    0,
)


_TELLS = re.compile(r"metric|trac(e|ing)|span|telemetry|stats|observ|meter", re.IGNORECASE)
_COUNTS = re.compile(r"_?(inc(rement|r)?|observe|count|gauge|record\w*|start_?span)$", re.IGNORECASE)


_STANDS_IN = re.compile(r"no_?op|null|dummy|disabled|fallback|default", re.IGNORECASE)


def _real(program: Program, stand_in: str, methods: set[str]) -> bool:
    """Whether another class has all methods of a stand-in, and does something in them."""
    found: dict[str, set[str]] = {}
    for _, function in program.functions():
        if function.name in methods and function.owner != stand_in and not does_nothing(function):
            found.setdefault(function.owner, set()).add(function.name)
    return any(methods <= names for owner, names in found.items() if owner)


def _twin(program: Program, one: Class) -> bool:
    """Whether a class of the same name and language does something: the name alone tells them not apart, and
    which of them is built in, a tag of the build may say.
    """
    kind = program.modules[one.file].language
    return any(
        other is not one
        and other.name == one.name
        and module.language == kind
        and any(f.owner == one.name and f.calls and not does_nothing(f) for f in module.functions)
        for module, other in program.classes()
    ) or any(
        module.path != one.file
        and module.language == kind == "go"
        and not does_nothing(function)
        and posixpath.dirname(module.path) == posixpath.dirname(one.file)
        for module, function in program.functions()
        if function.owner == one.name
    )


def silent_metrics(program: Program) -> Iterator[Fact]:
    """`telemetry.noop`: a class that looks like metrics or tracing and does nothing, where it is put
    to use.
    """
    for module, one in program.classes():
        own = [
            f
            for f in module.functions
            if f.owner == one.name and f.name not in ("__init__", "constructor", one.name)
        ]
        if not own or not all(does_nothing(f) for f in own):
            continue
        if not _TELLS.search(f"{module.path} {one.name}") and not any(_COUNTS.match(f.name) for f in own):
            continue
        if _twin(program, one):
            continue  # built in place of another of its name, which does something
        if _STANDS_IN.match(one.name) and _real(program, one.name, {f.name for f in own}):
            continue  # it says so, and there is one that does what it does not
        for user, function, call in calls(program):
            if call.callee.rpartition(".")[2] != one.name or function.owner == one.name:
                continue
            if user is module and not function.name and module.language == "go":
                continue  # that it fits its interface is asserted, or it is kept at hand
            # beside the real thing, in a branch or after one, it stands in where metrics are not wanted
            before = function.body.split("\n")[: call.line - function.line]
            returns = function.name and any(re.match(r"\s+return\b.*\(", line) for line in before)
            named = "".join(function.body.split("\n")[call.line - function.line :][:1]).rpartition("=")[0]
            if _STANDS_IN.search(f"{function.title} {named}"):
                continue  # kept at hand under its true name
            if any(call.within("branch")) and len(re.findall(r"\breturn\b", function.body)) > 1:
                continue  # for what nothing is to be told of
            if user.path != module.path or not (returns or any(call.within("branch", "catch"))):
                yield fact(
                    "telemetry.noop",
                    user,
                    call.line,
                    name=one.name,
                    at=f"{module.path}:{own[0].line}",
                    function=function.title,
                )
