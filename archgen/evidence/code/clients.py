"""Interfaces that a framework turns into clients: Feign, Micronaut, MicroProfile, HTTP exchanges, gateways.

Nothing in the project implements them: a call on one leaves the process, and how is written on the interface.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Class, Effect, Function, Module, Program

_CLIENT_IMPORT = re.compile(
    r"openfeign|feign|netflix|micronaut|microprofile\.rest|rest\.client|service\.annotation|httpexchange",
    re.IGNORECASE,
)


class Clients:
    """Classes by name that are clients, with how they are called."""

    def __init__(self, program: Program) -> None:
        self._kinds: dict[str, str] = {}
        self._homes: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._methods: dict[tuple[str, str], Function] = {}
        for module in program.modules.values():
            if module.language != "java" or module.test:
                continue
            for one in module.classes:
                kind = _kind(module, one)
                self._homes[one.name].append((module.path, kind))
                if kind:
                    self._kinds[one.name] = kind
            for function in module.functions:
                if function.owner in self._kinds:
                    self._methods[function.owner, function.name] = function

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def effect(self, call: object, type_: str, name: str, caller: str) -> Effect | None:
        """What a call of method `name` on a value of `type_` in the file `caller` does; None when that is
        no client. Where a client bears the name of what it stands for, the one that lies nearer is meant.
        """
        if type_ not in self._kinds:
            return None
        _, kind = max(self._homes[type_], key=lambda home: len(posixpath.commonprefix([home[0], caller])))
        if not kind:
            return None
        method = self._methods.get((type_, name))
        marks = " ".join(method.marks) if method is not None else ""
        told = words.WRITE_MARK.search(marks) is not None or not marks
        write = told and not words.READ_NAME.match(name)  # a question may be asked by POST
        target = "http" if kind == "remote" else ""
        return Effect(kind, call, write=write, target=target)  # type: ignore[arg-type]


def _kind(module: Module, one: Class) -> str:
    marks = " ".join(one.marks)
    if words.SENDER_MARK.search(marks):
        return "publish"
    if words.CLIENT_MARK.search(marks) and any(
        _CLIENT_IMPORT.search(item.module) or "FeignClient" in item.names for item in module.imports
    ):
        return "remote"
    return ""
