"""Picking files and places in them, and editing a source by its syntax tree."""

from __future__ import annotations

import ast
import io
import random
import re
import tokenize
from collections.abc import Callable

from tests.mutants.workspace import NothingToChangeError, Workspace

Place = tuple[int, int, str]  # start, end, what it becomes
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath")
CODE = re.compile(r"^(chassis/python/src|services/[\w-]+/src)/.*\.py$")


def code(workspace: Workspace, chance: random.Random, count: int = 25) -> list[str]:
    """Some Python files that run in production."""
    found = [path for path in workspace.files() if CODE.match(path) and "/migrations/" not in path]
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
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self._lines = source.splitlines(keepends=True)

    def at(self, line: int, column: int) -> int:
        """Columns of the tree count bytes."""
        return self.starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword)
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def whole(self, node: ast.stmt) -> tuple[int, int]:
        """From the first line of a statement, decorators included, to behind its last."""
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)])
        assert node.end_lineno is not None
        return self.starts[first - 1], self.starts[node.end_lineno]

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
            start = text.starts[token.start[0] - 1] + token.start[1]
            places.append((start, start + len(token.string), new[token.string]))
    return spliced(source, places)


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
