"""The shape in which code of any language is kept. Rules read this, so a rule is written once
for all languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_AFTER_COMMIT = re.compile(r"(after|on)_?commit|after_?completion", re.IGNORECASE)
_LAST = re.compile(r"[.:>]")


def ending(callee: str, size: int) -> str:
    """The last `size` characters of what is called at most, from where a name begins."""
    if len(callee) <= size:
        return callee
    end = callee[-size:]
    return f"…{end.partition('.')[2] or end}"


@dataclass(eq=False, repr=False, slots=True)
class Block:
    """What surrounds a call within its function: a loop, a branch, a try, a closure handed to another call.

    `kind`: loop, branch, try, catch, finally, with, closure, spawn (a goroutine). `header` is the source
    text that opens it: the condition, the caught types, the context manager, the callee that the closure is
    handed to.
    """

    kind: str
    header: str
    line: int
    end: int


@dataclass(eq=False, repr=False, slots=True)
class Call:
    """One call. `callee` is its source text with blanks removed, such as `self.http.post`."""

    callee: str
    line: int
    args: tuple[str, ...] = ()
    keywords: dict[str, str] = field(default_factory=dict)
    awaited: bool = False
    discarded: bool = False
    inside: tuple[Block, ...] = ()

    name: str = ""
    receiver: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        """`name` is the last word of `callee`; `receiver` the one before it, "" for a bare function."""
        head = self.callee.rpartition(".")[0]
        self.name = _LAST.split(self.callee)[-1]
        self.receiver = head.rpartition(".")[2]

    def within(self, *kinds: str) -> Iterator[Block]:
        return (block for block in self.inside if block.kind in kinds)

    @property
    def after_commit(self) -> bool:
        """Whether it waits for the end of the transaction around it: `on_commit(lambda: ...)`."""
        return any(_AFTER_COMMIT.search(block.header) for block in self.within("closure"))

    @property
    def defers(self) -> bool:
        """Whether what it is handed waits for the end of the transaction around it: `on_commit(send)`."""
        return _AFTER_COMMIT.search(self.name) is not None

    def shown(self, size: int) -> str:
        """What is called, for a message."""
        return ending(self.callee, size)

    def text(self) -> str:
        pairs = [f"{k}={v}" for k, v in self.keywords.items()]
        return f"{self.callee}({', '.join([*self.args, *pairs])})"


@dataclass(eq=False, repr=False, slots=True)
class Catch:
    """A handler of errors. `body` is its source text without comments, `tried` what it guards; `meant` says
    that a comment in it tells why nothing is done.
    """

    types: str
    body: str
    line: int
    end: int
    tried: Block | None = None
    meant: bool = False


@dataclass(eq=False, repr=False, slots=True)
class Effect:
    """What a call does to the world; the kinds are listed in `vocabulary`. `via` names the callees
    it was reached through, `late` says that it waits for the end of a transaction on the way.
    """

    kind: str
    call: Call
    write: bool = False
    table: str = ""
    target: str = ""
    via: tuple[str, ...] = ()
    late: bool = False


@dataclass(eq=False, repr=False, slots=True)
class Function:
    """A function or method, with all it does in the order in which it is written, closures included."""

    name: str
    owner: str
    file: str
    line: int
    end: int
    params: dict[str, str] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    body: str = ""
    calls: list[Call] = field(default_factory=list)
    catches: list[Catch] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    reach: list[Effect] = field(default_factory=list)
    callers: list[Function] = field(default_factory=list)

    def reached_from(self, depth: int = 5) -> set[str]:
        """Files of the functions that lead here, this one's own included."""
        files, now = {self.file}, [self]
        for _ in range(depth):
            now = [
                caller
                for function in now
                for caller in function.callers
                if caller.file not in files or caller is not function
            ]
            files |= {function.file for function in now}
            if len(now) > 200:
                break
        return files

    @property
    def title(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name


@dataclass(eq=False, repr=False, slots=True)
class Class:
    """A class, struct or interface. `bases` and `marks` are source text; `types` maps a field to its type."""

    name: str
    file: str
    line: int
    end: int
    bases: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    types: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(eq=False, repr=False, slots=True)
class Import:
    """`module` as written; `names` maps the local name to the name in the module."""

    module: str
    names: dict[str, str]
    line: int


@dataclass(eq=False, repr=False, slots=True)
class Text:
    """A string literal that a collector may want: SQL, a URL, a metric's name."""

    value: str
    line: int
    function: Function | None = None


@dataclass(eq=False, repr=False, slots=True)
class Module:
    """One source file. `live`: a service can reach it. `matched`: import patterns asked before."""

    path: str
    language: str
    production: bool = True
    test: bool = False
    functions: list[Function] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    package: str = ""
    broken_at: int = 0
    live: bool = True
    matched: dict[object, bool] = field(default_factory=dict)

    def uses(self, pattern: re.Pattern[str]) -> bool:
        """Whether the name of a module that it imports begins with `pattern`."""
        known = self.matched.get((pattern, "module"))
        if known is None:
            known = any(pattern.match(item.module) for item in self.imports)
            self.matched[pattern, "module"] = known
        return known

    def imported(self, name: str) -> str:
        """Where a name of this file comes from: `httpx` for `httpx`, `a.b.C` for C of `from a.b import C`."""
        for item in self.imports:
            if name in item.names:
                original = item.names[name]
                return f"{item.module}.{original}" if original else item.module
        return ""

    def home_of(self, name: str) -> str:
        """The module that a name of this file is imported from, "" when it is not imported."""
        return next((item.module for item in self.imports if name in item.names), "")


@dataclass
class Program:
    """All modules of a project, and the tables that answer who calls whom.

    `roots` maps the module path in a go.mod to the folder of that file, `aliases` a name by which scripts
    import (a path of tsconfig, a package of the workspace) to where it lies, for each folder in which it is
    called so; "" is everywhere.
    """

    modules: dict[str, Module] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)
    _functions: list[tuple[Module, Function]] | None = None
    _calls: list[tuple[Module, Function, Call]] | None = None
    _tops: set[str] | None = None

    def freeze(self) -> None:
        """From here on nothing is added and nothing dies: what is asked for often is listed once."""
        self._functions = list(self.functions())
        self._calls = list(self.calls())

    def folder_of(self, package: str) -> str | None:
        """The folder of a Go package by the go.mod that it lies under; None when no go.mod tells."""
        best = max(
            (r for r in self.roots if package == r or package.startswith(r + "/")), key=len, default=""
        )
        if not best:
            return None
        return f"{self.roots[best]}/{package[len(best) + 1 :]}".strip("/")

    def foreign(self, source: str, module: Module) -> bool:
        """Whether what `module` imports from `source` is surely of a library; Go and Java are not asked."""
        if source.startswith(".") or module.language not in ("python", "typescript"):
            return False
        if module.language == "python":
            if self._tops is None:
                self._tops = {
                    part.removesuffix(".py")
                    for path, one in self.modules.items()
                    if one.language == "python"
                    for part in path.split("/")
                }
            return source.partition(".")[0] not in self._tops
        return self.place_of(source, module.path) is None

    def alias(self, names: dict[str, str], scope: str = "") -> None:
        """Notes what scripts in the folder `scope` import by each name."""
        for name, place in names.items():
            self.aliases.setdefault(name, {})[scope] = place

    def split(self, source: str, path: str) -> tuple[str, str] | None:
        """Where the folder lies that begins a name in the script `path`, and what of the name follows."""
        parts = source.split("/")
        for size in range(len(parts), 0, -1):
            if places := self.aliases.get("/".join(parts[:size])):
                around = [scope for scope in places if not scope or path.startswith(f"{scope}/")]
                place = places[max(around, key=len)] if around else next(reversed(places.values()))
                return place, "/".join(parts[size:])
        return None

    def place_of(self, source: str, path: str) -> str | None:
        """Where what the script `path` imports under another name than its path lies; None where no name
        tells.
        """
        found = self.split(source, path)
        return "/".join(found).strip("/") if found else None

    def functions(self) -> Iterator[tuple[Module, Function]]:
        """Functions of live production code."""
        if self._functions is not None:
            yield from self._functions
            return
        for module in self.modules.values():
            if module.production and module.live:
                for function in module.functions:
                    yield module, function

    def calls(self) -> Iterable[tuple[Module, Function, Call]]:
        """The calls of those functions."""
        if self._calls is not None:
            return self._calls
        return ((module, function, call) for module, function in self.functions() for call in function.calls)

    def classes(self) -> Iterator[tuple[Module, Class]]:
        for module in self.modules.values():
            if module.production and module.live:
                for one in module.classes:
                    yield module, one
