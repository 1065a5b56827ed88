"""Taking code apart and putting it together: extracting, naming, inlining, splitting."""

from __future__ import annotations

import ast
import random
import re
import textwrap

from tests.mutants.same.places import WORDS, Place, Text, code, functions, spliced
from tests.mutants.workspace import NothingToChangeError, Workspace


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
        helper = f"_{function.name.strip('_')}_{chance.choice(WORDS)}"
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
    for function in functions(text.tree):
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
            name = f"{chance.choice(WORDS)}_work"
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
        name = f"{chance.choice(WORDS).upper()}_{number}"
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
        other = f"{stem}_{chance.choice(WORDS)}"
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
