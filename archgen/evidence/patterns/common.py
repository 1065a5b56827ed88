"""Helpers that the recognisers of patterns share."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from archgen.evidence.code.model import Call, Class, Function, Module, Program
from archgen.evidence.code.vocabulary import Names
from archgen.evidence.facts import Fact, Strength

# Types of what is caught that say nothing of what failed.
BROAD = re.compile(
    r"^(\(?\s*(Base)?Exception\b.*|Throwable\b.*|.*\bThrowable\s+\w+|final\s+Exception\s+\w+|Exception\s+\w+|\s*|err(or)?|e|ex|_|\w+\s*:\s*(any|unknown))$"
)
# Functions that end something: what fails in them is told and left.
CLOSES = re.compile(
    r"_?(a?close|stop|shutdown|disconnect|__a?exit__|ngOnDestroy|onModuleDestroy|Close|Stop|Shutdown)"
)


class Sought:
    """A pattern that is rare in texts. One that has none of `stems` is not searched.

    A pattern that begins with alternatives is tried at every character; looking for plain words is a hundred
    times as fast. Stems are in lower case where `flags` say that case does not matter.
    """

    def __init__(self, pattern: str, stems: tuple[str, ...], flags: int = re.IGNORECASE) -> None:
        self._pattern, self._flags = pattern, flags
        self._stems = stems
        self._any_case = bool(flags & re.IGNORECASE)

    def search(self, text: str) -> re.Match[str] | None:
        seen = text.lower() if self._any_case else text
        for stem in self._stems:
            if stem in seen:
                return self._compiled.search(text)
        return None

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._pattern, self._flags)


# Calls beyond which whoever is called may have seen to a failure, or does what is its own affair.
FAR = 5


def weight(module: Module) -> Strength:
    """What is seen in live production code is used; anything else is no more than a claim."""
    return Strength.USED if module.production and module.live else Strength.CLAIMED


def fact(kind: str, module: Module, line: int, **data: object) -> Fact:
    return Fact(kind, module.path, max(line, 1), weight(module), data)


def calls(program: Program) -> Iterable[tuple[Module, Function, Call]]:
    return program.calls()


def marks(program: Program) -> Iterator[tuple[Module, Function | Class, str, int]]:
    """Decorators and annotations with the line of what they stand on, and those that stand for others."""
    composed = _composed(program)
    items: list[tuple[Module, Function | Class]] = [*program.functions(), *program.classes()]
    for module, item in items:
        for mark in item.marks:
            yield module, item, mark, item.line
            for meant in composed.get(_NAMED.sub("", mark), ()) if composed else ():
                yield module, item, meant, item.line


_NAMED = re.compile(r"^@(?:\w+\.)*|\(.*", re.DOTALL)


def _composed(program: Program) -> dict[str, tuple[str, ...]]:
    """Annotations of the project's own by name, with those that stand on them: a Java annotation may carry
    others along.
    """
    return {
        one.name: one.marks
        for module in program.modules.values()
        if module.language == "java" and not module.test
        for one in module.classes
        if one.marks and "@interface" in one.body[:200]
    }


def imports(module: Module, pattern: re.Pattern[str] | Names) -> bool:
    """Whether a module that is imported, or a name taken from one, matches."""
    known = module.matched.get(pattern)
    if known is None:
        known = any(
            pattern.search(item.module) or any(pattern.search(name) for name in item.names.values())
            for item in module.imports
        )
        module.matched[pattern] = known
    return known


_BUILT = re.compile(r"(^|/)(?:build|dist|out|\.aws-sam|lib)/")
_HANDLER_SUFFIXES = (".py", ".ts", ".js", ".mjs", "/index.ts", "/index.js")


def handlers(program: Program, deployed: Fact) -> Iterator[tuple[Module, Function]]:
    """The code behind a fact `function`: what a stack deploys, by its path and name."""
    path, _, name = str(deployed["handler"]).rpartition(".")
    stem = posixpath.join(str(deployed["code"]), path.replace(".", "/"))
    built_from = _BUILT.sub(r"\1src/", stem)  # what a bundler made of it is what is deployed
    for place in dict.fromkeys((stem, built_from)):
        for suffix in _HANDLER_SUFFIXES:
            module = program.modules.get(posixpath.normpath(place + suffix))
            for function in module.functions if module else ():
                if module and function.name == name:
                    yield module, function


def does_nothing(function: Function) -> bool:
    """No call, no raise and no assignment: pass, an empty body, or a constant returned."""
    if len(function.calls) > 1:
        return False
    body = function.body
    opening = body.find(":") if "{" not in body else body.find("{")
    if "{" not in body:
        # Python: what follows the signature
        match = re.search(r"\)\s*(?:->[^:]+)?:(.*)", body, re.DOTALL)
        inner = match[1] if match else body[opening + 1 :]
    else:
        inner = body[opening + 1 :].rstrip().removesuffix("}")
    inner = re.sub(
        r"\b(pass|yield|return( None| null| nil| undefined| true| false| True| False| self| this)?)\b"
        r"|\.\.\.|[;\s]",
        "",
        inner,
    )
    return (
        inner == ""
        or re.fullmatch(
            r"(return)?(Collections\.emptyList\(\)|\[\]|List\.of\(\)|newArrayList<>\(\)|Promise\.resolve\(\))",
            inner,
        )
        is not None
    )


def mentioned(program: Program, name: str, apart_from: Function | Class) -> bool:
    """Whether live code names `name` outside of what it is the name of: in its own file, by import, or
    behind the name of its module; as any attribute where it is a method.
    """
    folder, _, file = apart_from.file.rpartition("/")
    stem = file.rpartition(".")[0]
    homes = {stem, folder.rpartition("/")[2]}
    for module in program.modules.values():
        if not module.live or module.test:
            continue
        here = module.path == apart_from.file
        words = [name] if here else [f"{stem}.{name}"]
        for item in () if here else module.imports:
            last = re.split(r"[./]", item.module)[-1]
            if name in item.names.values() and last in homes:
                return True
            words += [f"{alias}.{name}" for alias, original in item.names.items() if stem in (original, last)]
        if isinstance(apart_from, Function) and apart_from.owner:
            words.append(f".{name}")
        word = Sought("|".join(rf"(?<!\w){re.escape(one)}\b" for one in words), tuple(words), 0)
        for function in module.functions:
            if here and apart_from.line <= function.line <= apart_from.end and function.name:
                continue
            body = function.body
            if here and function.line <= apart_from.line <= function.end:
                lines = body.split("\n")
                body = "\n".join(
                    lines[: apart_from.line - function.line] + lines[apart_from.end - function.line + 1 :]
                )
            if word.search(body) or any(word.search(mark) for mark in function.marks):
                return True
            if any(
                word.search(call.text())
                for call in function.calls
                if not here or not apart_from.line <= call.line <= apart_from.end
            ):
                return True
    return False


_REGISTERS = re.compile(r"(^|\.)(get|post|put|patch|delete|route|all|command|on|use|action)$")


def registered(call: Call) -> set[int]:
    """The handlers around a call that a function hands to a router, a bus or a command line."""
    return {id(block) for block in call.within("closure") if _REGISTERS.search(block.header)}


def called(program: Program, function: Function) -> bool:
    """Whether live code, tests apart, calls the function."""
    users = (program.modules[caller.file] for caller in function.callers)
    return any(module.live and not module.test for module in users)


def outermost(module: Module, function: Function) -> Function:
    """The function that `function` is written in, itself where it stands alone."""
    around = [f for f in module.functions if f.name and f.line <= function.line and function.end <= f.end]
    return min(around, key=lambda f: (f.line, -f.end), default=function)


def line_in(function: Function, pattern: re.Pattern[str] | Sought | str) -> int:
    """The line of the first match within a function, 0 when there is none."""
    match = (re.compile(pattern) if isinstance(pattern, str) else pattern).search(function.body)
    return function.line + function.body.count("\n", 0, match.start()) if match else 0


def callers(program: Program, owner: str, names: set[str]) -> list[tuple[Module, Function, Call]]:
    """Calls, outside of the class itself, whose name is one of `names` and whose receiver may be of
    the class.
    """
    found = []
    for module, function, call in calls(program):
        if function.owner == owner or call.name not in names:
            continue
        type_ = function.params.get(call.receiver) or module.types.get(call.receiver, "")
        if (
            owner in type_
            or call.receiver.lower().strip("_") in owner.lower()
            or call.callee.startswith(owner)
        ):
            found.append((module, function, call))
    return found
