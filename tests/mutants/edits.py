"""Ways to edit a project. Each is a function of a workspace, and raises when it finds nothing to change.

Code is edited by its syntax tree (ast-grep, so in any language that the audit reads): a pattern such as
`reversed($X)` is found however it is laid out, and a comment that mentions it is not.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any

from ast_grep_py import SgNode, SgRoot

from archgen.evidence.code.grammar import BY_SUFFIX
from tests.mutants.workspace import NothingToChangeError, Workspace

Edit = Callable[[Workspace], None]
_ASKED = re.compile(r"\$\$\$([A-Z_]+)|\$([A-Z_]+)")
_BLOCKS = ("block", "module", "statement_block", "program", "source_file")


def chain(*edits: Edit) -> Edit:
    """All of them, in order."""

    def edit(workspace: Workspace) -> None:
        for one in edits:
            one(workspace)

    return edit


def text(files: str, old: str, new: str) -> Edit:
    """Every `old` in the files becomes `new`: for what is not code."""
    return _in_each(files, lambda before, _: before.replace(old, new))


def regex(files: str, old: str, new: str, count: int = 0) -> Edit:
    """As `text`, for a regular expression of whole lines (`^` and `$` stand at their ends)."""
    return _in_each(files, lambda before, _: re.sub(old, new, before, count=count, flags=re.MULTILINE))


def add(path: str, contents: str) -> Edit:
    """A new file."""

    def edit(workspace: Workspace) -> None:
        if path in workspace.files():
            raise NothingToChangeError(f"{path} exists already")
        workspace.write(path, textwrap.dedent(contents).lstrip("\n"))

    return edit


def append(files: str, contents: str) -> Edit:
    """More code, or more lines, at the end of each file."""
    more = textwrap.dedent(contents)
    return _in_each(files, lambda before, _: f"{before.rstrip()}\n{more.rstrip()}\n")


def remove(files: str) -> Edit:
    def edit(workspace: Workspace) -> None:
        for path in workspace.matching(files):
            workspace.remove(path)

    return edit


def imports(files: str, line: str) -> Edit:
    """An import at the head of a Python file, behind its docstring and its future imports."""

    def add_line(before: str, _: str) -> str:
        match = re.search(r"^(?:from (?!__future__)|import )", before, re.MULTILINE)
        at = match.start() if match else len(before)
        return f"{before[:at]}{line}\n{before[at:]}"

    return _in_each(files, add_line)


def rewrite(files: str, pattern: str, to: str, *, only: int | None = None) -> Edit:
    """What matches becomes `to`, in which `$X` and `$$$X` stand for what they matched.

    `only` picks one of the matches, counted from 0 in each file; all of them otherwise.
    """

    def change(source: str, path: str) -> str:
        nodes = _found(source, path, pattern)
        chosen = nodes if only is None else nodes[only : only + 1]
        return _spliced(source, [(*_span(node), _filled(source, node, to)) for node in chosen])

    return _in_each(files, change)


def drop(files: str, pattern: str) -> Edit:
    """The statements that match are gone; a block that would be left empty passes."""

    def change(source: str, path: str) -> str:
        return _spliced(source, [_without_statement(source, node) for node in _found(source, path, pattern)])

    return _in_each(files, change)


def drop_argument(files: str, name: str, *, only: int | None = None) -> Edit:
    """The keyword argument, or the entry of a mapping, of this name is gone."""
    return drop_part(files, {"any": [
        {"kind": "keyword_argument", "has": {"field": "name", "regex": f"^{name}$"}},
        {"kind": "pair", "has": {"field": "key", "regex": f"^[\"']{name}[\"']$"}},
    ]}, only=only)  # fmt: skip


def set_argument(files: str, name: str, value: str) -> Edit:
    """The keyword argument `name` of every call that has it becomes `value`."""
    rule = {"kind": "keyword_argument", "has": {"field": "name", "regex": f"^{name}$"}}

    def change(source: str, path: str) -> str:
        values = [node.field("value") for node in _found(source, path, rule)]
        return _spliced(source, [(*_span(node), value) for node in values if node is not None])

    return _in_each(files, change)


def drop_part(files: str, rule: object, *, only: int | None = None) -> Edit:
    """Parts of lists, calls and mappings that match are gone, with the comma."""

    def change(source: str, path: str) -> str:
        nodes = _found(source, path, rule)
        return _spliced(
            source,
            [_without_part(source, node) for node in (nodes if only is None else nodes[only : only + 1])],
        )

    return _in_each(files, change)


def unwrap(files: str, pattern: str) -> Edit:
    """A `with`, an `if` or a `for` that matches gives way to its body."""

    def change(source: str, path: str) -> str:
        changes = []
        for node in _found(source, path, pattern):
            body = node.field("body") or node.field("consequence")
            assert body is not None, f"{pattern} has no body"
            start, end = _lines_of(source, node)
            lines = source[_line_start(source, _span(body)[0]) : end]
            changes.append((start, end, textwrap.indent(textwrap.dedent(lines), _indent(source, node))))
        return _spliced(source, changes)

    return _in_each(files, change)


def before(files: str, pattern: str, code: str) -> Edit:
    """`code` as statements before those that match."""
    return _beside(files, pattern, code, after_it=False)


def after(files: str, pattern: str, code: str) -> Edit:
    """`code` as statements behind those that match."""
    return _beside(files, pattern, code, after_it=True)


def wrap(files: str, pattern: str, head: str, tail: str) -> Edit:
    """The statements that match are put below `head`, for example `try:`, and `tail` follows them."""

    def change(source: str, path: str) -> str:
        changes = []
        for node in _found(source, path, pattern):
            statement = _statement(node)
            start, end = _lines_of(source, statement)
            pad = _indent(source, statement)
            inner = textwrap.indent(source[start:end], "    ")
            changes.append((start, end, _padded(head, pad) + inner + _padded(tail, pad)))
        return _spliced(source, changes)

    return _in_each(files, change)


def body(files: str, function: str, code: str) -> Edit:
    """The function, `name` or `Class.name`, does this instead of what it did."""
    owner, _, name = function.rpartition(".")
    rule: dict[str, object] = {"kind": "function_definition", "has": {"field": "name", "regex": f"^{name}$"}}
    if owner:
        rule["inside"] = {
            "kind": "class_definition",
            "has": {"field": "name", "regex": f"^{owner}$"},
            "stopBy": "end",
        }

    def change(source: str, path: str) -> str:
        changes = []
        for node in _found(source, path, rule):
            inner = node.field("body")
            assert inner is not None
            start, end = _span(inner)
            pad = _indent(source, inner)
            changes.append((_line_start(source, start), end, _padded(code, pad).rstrip("\n")))
        return _spliced(source, changes)

    return _in_each(files, change)


# How it is done


def _in_each(files: str, change: Callable[[str, str], str]) -> Edit:
    def edit(workspace: Workspace) -> None:
        touched = False
        for path in workspace.matching(files):
            source = workspace.read(path)
            result = change(source, path)
            if result != source:
                workspace.write(path, result)
                touched = True
        if not touched:
            raise NothingToChangeError(f"nothing to change in {files}")

    return edit


def _found(source: str, path: str, rule: object) -> list[SgNode]:
    suffix = "." + path.rsplit(".", 1)[-1]
    if suffix not in BY_SUFFIX:
        raise NothingToChangeError(f"{path} is not code that can be searched by pattern")
    root = SgRoot(source, BY_SUFFIX[suffix][1]).root()
    if isinstance(rule, str):
        return root.find_all(pattern=rule)
    config: Any = {"rule": rule}
    found: list[SgNode] = root.find_all(config)
    return found


def _span(node: SgNode) -> tuple[int, int]:
    place = node.range()
    return place.start.index, place.end.index


def _spliced(source: str, changes: list[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(changes, reverse=True):
        source = source[:start] + new + source[end:]
    return source


def _filled(source: str, node: SgNode, to: str) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1]:
            parts = [part for part in node.get_multiple_matches(match[1]) if part.text().strip()]
            return source[_span(parts[0])[0] : _span(parts[-1])[1]] if parts else ""
        found = node.get_match(match[2])
        assert found is not None, f"the pattern has no {match[0]}"
        return found.text()

    return _ASKED.sub(value, to)


def _line_start(source: str, at: int) -> int:
    return source.rfind("\n", 0, at) + 1


def _line_end(source: str, at: int) -> int:
    end = source.find("\n", at)
    return len(source) if end < 0 else end + 1


def _lines_of(source: str, node: SgNode) -> tuple[int, int]:
    start, end = _span(node)
    return _line_start(source, start), _line_end(source, end)


def _indent(source: str, node: SgNode) -> str:
    start = _span(node)[0]
    line = source[_line_start(source, start) : start]
    return line[: len(line) - len(line.lstrip())]


def _padded(code: str, pad: str) -> str:
    return textwrap.indent(textwrap.dedent(code).strip("\n") + "\n", pad)


def _statement(node: SgNode) -> SgNode:
    """The statement that `node` is, or is a part of."""
    while (parent := node.parent()) is not None and parent.kind() not in _BLOCKS:
        node = parent
    return node


def _without_statement(source: str, node: SgNode) -> tuple[int, int, str]:
    statement = _statement(node)
    block = statement.parent()
    start, end = _lines_of(source, statement)
    alone = block is not None and block.kind() == "block" and len(block.children()) == 1
    return start, end, f"{_indent(source, statement)}pass\n" if alone else ""


def _without_part(source: str, node: SgNode) -> tuple[int, int, str]:
    start, end = _span(node)
    behind = re.compile(r"\s*,[ \t]*").match(source, end)
    if behind:
        return start, behind.end(), ""
    ahead = re.search(r",\s*$", source[:start])
    return (ahead.start() if ahead else start), end, ""


def _beside(files: str, pattern: str, code: str, *, after_it: bool) -> Edit:
    def change(source: str, path: str) -> str:
        changes = []
        for node in _found(source, path, pattern):
            statement = _statement(node)
            start, end = _lines_of(source, statement)
            at = end if after_it else start
            changes.append((at, at, _padded(code, _indent(source, statement))))
        return _spliced(source, changes)

    return _in_each(files, change)
