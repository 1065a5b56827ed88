"""Who calls whom across files.

Resolution is by the receiver's type where the file tells it, by import, and by a name that only one
function has. A name that many have and no type decides stays unresolved: better to see less than to
see what is not there.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from archgen.evidence.code.model import Call, Class, Function, Module, Program
from archgen.evidence.code.names import COMMON, nearest, plain, usual
from archgen.evidence.code.shapes import Shapes

# An interface to what is kept may have a heir for each database, and all do the same.
_KINDS_OF_STORE = 9
_A_STORE = re.compile(
    r"(Store|Storage|Database|Repository|Repo|Dao|DAO|Persister|Persistence|Provider|Queue|Publisher)$"
)


class Links:
    """Answers which functions a call may land in."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.by_name: dict[str, list[tuple[Module, Function]]] = defaultdict(list)
        self.by_owner: dict[str, dict[str, list[Function]]] = defaultdict(lambda: defaultdict(list))
        self.heirs: dict[str, list[Class]] = defaultdict(list)
        self._inner: dict[tuple[str, str], list[Function]] = defaultdict(list)
        self.bases: dict[str, dict[str, None]] = defaultdict(dict)  # in the order of the files
        self.fields: dict[str, dict[str, str]] = defaultdict(dict)
        self._java: set[str] = set()
        self._declared: Counter[str] = Counter()
        for module in program.modules.values():
            if module.test or not module.live:
                continue
            for function in module.functions:
                if function.name:
                    self._inner[function.file, function.name].append(function)
                    self.by_name[function.name].append((module, function))
                    self.by_owner[function.owner][function.name].append(function)
            if module.language == "java":
                self._java |= {one.name for one in module.classes}
            self._declared.update({one.name for one in module.classes})
            for one in module.classes:
                self.fields[one.name].update(one.types)
                for base in one.bases:
                    if plain(base) not in ("struct", "interface", one.name):
                        if module.language != "go":  # there, nothing that is embedded calls what overrides it
                            self.heirs[plain(base)].append(one)
                        self.bases[one.name][plain(base)] = None
        self._shapes = Shapes(program, self.by_owner, self.bases)
        self._listeners = _listeners(program)
        self._receivers: dict[int, str] = {}
        self._targets: dict[int, list[Function]] = {}
        self._names: dict[str, dict[str, str]] = {}

    def targets(self, call: Call, module: Module, function: Function) -> list[Function]:
        """Functions of the project that `call` may run; empty when it is not told."""
        if id(call) not in self._targets:
            found = self._find(call, module, function)
            if module.language == "java":
                found = [self._overload(call, one) for one in found]
            handed = (*self._handed(call, function), *self._referred(call, module, function))
            self._targets[id(call)] = [*found, *(f for f in handed if f not in found)]
        return self._targets[id(call)]

    def _overload(self, call: Call, found: Function) -> Function:
        """The method of the name of `found` in its class that takes as many arguments as `call` has."""
        if _fits(call, found) or not found.owner:
            return found
        alike = (f for f in self.by_owner[found.owner][found.name] if f.file == found.file)
        return next((f for f in alike if _fits(call, f)), found)

    def _handed(self, call: Call, function: Function) -> Iterator[Function]:
        """Functions that are written inside of `function` and handed to `call`: what it is given, it runs."""
        for given in (*call.args, *call.keywords.values()):
            for inner in self._inner.get((function.file, given), ()) if given.isidentifier() else ():
                if function.line < inner.line and inner.end <= function.end:
                    yield inner

    def _referred(self, call: Call, module: Module, function: Function) -> Iterator[Function]:
        """Methods that are handed by reference to what runs them at once: `.flatMap(this::pay)`."""
        if module.language == "java" and _RUNS.match(call.name):
            for arg in call.args:
                if match := _REFERENCE.fullmatch(arg):
                    yield from self._find(Call(f"{match[1]}.{match[2]}", call.line), module, function)

    def _find(self, call: Call, module: Module, function: Function) -> list[Function]:
        head, _, rest = call.callee.partition(".")
        name = call.name
        if name == "publishEvent" and self._listeners and call.args:
            # Spring runs who listens before it returns
            made = re.match(r"new\s+(\w+)", call.args[0])
            kind = (
                made[1] if made else function.params.get(call.args[0]) or module.types.get(call.args[0], "")
            )
            if plain(kind) in self._listeners:
                return self._listeners[plain(kind)][:3]
        if not rest:
            own = self.by_owner[function.owner] if module.language == "java" and function.owner else {}
            inherits = bool(own) and function.owner in self.bases
            if (name in own or inherits) and (found := self._method(function.owner, name, module.path)):
                return found
            here = [f for m, f in self.by_name.get(name, ()) if m is module and not f.owner]
            if here:
                return here
            if name in self.by_owner and self.by_owner[name].get("__init__"):
                return nearest(self.by_owner[name]["__init__"], module.path)[:1]
            if found := self._by_import(name, module):
                return found
            source = module.home_of(name)
            if (source and not self.program.foreign(source, module)) or module.language in ("go", "java"):
                known = self._named(name, module)
                same = [f for _, f in known if not f.owner or f.owner == function.owner]
                return same[:2] if len(same) <= 2 else []
            return self._unpacked(name, module, function) if module.language == "typescript" else []
        if "." not in rest and (head in ("self", "this", "cls") or head == self._receiver(function)):
            return self._method(function.owner, name, module.path)
        type_ = plain(
            function.params.get(call.receiver)
            or self.field(function.owner, call.receiver)
            or module.types.get(call.receiver, "")
        )
        if (
            not type_
            and call.receiver == head
            and (found := self._imported(module.imported(head), name, module))
        ):
            return found
        if not type_ and call.receiver in self.by_owner:
            type_ = call.receiver
        if not type_ and (made := _MADE_HERE.match(call.callee)) and made[1] in self.by_owner:
            type_ = made[1]
        if type_ and self._foreign(type_, module):
            return []
        if module.language == "go" and (
            self._of_a_package(call, module, function) or self._is_a_package(head, rest, module, function)
        ):
            return []
        if type_ and (found := self._method(type_, name, module.path)):
            return found
        if type_ and (type_ in self.by_owner or type_ in self._java):
            return []
        if module.language == "java" and type_ and module.imported(type_):
            return []  # a library's type
        if (
            (home := module.home_of(head))
            and head not in function.params
            and self.program.foreign(home, module)
        ):
            return []  # a library has no method of the project's
        candidates = self._named(name, module)
        if (
            len(candidates) == 1
            and not usual(name)
            # at the end of a chain, as of a query that is built, a usual word says nothing
            and not ("(" in call.callee and name.lower() in COMMON)
            and not module.imported(head).startswith(("net/", "java."))
            and not (module.language == "java" and not _fits(call, candidates[0][1]))
        ):
            return [candidates[0][1]]
        return []

    def _named(self, name: str, module: Module) -> list[tuple[Module, Function]]:
        """Functions of a name in the language of `module`: no other is called by it."""
        return [(home, one) for home, one in self.by_name.get(name, ()) if home.language == module.language]

    def _by_import(self, name: str, module: Module) -> list[Function]:
        """What a file imports as `name`: others may share it, and where it comes from it may be another."""
        home, _, original = module.imported(name).rpartition(".")
        if not home or module.language not in ("python", "typescript"):
            return []
        if module.language == "python":
            return self._imported(home, original, module)
        if home.startswith("."):
            stem = posixpath.normpath(
                posixpath.join(posixpath.dirname(module.path), home.removesuffix(".js"))
            )
        elif (stem := self.program.place_of(home, module.path) or "") == "":
            return []
        named = [f for _, f in self.by_name.get(original, ()) if not f.owner]
        return [f for f in named if f.file.rpartition(".")[0] in (stem, f"{stem}/index")][:1]

    def _unpacked(self, name: str, module: Module, function: Function) -> list[Function]:
        """What a script takes out of an object by its name: a function that another one made, and that no
        other is called like.
        """
        if module.home_of(name) or name in function.params:
            return []
        original = self._renamed(module).get(name, name)
        known = [one for home, one in self._named(original, module) if home is not module]
        return known if len(known) == 1 and not known[0].owner and not usual(original) else []

    def _renamed(self, module: Module) -> dict[str, str]:
        """What a script takes out of objects, by its new name: `const { insert: add } = queries`."""
        if module.path not in self._names:
            said = _TAKEN.findall("\n".join(f.body for f in module.functions if not f.owner))
            self._names[module.path] = {new: old for part in said for old, new in _RENAMED.findall(part)}
        return self._names[module.path]

    def _receiver(self, function: Function) -> str:
        """What a method of Go calls the value that it is called on."""
        if id(function) not in self._receivers:
            match = _GO_METHOD.match(function.body) if function.owner else None
            self._receivers[id(function)] = match[1] if match else ""
        return self._receivers[id(function)]

    def _of_a_package(self, call: Call, module: Module, function: Function) -> bool:
        """Whether the type of what is called on is of a package outside the project, as `sync.Mutex` is."""
        match = _QUALIFIED.match(self.type_of(call, module, function))
        if match is None:
            return False
        source = module.imported(match[1]) or match[1]  # a field's type may be imported in another file
        if source in _STANDARD:
            return True
        return "/" in source and bool(self.program.roots) and self.program.folder_of(source) is None

    def _is_a_package(self, head: str, rest: str, module: Module, function: Function) -> bool:
        """Whether a package is named, or a type of one is put together: no method is called either way."""
        if head[:1] in "[*" or head.startswith("map["):
            return True
        if "." in rest or head in function.params or "/" not in module.imported(head):
            return False
        return not re.search(rf"\b{re.escape(head)}\b[^=\n]*:=|\bvar\s+{re.escape(head)}\b", function.body)

    def _foreign(self, type_: str, module: Module) -> bool:
        """Whether a type is one of a library: then no method of the project is meant."""
        source = module.imported(type_) if module.language == "python" else ""
        if not source or source.startswith(".") or type_ in self.by_owner:
            return False
        stem = "/" + source.rpartition(".")[0].replace(".", "/")
        homes = (f"{stem}.py", f"{stem}/__init__.py")
        return not any(f"/{path}".endswith(homes) for path in self.program.modules)

    def _imported(self, source: str, name: str, module: Module) -> list[Function]:
        """The function `name` of the module or package that is imported from `source`."""
        if not source or module.language not in ("python", "go"):
            return []
        if module.language == "python":
            tail = "/" + source.strip(".").replace(".", "/")
            stems = (f"{tail}.py", f"{tail}/__init__.py")
            found = [f for _, f in self.by_name.get(name, ()) if not f.owner and f"/{f.file}".endswith(stems)]
        elif "/" in source:
            # a package is its folder; the module's own path before it is not in the project's
            exact = self.program.folder_of(source)
            tail, last = "/" + "/".join(source.split("/")[-2:]), source.rpartition("/")[2]
            folders = {f.file: f.file.rpartition("/")[0] for _, f in self.by_name.get(name, ())}
            found = [
                f
                for m, f in self.by_name.get(name, ())
                if not f.owner
                and m.language == "go"
                and (
                    folders[f.file] == exact
                    if exact is not None
                    else f"/{folders[f.file]}".endswith(tail) or folders[f.file] == last
                )
            ]
        else:
            return []
        return nearest(found, module.path)[:1]

    def _method(self, owner: str, name: str, near: str, depth: int = 0) -> list[Function]:
        own = nearest(self.by_owner[owner][name] if owner in self.by_owner else [], near)[:1]
        if own and own[0].calls:
            return own
        heirs = dict.fromkeys(heir.name for heir in self.heirs.get(owner, ()))
        found = [f for heir in heirs if heir in self.by_owner for f in self.by_owner[heir][name]]
        if self._declared[owner] != 1 or len(found) > 3:
            # two services may each have a class of one name, with heirs of their own
            found = nearest(found, near)
        if not found and owner in self._shapes and (own or near.endswith(".go")):
            found = self._shapes.holders(owner, name, near)
            if owner in self._shapes.protocols or len(found) > _KINDS_OF_STORE:
                found = nearest(found, near)
        if not found and depth < 3 and owner not in self._shapes:
            for base in self.bases.get(owner, ()):
                found += self._method(base, name, near, depth + 1)
        shaped = bool(found) and owner in self._shapes  # who has all of the methods is surely meant
        kinds = _A_STORE.search(owner) is not None and (bool(found) or near.endswith(".go"))
        most = _KINDS_OF_STORE if shaped or (kinds and self._declared[owner]) else 3
        inferred = near.endswith((".go", ".py")) or self._declared[owner]  # else it is a library's
        if not found and not own and inferred and owner not in self.by_owner and owner not in self._java:
            # an interface without declared heirs (Go, or a Protocol): who has the method?
            holders = nearest([f for _, f in self.by_name.get(name, ()) if f.owner], near)
            found = holders if not usual(name) else []
        return found if 0 < len(found) <= most else own

    def type_of(self, call: Call, module: Module, function: Function) -> str:
        """The type of what `call` is called on, as its file tells it; empty when it does not."""
        receiver = call.receiver
        known = function.params.get(receiver) or self.field(function.owner, receiver)
        return known or module.types.get(receiver, "")

    def field(self, owner: str, name: str, depth: int = 0) -> str:
        """The type of a field of a class, or of one that it inherits; "" when none of them tells."""
        known = self.fields[owner].get(name, "") if owner in self.fields else ""
        known = known or self._property(owner, name)
        if known or depth > 2 or owner not in self.bases:
            return known
        return next(filter(None, (self.field(base, name, depth + 1) for base in self.bases[owner])), "")

    def _property(self, owner: str, name: str) -> str:
        """The type of what a property of Python makes and returns."""
        for one in (
            self.by_owner[owner][name] if owner in self.by_owner and name in self.by_owner[owner] else ()
        ):
            if any(map(_PROPERTY.match, one.marks)) and (made := _RETURNS.search(one.body)):
                return made[1]
        return ""


_PROPERTY = re.compile(r"@(?:\w+\.)*(cached_)?property\b")
_RETURNS = re.compile(r"\breturn\s+([A-Z]\w*)\(")
# What is made only to be asked: `Publisher().publish`, `new Publisher(x).publish`
_MADE_HERE = re.compile(r"\(?(?:new )?([A-Z]\w*)\([^()]*\)\)?\.\w+$")
_QUALIFIED = re.compile(r"[*&\[\]]*(\w+)\.[A-Z]")
_STANDARD = frozenset({"sync", "time", "bytes", "strings", "bufio"})
_REFERENCE = re.compile(r"((?:this\.)?\w+)::(\w+)")
# Streams, optionals, futures and reactive chains, and what Spring runs in a transaction.
_RUNS = re.compile(
    r"^(map|flatMap\w*|concatMap|switchMap|forEach|ifPresent|ifPresentOrElse|filter|filterWhen|orElseGet|andThen|compose|"
    r"thenApply|thenCompose|thenAccept|doOnNext|doOnSuccess|delayUntil|handle|subscribe|peek|execute\w*|transform|observe)$"
)


def _fits(call: Call, function: Function) -> bool:
    """Whether a method of Java takes as many arguments as it is called with."""
    return len(call.args) == len(function.params) or any("..." in kind for kind in function.params.values())


_TAKEN = re.compile(r"\b(?:const|let)\s*\{([^=;()]{1,2000})\}\s*=")
_RENAMED = re.compile(r"(\w+)\s*:\s*(\w+)")
_GO_METHOD = re.compile(r"func\s*\(\s*(\w+)\s")
_HEARS = re.compile(r"@(?:\w+\.)*EventListener\b")
_APART = re.compile(r"@(?:\w+\.)*Async\b")


def _listeners(program: Program) -> dict[str, list[Function]]:
    """Who listens to events of Spring's within the process, by the type of the event."""
    found: dict[str, list[Function]] = defaultdict(list)
    for module in program.modules.values():
        for function in module.functions if module.language == "java" and not module.test else ():
            if any(map(_HEARS.match, function.marks)) and not any(map(_APART.match, function.marks)):
                for kind in function.params.values():
                    found[plain(kind)].append(function)
    return dict(found)
