"""Other names: private and public ones, modules, packages, services, imports."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable

from tests.mutants.same.places import CODE, WORDS, Text, names, renamed, spliced
from tests.mutants.workspace import Workspace


def rename_private(source: str, chance: random.Random) -> str:
    """Attributes and functions that begin with one underscore, which no other file of ours may use."""
    own = sorted({t.string for t in names(source) if re.fullmatch(r"_[a-z]\w+", t.string)})
    chosen = chance.sample(own, min(4, len(own)))
    return renamed(source, {name: f"_{chance.choice(WORDS)}{number}" for number, name in enumerate(chosen)})


def rename_private_everywhere(workspace: Workspace, chance: random.Random) -> None:
    """As `rename_private`, and wherever else the name is used."""
    sources = {path: workspace.read(path) for path in workspace.files() if path.endswith(".py")}
    defined = sorted(
        {
            node.name
            for path, source in sources.items()
            if CODE.match(path)
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and re.fullmatch(r"_[a-z]\w+", node.name)
        }
    )
    new = {name: f"{name}_{chance.choice(WORDS)}" for name in chance.sample(defined, 40)}
    _rename_all(workspace, sources, new)


def rename_public(workspace: Workspace, chance: random.Random) -> None:
    """Functions and classes that are defined once, wherever they are used."""
    sources = {path: workspace.read(path) for path in workspace.files() if path.endswith(".py")}
    defined: dict[str, int] = {}
    # a module of that name would be imported by the new one and keep the old
    taken = {part for path in sources for part in path.removesuffix(".py").split("/")}
    for source in sources.values():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                defined[node.name] = defined.get(node.name, 0) + 1
            elif isinstance(node, ast.ImportFrom) and not _ours(node.module or ""):
                taken |= {alias.name for alias in node.names}
            elif isinstance(node, ast.keyword | ast.arg) and node.arg:
                taken.add(node.arg)
    # a name that libraries have as well could be meant, so only longer ones of our own are changed
    free = sorted(
        n for n, count in defined.items() if count == 1 and len(n) > 7 and n not in taken and n[0] != "_"
    )
    new = {}
    for name in chance.sample(free, min(40, len(free))):
        word = chance.choice(WORDS)
        new[name] = f"{name}{word.title()}" if name[0].isupper() else f"{name}_{word}"
    _rename_all(workspace, sources, new)


def _ours(module: str) -> bool:
    return module.split(".")[0] in {
        "chassis",
        "users",
        "orders",
        "payments",
        "inventory",
        "shipping",
        "notifications",
    }


def _rename_all(workspace: Workspace, sources: dict[str, str], new: dict[str, str]) -> None:
    for path, source in sources.items():
        result = renamed(source, new)
        if result != source:
            ast.parse(result)
            workspace.write(path, result)


def rename_folder(old: str, new: str) -> Callable[..., None]:
    """A package and its folder under another name, everywhere, in code, configuration and documents."""

    def edit(workspace: Workspace, _: random.Random) -> None:
        word = re.compile(rf"(?<![A-Za-z]){old}(?![A-Za-z])")
        for path in workspace.files():
            if path.endswith((".svg", ".lock", ".png")):
                continue
            source = workspace.read(path)
            place, result = word.sub(new, path), word.sub(new, source)
            if place != path:
                workspace.remove(path)
            if place != path or result != source:
                workspace.write(place, result)

    return edit


def rename_modules(workspace: Workspace, chance: random.Random) -> None:
    """Modules of the chassis under other names, as files and in every import."""
    stems = ["breaker", "retry", "inbox", "outbox", "relay", "uow", "store", "history", "tables", "problem"]
    for stem in chance.sample(stems, 5):
        rename_folder_of_module(workspace, stem, f"{stem}_{chance.choice(WORDS)}")


def rename_folder_of_module(workspace: Workspace, old: str, new: str) -> None:
    home = "chassis/python/src/chassis/"
    text = workspace.read(f"{home}{old}.py")
    workspace.remove(f"{home}{old}.py")
    workspace.write(f"{home}{new}.py", text)
    for path in workspace.files():
        if path.endswith(".py"):
            source = workspace.read(path)
            result = re.sub(rf"\bchassis\.{old}\b", f"chassis.{new}", source)
            # `from chassis import breaker` binds the module's name, which then stays as it was
            result = re.sub(
                r"^(from chassis import )(.*)$",
                lambda m: m[1] + re.sub(rf"\b{old}\b(?! as)", f"{new} as {old}", m[2]),
                result,
                flags=re.MULTILINE,
            )
            if result != source:
                ast.parse(result)
                workspace.write(path, result)


def alias_imports(source: str, chance: random.Random) -> str:
    """`from chassis import metrics` becomes `from chassis import metrics as metrics_birch`."""
    found = re.findall(r"^from chassis import ([\w, ]+)$", source, re.MULTILINE)
    modules = [name.strip() for names_ in found for name in names_.split(",") if " as " not in name]
    text = Text(source)
    local = {n.arg for n in ast.walk(text.tree) if isinstance(n, ast.arg)} | {
        n.id for n in ast.walk(text.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    new = {name: f"{name}_{chance.choice(WORDS)}" for name in modules if name not in local}
    if not new:
        return source
    places = [
        (*text.span(node), new[node.id])
        for node in ast.walk(text.tree)
        if isinstance(node, ast.Name) and node.id in new
    ]
    result = spliced(source, places)
    for name, other in new.items():
        result = re.sub(
            rf"^(from chassis import .*?)\b{name}\b", rf"\1{name} as {other}", result, flags=re.MULTILINE
        )
    return result
