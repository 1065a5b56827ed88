"""Which files a running service can reach: its own, and those of a library that it imports, however far."""

from __future__ import annotations

import posixpath
from collections import defaultdict

from archgen.evidence.code.model import Module, Program


def mark_live(program: Program, folders: list[str]) -> None:
    """Sets `live` on every module. `folders` are those of the services; without any, all code is live."""
    modules = program.modules
    if not folders or "" in folders:
        return
    by_tail: dict[str, list[str]] = defaultdict(list)
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in modules:
        by_tail[_stem(path).rpartition("/")[2]].append(path)
        by_folder[posixpath.dirname(path)].append(path)
    waiting = [p for p, m in modules.items() if m.production and any(p.startswith(f + "/") for f in folders)]
    reached = set(waiting)
    while waiting:
        module = modules[waiting.pop()]
        for target in _imports(module, by_tail, by_folder):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    for path, module in modules.items():
        module.live = path in reached


def _stem(path: str) -> str:
    stem = path.rpartition(".")[0]
    for tail in ("/__init__", "/index"):
        stem = stem.removesuffix(tail)
    return stem


def _imports(module: Module, by_tail: dict[str, list[str]], by_folder: dict[str, list[str]]) -> list[str]:
    found: list[str] = []
    here = posixpath.dirname(module.path)
    if module.language in ("go", "java"):
        found += by_folder[here]
        for item in module.imports:
            tail = item.module.replace(".", "/") if module.language == "java" else item.module
            parts = tail.split("/")
            for folder, files in by_folder.items():
                if folder and (
                    folder.endswith(tail) or ("/" in tail and folder.endswith("/".join(parts[-2:])))
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
            wanted = _stem(wanted) if wanted.endswith((".js", ".ts", ".mjs")) else wanted
            for path in by_tail.get(wanted.rpartition("/")[2], ()):
                stem = _stem(path)
                if stem == wanted or stem.endswith("/" + wanted.lstrip("/")):
                    found.append(path)
    return found


def _relative(target: str, here: str, language: str) -> str:
    if language != "python":
        return posixpath.normpath(posixpath.join(here, target))
    dots = len(target) - len(target.lstrip("."))
    base = here
    for _ in range(dots - 1):
        base = posixpath.dirname(base)
    return posixpath.join(base, target.lstrip(".").replace(".", "/")).rstrip("/")
