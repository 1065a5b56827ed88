"""Which files a running service can reach: its own, and those of a library that it imports, however far."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable

from archgen.evidence.code.model import Import, Module, Program


class Imports:
    """Which files of the project each file imports."""

    def __init__(self, program: Program) -> None:
        self._modules = program.modules
        self._program = program
        self._by_tail: dict[str, list[str]] = defaultdict(list)
        self._by_folder: dict[str, list[str]] = defaultdict(list)
        self._folders: dict[str, list[str]] = defaultdict(list)
        self._known: dict[str, list[str]] = {}
        for path in program.modules:
            self._by_tail[_stem(path).rpartition("/")[2]].append(path)
            self._by_folder[posixpath.dirname(path)].append(path)
        for folder in self._by_folder:
            self._folders[posixpath.basename(folder)].append(folder)

    def of(self, path: str) -> list[str]:
        if path not in self._known:
            found = _imports(
                self._modules[path], self._by_tail, self._by_folder, self._folders, self._program
            )
            self._known[path] = [target for target in dict.fromkeys(found) if target != path]
        return self._known[path]

    def reached(self, start: Iterable[str]) -> set[str]:
        """The files of `start` and all production code that they bring in, however far."""
        waiting = list(start)
        found = set(waiting)
        while waiting:
            for target in self.of(waiting.pop()):
                if target not in found and self._modules[target].production:
                    found.add(target)
                    waiting.append(target)
        return found

    def behind(self, path: str, item: Import) -> list[str]:
        """The files behind one of the imports of the file `path`."""
        alone = Module(path, self._modules[path].language, imports=[item])
        return _imports(alone, self._by_tail, self._by_folder, self._folders, self._program)


def mark_live(
    program: Program, folders: list[str], imports: Imports, needs: dict[str, set[str]] | None = None
) -> None:
    """Sets `live` on every module. `folders` are those of the services; without any, all code is live.

    `needs` says what each module of a build needs of the others: a framework starts code that nothing
    imports.
    """
    modules = program.modules
    if not folders or "" in folders:
        return
    homes = set(folders)
    waiting = list(folders)
    while waiting:
        for other in (needs or {}).get(waiting.pop(), ()):
            if other not in homes:
                homes.add(other)
                waiting.append(other)
    inside = tuple(f"{folder}/" for folder in homes)
    waiting = [
        path
        for path, module in modules.items()
        if not module.test and (path.startswith(inside) or path in homes)
    ]
    reached = set(waiting)
    while waiting:
        for target in imports.of(waiting.pop()):
            if target not in reached and not modules[target].test:
                reached.add(target)
                waiting.append(target)
    for path, module in modules.items():
        module.live = path in reached


def _stem(path: str) -> str:
    stem = path.rpartition(".")[0]
    for tail in ("/__init__", "/index"):
        stem = stem.removesuffix(tail)
    return stem


def _imports(
    module: Module,
    by_tail: dict[str, list[str]],
    by_folder: dict[str, list[str]],
    folders: dict[str, list[str]],
    program: Program,
) -> list[str]:
    """`folders` has the paths of folders by their last part: a project has thousands of packages."""
    found: list[str] = []
    here = posixpath.dirname(module.path)
    if module.language in ("go", "java"):
        found += by_folder[here]
        for item in module.imports:
            exact = program.folder_of(item.module) if module.language == "go" else None
            if exact is not None:
                found += by_folder.get(exact, ())
                continue
            tail = item.module.replace(".", "/") if module.language == "java" else item.module
            short = "/" + "/".join(tail.split("/")[-2:])
            for folder in folders.get(posixpath.basename(tail), ()):
                files = by_folder[folder]
                near = f"/{folder}".endswith(f"/{tail}")
                if near and module.language == "java" and item.names:
                    found += [path for path in files if _stem(path).rpartition("/")[2] in item.names]
                elif folder and (
                    near or (module.language == "go" and "/" in tail and f"/{folder}".endswith(short))
                ):
                    found += files
        return found
    for item in module.imports:
        targets = [item.module]
        if module.language == "python":
            targets += [
                f"{item.module.rstrip('.')}.{n}" if item.module.strip(".") else item.module + n
                for n in item.names.values()
                if n
            ]
        for target in targets:
            if target.startswith("."):
                wanted = _relative(target, here, module.language)
            else:
                wanted = target.replace(".", "/") if module.language == "python" else target
            if module.language == "typescript" and not target.startswith("."):
                found += _aliased(program.split(target, module.path), by_tail)
            wanted = _stem(wanted) if wanted.endswith((".js", ".ts", ".mjs")) else wanted
            for path in by_tail.get(wanted.rpartition("/")[2], ()):
                stem = _stem(path)
                if stem == wanted or stem.endswith("/" + wanted.lstrip("/")):
                    found.append(path)
    return found


def _aliased(named: tuple[str, str] | None, by_tail: dict[str, list[str]]) -> list[str]:
    """Files behind a name that tsconfig or the workspace gives to a folder: `@shop/core/orders`."""
    if named is None:
        return []
    place = "/".join(named).strip("/")
    stems = {place, f"{place}/src", f"{place}/lib", f"{named[0]}/src/{named[1]}".rstrip("/")}
    tails = {stem.rpartition("/")[2] for stem in stems}
    return [p for tail in tails for p in by_tail.get(tail, ()) if _stem(p) in stems]


def _relative(target: str, here: str, language: str) -> str:
    if language != "python":
        return posixpath.normpath(posixpath.join(here, target))
    dots = len(target) - len(target.lstrip("."))
    base = here
    for _ in range(dots - 1):
        base = posixpath.dirname(base)
    return posixpath.join(base, target.lstrip(".").replace(".", "/")).rstrip("/")
