"""Edits that change no behaviour, at places that chance picks: nothing that the audit says may change."""

from __future__ import annotations

import ast
import io
import random
import re
import subprocess
import sys
import textwrap
import tokenize
from collections.abc import Callable

from tests.mutants.model import Same
from tests.mutants.workspace import NothingToChangeError, Workspace

Place = tuple[int, int, str]  # start, end, what it becomes
_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath")
_CODE = re.compile(r"^(chassis/python/src|services/[\w-]+/src)/.*\.py$")


# Picking places


def code(workspace: Workspace, chance: random.Random, count: int = 25) -> list[str]:
    """Some Python files that run in production."""
    found = [path for path in workspace.files() if _CODE.match(path) and "/migrations/" not in path]
    return chance.sample(found, min(count, len(found)))


def everywhere(change: Callable[[str, random.Random], str], count: int = 25) -> Callable[..., None]:
    """`change` in some files; what it makes of one must still be Python."""

    def edit(workspace: Workspace, chance: random.Random) -> None:
        touched = 0
        for path in code(workspace, chance, count):
            source = workspace.read(path)
            result = change(source, chance)
            if result != source:
                ast.parse(result)
                workspace.write(path, result)
                touched += 1
        if not touched:
            raise NothingToChangeError("no file that was picked has anything of the kind")

    return edit


def spliced(source: str, places: list[Place]) -> str:
    last = len(source) + 1
    for start, end, new in sorted(places, reverse=True):
        if end <= last:
            source = source[:start] + new + source[end:]
            last = start
    return source


class Text:
    """A source with the offsets of its syntax tree's nodes."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tree = ast.parse(source)
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = source.splitlines(keepends=True)

    def at(self, line: int, column: int) -> int:
        """Columns of the tree count bytes."""
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword)
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def whole(self, node: ast.stmt) -> tuple[int, int]:
        """From the first line of a statement, decorators included, to behind its last."""
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)])
        assert node.end_lineno is not None
        return self._starts[first - 1], self._starts[node.end_lineno]

    def get(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.source[start:end]


def names(source: str) -> list[tokenize.TokenInfo]:
    return [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type == tokenize.NAME]


def renamed(source: str, new: dict[str, str]) -> str:
    """Every name of the tokens renamed; strings and comments stay."""
    text = Text(source)
    places = []
    for token in names(source):
        if token.string in new:
            start = text._starts[token.start[0] - 1] + token.start[1]
            places.append((start, start + len(token.string), new[token.string]))
    return spliced(source, places)


# Renaming


def rename_private(source: str, chance: random.Random) -> str:
    """Attributes and functions that begin with one underscore, which no other file of ours may use."""
    own = sorted({t.string for t in names(source) if re.fullmatch(r"_[a-z]\w+", t.string)})
    chosen = chance.sample(own, min(4, len(own)))
    return renamed(source, {name: f"_{chance.choice(_WORDS)}{number}" for number, name in enumerate(chosen)})


def rename_private_everywhere(workspace: Workspace, chance: random.Random) -> None:
    """As `rename_private`, and wherever else the name is used."""
    sources = {path: workspace.read(path) for path in workspace.files() if path.endswith(".py")}
    defined = sorted(
        {
            node.name
            for path, source in sources.items()
            if _CODE.match(path)
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and re.fullmatch(r"_[a-z]\w+", node.name)
        }
    )
    new = {name: f"{name}_{chance.choice(_WORDS)}" for name in chance.sample(defined, 40)}
    _rename_all(workspace, sources, new)


def rename_public(workspace: Workspace, chance: random.Random) -> None:
    """Functions and classes that are defined once, wherever they are used."""
    sources = {path: workspace.read(path) for path in workspace.files() if path.endswith(".py")}
    defined: dict[str, int] = {}
    taken: set[str] = set()
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
        word = chance.choice(_WORDS)
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
        rename_folder_of_module(workspace, stem, f"{stem}_{chance.choice(_WORDS)}")


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
    new = {name: f"{name}_{chance.choice(_WORDS)}" for name in modules if name not in local}
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


# Taking apart and putting together


def _functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def name_results(source: str, chance: random.Random) -> str:
    """`return f(x)` becomes `result = f(x); return result`."""
    text = Text(source)
    places = []
    for node in ast.walk(text.tree):
        if (
            isinstance(node, ast.Return)
            and isinstance(node.value, ast.Call | ast.Await)
            and chance.random() < 0.5
        ):
            pad = " " * node.col_offset
            if text.source[text.at(node.lineno, 0) : text.span(node)[0]].strip():
                continue
            places.append((*text.span(node), f"outcome_ = {text.get(node.value)}\n{pad}return outcome_"))
    return spliced(source, places)


def extract_functions(source: str, chance: random.Random) -> str:
    """The last statement of a module's function moves into a function of its own."""
    text = Text(source)
    places: list[Place] = []
    for function in text.tree.body:
        if not isinstance(function, ast.FunctionDef) or len(function.body) < 2 or function.decorator_list:
            continue
        last = function.body[-1]
        if not isinstance(last, ast.Return) or last.value is None or chance.random() < 0.3:
            continue
        inner = [
            n for n in ast.walk(last) if isinstance(n, ast.Lambda | ast.Yield | ast.YieldFrom | ast.NamedExpr)
        ]
        if inner or any(isinstance(n, ast.Yield | ast.YieldFrom | ast.Global) for n in ast.walk(function)):
            continue
        bound = {n.arg for n in ast.walk(function) if isinstance(n, ast.arg)} | {
            n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        own = {n.id for n in ast.walk(last) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        used = sorted({n.id for n in ast.walk(last) if isinstance(n, ast.Name) and n.id in bound} - own)
        given = ", ".join(used)
        helper = f"_{function.name.strip('_')}_{chance.choice(_WORDS)}"
        value = textwrap.indent(textwrap.dedent(text.get(last.value)), "        ")
        places.append((*text.span(last), f"return {helper}({given})"))
        end = text.whole(function)[1]
        places.append(
            (
                end,
                end,
                f"\n\ndef {helper}({given}):\n    return (\n{value}\n    )\n",
            )
        )
    return spliced(source, places)


def name_lambdas(source: str, chance: random.Random) -> str:
    """`run(lambda conn: f(conn))` becomes a local function that is handed to `run`."""
    text = Text(source)
    places: list[Place] = []
    for function in _functions(text.tree):
        for statement in function.body:
            if not isinstance(statement, ast.Expr | ast.Assign | ast.Return):
                continue
            found = [n for n in ast.walk(statement) if isinstance(n, ast.Lambda)]
            if len(found) != 1 or found[0].args.defaults or chance.random() < 0.2:
                continue
            if any(
                isinstance(n, ast.ListComp | ast.GeneratorExp | ast.DictComp) for n in ast.walk(statement)
            ):
                continue
            pad = " " * statement.col_offset
            given = ", ".join(a.arg for a in found[0].args.args)
            start = text.whole(statement)[0]
            name = f"{chance.choice(_WORDS)}_work"
            places.append((*text.span(found[0]), name))
            places.append(
                (
                    start,
                    start,
                    f"{pad}def {name}({given}):\n{pad}    return {text.get(found[0].body)}\n\n",
                )
            )
    return spliced(source, places)


def name_constants(source: str, chance: random.Random) -> str:
    """Numbers in calls get a name at the head of the module."""
    text = Text(source)
    found = [
        n.value
        for call in ast.walk(text.tree)
        if isinstance(call, ast.Call) and call.lineno > 40
        for n in call.keywords
        if isinstance(n.value, ast.Constant) and type(n.value.value) in (int, float)
    ]
    body = [n for n in text.tree.body if not isinstance(n, ast.Import | ast.ImportFrom | ast.Expr)]
    if not found or not body:
        return source
    places: list[Place] = []
    start = text.whole(body[0])[0]
    inside = [n for n in found if n.lineno >= body[0].lineno]
    for number, node in enumerate(chance.sample(inside, min(3, len(inside)))):
        name = f"{chance.choice(_WORDS).upper()}_{number}"
        places.append((*text.span(node), name))
        places.append((start, start, f"{name} = {node.value!r}\n"))
    return spliced(source, places)


def inline_constants(source: str, chance: random.Random) -> str:
    """A private constant of the module gives way to its value."""
    text = Text(source)
    places: list[Place] = []
    for node in text.tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
            and re.fullmatch(r"[A-Z_]{3,}", node.targets[0].id)
            and isinstance(node.value.value, int | float)
        ):
            uses = [
                n
                for n in ast.walk(text.tree)
                if isinstance(n, ast.Name) and n.id == node.targets[0].id and isinstance(n.ctx, ast.Load)
            ]
            places += [(*text.span(n), text.get(node.value)) for n in uses]
    return spliced(source, places)


def split_module(workspace: Workspace, chance: random.Random) -> None:
    """Private functions of a module move to a new module beside it, which it imports them from."""
    done = 0
    for path in code(workspace, chance, 200):
        source = workspace.read(path)
        text = Text(source)
        top = {
            n.name
            for n in text.tree.body
            if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        }
        top |= {
            t.id
            for n in text.tree.body
            if isinstance(n, ast.Assign)
            for t in n.targets
            if isinstance(t, ast.Name)
        }
        top |= {
            n.target.id
            for n in text.tree.body
            if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
        }
        movable = [
            n
            for n in text.tree.body
            if isinstance(n, ast.FunctionDef)
            and not n.decorator_list
            and not (top - {n.name}) & {m.id for m in ast.walk(n) if isinstance(m, ast.Name)}
            and n.name not in {m.id for m in ast.walk(n) if isinstance(m, ast.Name)}
        ]
        if not movable or path.endswith("__init__.py") or done >= 12:
            continue
        node = chance.choice(movable)
        start, end = text.whole(node)
        imports_ = [
            source[slice(*text.whole(n))]
            for n in text.tree.body
            if isinstance(n, ast.Import | ast.ImportFrom)
        ]
        stem = path.removesuffix(".py").rpartition("/")[2]
        package = re.sub(r"^.*?/src/", "", path).rpartition("/")[0].replace("/", ".")
        other = f"{stem}_{chance.choice(_WORDS)}"
        workspace.write(
            f"{path.rpartition('/')[0]}/{other}.py", f"{''.join(imports_)}\n\n{source[start:end]}"
        )
        rest = source[:start] + source[end:]
        first = Text(rest)
        line = next(
            (
                n
                for n in first.tree.body
                if isinstance(n, ast.Import | ast.ImportFrom) and getattr(n, "module", "") != "__future__"
            ),
            None,
        )
        at = first.whole(line)[0] if line else 0
        result = f"{rest[:at]}from {package}.{other} import {node.name}\n{rest[at:]}"
        ast.parse(result)
        workspace.write(path, result)
        done += 1
    if not done:
        raise NothingToChangeError("no function can move")


# Order and form


def reorder_functions(source: str, chance: random.Random) -> str:
    """Neighbouring functions of a module, and methods of a class, in another order."""
    text = Text(source)
    places: list[Place] = []
    holders: list[ast.Module | ast.ClassDef] = [text.tree]
    holders += [n for n in text.tree.body if isinstance(n, ast.ClassDef)]
    for holder in holders:
        run: list[ast.stmt] = []
        runs: list[list[ast.stmt]] = [run]
        for node in holder.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.decorator_list:
                run.append(node)
            else:
                run = []
                runs.append(run)
        for group in (g for g in runs if len(g) > 1):
            spans = [text.whole(n) for n in group]
            texts = [source[start:end] for start, end in spans]
            mixed = chance.sample(texts, len(texts))
            places += [(start, end, new) for (start, end), new in zip(spans, mixed, strict=True)]
    return spliced(source, places)


def reorder_imports(source: str, chance: random.Random) -> str:
    text = Text(source)
    found = [
        n
        for n in text.tree.body
        if isinstance(n, ast.Import | ast.ImportFrom) and getattr(n, "module", "") != "__future__"
    ]
    spans = [text.whole(n) for n in found]
    mixed = chance.sample([source[s:e] for s, e in spans], len(spans))
    return spliced(source, [(s, e, new) for (s, e), new in zip(spans, mixed, strict=True)])


def reorder_keywords(source: str, chance: random.Random) -> str:
    """Named arguments in another order, where they are names and constants."""
    text = Text(source)
    places: list[Place] = []
    for call in ast.walk(text.tree):
        if isinstance(call, ast.Call) and len(call.keywords) > 1 and all(k.arg for k in call.keywords):
            if not all(isinstance(k.value, ast.Name | ast.Constant | ast.Attribute) for k in call.keywords):
                continue
            spans = [text.span(k) for k in call.keywords]
            mixed = chance.sample([source[s:e] for s, e in spans], len(spans))
            places += [(s, e, new) for (s, e), new in zip(spans, mixed, strict=True)]
    return spliced(source, places)


def reformatted(*options: str) -> Callable[[str, random.Random], str]:
    def change(source: str, _: random.Random) -> str:
        command = [sys.executable, "-m", "ruff", "format", "--isolated", *options, "-"]
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
        return done.stdout

    return change


def without_comments(source: str, _: random.Random) -> str:
    text = Text(source)
    places: list[Place] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            start = text._starts[token.start[0] - 1] + token.start[1]
            places.append((start, start + len(token.string), ""))
    return spliced(source, places)


def with_comments(source: str, chance: random.Random) -> str:
    """Comments that speak of all that could be wrong, before statements."""
    said = (
        "# except Exception: pass",
        "# TODO: timeout=None, no breaker, no retry",
        "# await msg.ack() before the handler; auto_ack=True",
        "# requests.post('http://payments:8080/charge')",
        "# DELETE FROM events; UPDATE events SET data = ''",
        "# log.info('password %s', password)",
    )
    text = Text(source)
    places: list[Place] = []
    for node in ast.walk(text.tree):
        if (
            isinstance(node, ast.stmt)
            and not getattr(node, "decorator_list", None)
            and chance.random() < 0.15
        ):
            start = text.at(node.lineno, 0)
            if not source[start : text.span(node)[0]].strip():
                places.append((start, start, " " * node.col_offset + chance.choice(said) + "\n"))
    return spliced(source, places)


def without_docstrings(source: str, _: random.Random) -> str:
    text = Text(source)
    places: list[Place] = []
    for node in ast.walk(text.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1:
                places.append((*text.whole(first), ""))
    return spliced(source, places)


def with_blank_lines(source: str, _: random.Random) -> str:
    text = Text(source)
    places = [
        (text.whole(n)[0], text.whole(n)[0], "\n\n\n")
        for n in text.tree.body[1:]
        if not isinstance(n, ast.Expr)
    ]
    return spliced(source, places)


def without_hints(source: str, _: random.Random) -> str:
    """Types of what functions return, and of arguments that have a builtin one; the rest tells who is who."""
    text = Text(source)
    places: list[Place] = []
    for function in _functions(text.tree):
        if function.returns is not None:
            start = source.rindex("->", 0, text.span(function.returns)[0])
            places.append((start, text.span(function.returns)[1], ""))
        for argument in [*function.args.args, *function.args.kwonlyargs]:
            if isinstance(argument.annotation, ast.Name) and argument.annotation.id in (
                "str",
                "int",
                "float",
                "bool",
            ):
                places.append((*text.span(argument), argument.arg))
    return spliced(source, places)


def else_after_return(source: str, chance: random.Random) -> str:
    """`if x: return a` and then `return b` become an `if` with an `else`."""
    text = Text(source)
    places: list[Place] = []
    for function in _functions(text.tree):
        if len(function.body) < 2:
            continue
        test, last = function.body[-2:]
        if (
            isinstance(test, ast.If)
            and not test.orelse
            and isinstance(test.body[-1], ast.Return)
            and isinstance(last, ast.Return)
            and chance.random() < 0.8
        ):
            pad = " " * last.col_offset
            start, end = text.whole(last)
            block = source[start:end]
            places.append((start, end, f"{pad}else:\n{textwrap.indent(block, '    ')}"))
    return spliced(source, places)


def flip_conditions(source: str, chance: random.Random) -> str:
    """`a if x else b` becomes `b if not (x) else a`."""
    text = Text(source)
    places: list[Place] = []
    for node in ast.walk(text.tree):
        if isinstance(node, ast.IfExp) and chance.random() < 0.7:
            body, test, other = text.get(node.body), text.get(node.test), text.get(node.orelse)
            if not any(
                isinstance(n, ast.IfExp)
                for part in (node.body, node.test, node.orelse)
                for n in ast.walk(part)
            ):
                places.append((*text.span(node), f"{other} if not ({test}) else {body}"))
    return spliced(source, places)


def decoys(workspace: Workspace, _: random.Random) -> None:
    """Everything wrong at once, in places that never run: a test, an example, a page of documentation."""
    bad = textwrap.dedent("""
        import asyncio
        import httpx
        import pika
        import requests

        seen = set()


        def charge(session, producer, channel, password):
            try:
                requests.post("http://payments:8080/charge")
                session.add(1)
                session.commit()
                producer.send("charged", b"")
            except Exception:
                pass
            channel.basic_consume("q", charge, auto_ack=True)
            channel.queue_declare("q", durable=False, exclusive=True)
            print("password", password)
            while True:
                try:
                    return httpx.get("http://payments:8080/x", timeout=None)
                except Exception:
                    continue
    """)
    workspace.write("tests/test_everything_wrong.py", bad)
    workspace.write("services/orders/tests/test_everything_wrong.py", bad)
    workspace.write("examples/wrong.py", bad)
    workspace.write("docs/wrong.md", f"# How not to do it\n\n```python{bad}```\n")


# Configuration


def compose_lists(workspace: Workspace, _: random.Random) -> None:
    """Environments as lists of `NAME=value` instead of mappings."""
    path = "deploy/compose.yaml"
    source = workspace.read(path)

    def listed(match: re.Match[str]) -> str:
        pad, lines = match[1], match[2]
        entries = re.sub(r'^ +([A-Z_]+): "?(.*?)"?$', rf'{pad}  - "\1=\2"', lines, flags=re.MULTILINE)
        return f"{pad}environment:\n{entries}"

    workspace.write(
        path, re.sub(r"^( +)environment:\n((?: +[A-Z_]+: .*\n)+)", listed, source, flags=re.MULTILINE)
    )


def yaml_comments(workspace: Workspace, chance: random.Random) -> None:
    """Comments in YAML that name what is not there."""
    said = ("# OTEL_SDK_DISABLED: true", "# tmpfs: /var/lib/postgresql/data", "# pg_dump shop || true")
    for path in (
        "deploy/compose.yaml",
        "deploy/kubernetes/base/orders.yaml",
        "observability/prometheus/alerts.yml",
    ):
        lines = workspace.read(path).splitlines()
        for _ in range(12):
            at = chance.randrange(1, len(lines))
            if not re.search(r"[|>]-?$", lines[at - 1]):
                lines.insert(at, chance.choice(said))
        workspace.write(path, "\n".join(lines) + "\n")


def services_in_another_order(workspace: Workspace, chance: random.Random) -> None:
    path = "Procfile"
    lines = workspace.read(path).splitlines()
    workspace.write(path, "\n".join(chance.sample(lines, len(lines))) + "\n")


ALL: tuple[Same, ...] = (
    Same("private names are changed", everywhere(rename_private)),
    Same("private functions are renamed everywhere", rename_private_everywhere),
    Same("public functions and classes are renamed everywhere", rename_public),
    Same("the chassis has another name", rename_folder("chassis", "plumbing")),
    Same("a service has another name", rename_folder("payments", "billing")),
    Same("modules of the chassis have other names", rename_modules),
    Same("modules are imported under other names", everywhere(alias_imports, 200)),
    Same("results get a name before they are returned", everywhere(name_results)),
    Same("functions are extracted", everywhere(extract_functions, 40)),
    Same("lambdas become functions", everywhere(name_lambdas, 60)),
    Same("numbers get a name", everywhere(name_constants, 60)),
    Same("names of numbers are inlined", everywhere(inline_constants, 60)),
    Same("modules are split", split_module),
    Same("functions and methods change places", everywhere(reorder_functions)),
    Same("imports change places", everywhere(reorder_imports)),
    Same("named arguments change places", everywhere(reorder_keywords, 60)),
    Same("reformatted with short lines", everywhere(reformatted("--line-length=60"))),
    Same("reformatted with long lines", everywhere(reformatted("--line-length=200"))),
    Same("reformatted with single quotes", everywhere(reformatted("--config=format.quote-style='single'"))),
    Same("comments are dropped", everywhere(without_comments)),
    Same("comments are added that speak of defects", everywhere(with_comments)),
    Same("docstrings are dropped", everywhere(without_docstrings)),
    Same("blank lines are added", everywhere(with_blank_lines)),
    Same("type hints are dropped", everywhere(without_hints)),
    Same("an else follows a return", everywhere(else_after_return, 200)),
    Same("conditions are turned around", everywhere(flip_conditions, 60)),
    Same("everything wrong, where it never runs", decoys),
    Same("environments in compose are lists", compose_lists),
    Same("comments in YAML that speak of defects", yaml_comments),
    Same("processes change places", services_in_another_order),
)
