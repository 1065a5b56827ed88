"""Order and form: what a formatter, a tidy colleague or a change of taste does to code."""

from __future__ import annotations

import ast
import io
import random
import subprocess
import sys
import textwrap
import tokenize
from collections.abc import Callable

from tests.mutants.same.places import Place, Text, functions, spliced


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
            start = text.starts[token.start[0] - 1] + token.start[1]
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
    for function in functions(text.tree):
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
    for function in functions(text.tree):
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
