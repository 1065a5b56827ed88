"""Requests that do what a request must not: change state on GET, leave something for the next."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Function, Module, Program
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.patterns.common import FAR, calls, fact, marks

_GET = re.compile(
    r"""@(?:\w+\.)*(get|Get|GetMapping|GET)\b(?!Mapping)|methods?\s*=\s*\[\s*["']GET["']\s*\]|RequestMethod\.GET"""
)


def static_state(program: Program) -> Iterator[Fact]:
    """`static_state`: what belongs to one request, kept where all requests share it."""
    for module, function in program.functions():
        yield from _statics(module, function)


def writing_questions(program: Program) -> Iterator[Fact]:
    """`get_writes`: a GET that changes state."""
    marked = [
        (m, item, line)
        for m, item, mark, line in marks(program)
        if isinstance(item, Function) and _GET.search(mark)
    ]
    # what a tool wrote is a claim as to what the project can do, and a fault all the same where it runs
    marked += [
        (m, f, f.line)
        for m in program.modules.values()
        if m.live and not m.production and not m.test
        for f in m.functions
        if any(_GET.search(mark) for mark in f.marks)
    ]
    for module, item, line in (*marked, *_registered(program)):
        if item.name and not _BY_PROTOCOL.search(f"{item.title} {' '.join(item.marks)}"):
            writes = [
                e
                for e in item.reach
                if e.kind in ("db.write", "publish")
                and len(e.via) < FAR
                # a constructor gets statements ready, and runs none
                and not any(title.endswith(".__init__") for title in e.via)
                # what is called a question keeps something for itself on the way, at most
                and not (e.via and words.READ_NAME.match(e.call.name))
                and not re.search(r"log|audit|seen|metric|token|cache|view_?count", e.call.callee, re.I)
                and not re.search(r"cache|redis", e.table, re.I)
            ]
            if writes:
                data = {
                    "call": writes[0].call.shown(40),
                    "at": writes[0].call.line,
                    "function": item.title,
                }
                yield Fact("get_writes", module.path, max(line, 1), Strength.USED, data)


# Where a browser is sent and sent back, OAuth and its kin have no other way.
_BY_PROTOCOL = re.compile(r"callback|authori[sz]e\b|\bsso\b|oauth|oidc|saml|\bacs\b", re.IGNORECASE)
_REGISTERS = re.compile(r"^(add_api_route|add_url_rule|add_route|route|add_get|get)$")


def _registered(program: Program) -> Iterator[tuple[Module, Function, int]]:
    """Handlers of GET that a call registers: `router.add_api_route("/x", handler, methods=["GET"])`."""
    for module, _, call in calls(program):
        if not _REGISTERS.match(call.name) or not call.receiver or len(call.args) < 2:
            continue
        methods = call.keywords.get("methods", "")
        if not re.match(r"[frb]*[\"'`]/", call.args[0]) or (methods and "GET" not in methods):
            continue
        if call.name not in ("get", "add_get") and not methods:
            continue
        name = call.args[-1].rpartition(".")[2]
        for handler in module.functions:
            if handler.name == name and name.isidentifier():
                yield module, handler, call.line


def _statics(module: Module, function: Function) -> Iterator[Fact]:
    """What belongs to one request, kept where all requests share it."""
    if module.language == "python":
        yield from _shared(module, function)
    if module.language not in ("typescript", "java"):
        return
    match = re.search(
        r"\b([A-Z]\w+)\.(\w+)\s*=\s*(req|request|ctx|context|user|principal|session)\b", function.body
    )
    if not match:
        return
    owner = next((c for c in module.classes if c.name == match[1]), None)
    if owner is None:
        return
    at = re.search(rf"\bstatic\b[^;\n(]*\b{match[2]}\b", owner.body)
    if at and "ThreadLocal" not in owner.body and "AsyncLocalStorage" not in owner.body:
        # the line of the field: that is what has to change
        start = owner.body.count("\n", 0, at.start())
        yield fact(
            "static_state",
            module,
            owner.line + start,
            function=function.title,
            field=f"{match[1]}.{match[2]}",
        )


_REQUEST = r"\b(req|request|user|principal|session|tenant|customer)\b"


def _shared(module: Module, function: Function) -> Iterator[Fact]:
    """The same in Python: a global, or an attribute of a class, that is set from what a request says."""
    hears = any(re.search(r"Request\b", type_) for type_ in function.params.values()) or any(
        re.search(r"\.(get|post|put|patch|delete|route|middleware|before_request)\b", m)
        for m in function.marks
    )
    if not hears:
        return
    names = [
        name.strip() for m in re.finditer(r"\bglobal ([\w, ]+)", function.body) for name in m[1].split(",")
    ]
    for name in names:
        match = re.search(rf"^[ \t]*{re.escape(name)}\s*=(?!=)[^\n]*{_REQUEST}", function.body, re.MULTILINE)
        if match:
            line = function.line + function.body.count("\n", 0, match.start())
            yield fact("static_state", module, line, function=function.title, field=name)
    for match in re.finditer(
        rf"^[ \t]*([A-Z]\w+)\.(\w+)\s*=(?!=)[^\n]*{_REQUEST}", function.body, re.MULTILINE
    ):
        owner = next((c for c in module.classes if c.name == match[1]), None)
        if owner is not None and "ContextVar" not in owner.body and "local()" not in owner.body:
            line = function.line + function.body.count("\n", 0, match.start())
            field = f"{match[1]}.{match[2]}"
            yield fact("static_state", module, line, function=function.title, field=field)
            return
