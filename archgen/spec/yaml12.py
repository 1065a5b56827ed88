"""Bytes → Document, by the YAML 1.2 core schema, within bounds that no honest file reaches.

PyYAML reads YAML 1.1, where `on`, `off`, `yes`, `no` and `1:30` are not text. Its scanner and parser
serve both versions, so they are used as they are and only the step from events to values is ours.
"""

from __future__ import annotations

import re

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from archgen.errors import Problem, SpecError
from archgen.spec.document import Document, Entry, Node
from archgen.spec.text import decode, invisible

MAX_DEPTH = 32
MAX_ALIASED = 10_000
"""How many values all aliases of a file may stand for together; stops the billion laughs."""

MAX_DIGITS = 40

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = re.compile(r"|~|null|Null|NULL")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?[0-9.](x[0-9a-fA-F]*|o?[0-9.]*([eE][-+]?[0-9]*)?)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def parse(source: bytes | str, name: str) -> Document:
    """The one mapping that `source` holds; `name` is the file's name for messages.

    Raises SpecError on what leaves nothing to go on with. Problems that the rest of the file
    can be read in spite of, such as a key given twice, are in the document's `problems`.
    """
    text = decode(source, name)
    events = _Loader(text)
    try:
        return _Composer(events, name).document()
    except yaml.MarkedYAMLError as error:
        raise SpecError(_explain(error, name)) from None
    finally:
        events.dispose()


def resolve(text: str) -> bool | int | float | str | None:
    """What a plain scalar stands for in the YAML 1.2 core schema. Raises ValueError on a huge number."""
    if _NULL.fullmatch(text):
        return None
    if _BOOLEAN.fullmatch(text):
        return text[0] in "tT"
    if len(text) > MAX_DIGITS and _NUMBER.fullmatch(text):
        raise ValueError("a number of too many digits")
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


class _Composer:
    """Events → nodes. Works by recursion, which MAX_DEPTH bounds."""

    def __init__(self, events: yaml.SafeLoader, name: str) -> None:
        self._events = events
        self._name = name
        self._problems: list[Problem] = []
        self._anchors: dict[str, tuple[Node | None, int]] = {}
        self._values = 0
        self._aliased = 0

    def document(self) -> Document:
        self._next()  # start of the stream
        if not isinstance(self._next(), DocumentStartEvent):
            raise SpecError(Problem("the file is empty", self._name, remedy=_START, code="empty"))
        root = self._node(self._next(), depth=0)
        self._next()  # end of the document
        after = self._next()
        if isinstance(after, DocumentStartEvent):
            raise self._refusal(after, "a second document starts here", "keep one system per file")
        if root.value is None:
            raise SpecError(Problem("the file is empty", self._name, remedy=_START, code="empty"))
        if not isinstance(root.value, dict):
            raise self._refusal(root, f"expected a mapping, found {describe(root)}", _START)
        return Document(self._name, root, self._problems)

    def _next(self) -> Event:
        event: Event = self._events.get_event()  # type: ignore[no-untyped-call]
        return event

    def _node(self, event: Event, depth: int) -> Node:
        line, column = _place(event)
        if isinstance(event, AliasEvent):
            return self._alias(event)
        before = self._values
        self._values += 1
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            shown = tag.replace("tag:yaml.org,2002:", "!!")[:60]
            raise self._refusal(event, f"the tag {shown!r} is not accepted", "write the plain value")
        if depth > MAX_DEPTH:
            raise self._refusal(event, f"nested deeper than {MAX_DEPTH} levels", "")
        node = Node(line, column, None)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = (None, 0)
        if isinstance(event, ScalarEvent):
            node.value = self._scalar(event)
        elif isinstance(event, SequenceStartEvent):
            node.value = self._list(depth)
        elif isinstance(event, MappingStartEvent):
            node.value = self._mapping(depth)
        if anchor is not None:
            self._anchors[anchor] = (node, self._values - before)
        return node

    def _alias(self, event: AliasEvent) -> Node:
        name = event.anchor or ""
        if name not in self._anchors:
            raise self._refusal(event, f"nothing is anchored as &{name[:60]}", "")
        node, size = self._anchors[name]
        if node is None:
            raise self._refusal(event, f"*{name[:60]} contains itself", "")
        self._values += size
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            raise self._refusal(
                event,
                f"the aliases of this file stand for more than {MAX_ALIASED:,} values",
                "write them out",
            )
        return node

    def _scalar(self, event: ScalarEvent) -> bool | int | float | str | None:
        found = invisible(event.value)
        if found:
            self._problems.append(self._problem(event, f"the invisible character {found} is not accepted"))
            return "".join(char for char in event.value if not invisible(char))
        if not event.implicit[0]:
            return str(event.value)
        try:
            return resolve(event.value)
        except ValueError:
            raise self._refusal(event, "the number is too long", "quote it if it is text") from None

    def _list(self, depth: int) -> list[Node]:
        items = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._node(event, depth + 1)
            line, column = _place(event)
            value = self._node(self._next(), depth + 1)
            if not isinstance(key.value, str):
                message = f"expected text as a key, found {describe(key)}"
                self._problems.append(self._problem(event, message, "put it in quotes"))
            elif key.value == "<<":
                message = "merge keys (<<) are not part of YAML 1.2"
                self._problems.append(self._problem(event, message, "repeat the keys"))
            elif key.value in entries:
                message = (
                    f"the key {key.value[:60]!r} is given twice, first in line {entries[key.value].line}"
                )
                self._problems.append(self._problem(event, message, "keep one of them", "duplicate-key"))
            else:
                entries[key.value] = Entry(line, column, value)
        return entries

    def _problem(self, at: Event | Node, message: str, remedy: str = "", code: str = "yaml") -> Problem:
        line, column = (at.line, at.column) if isinstance(at, Node) else _place(at)
        return Problem(message, self._name, line, column, "", remedy, code)

    def _refusal(self, at: Event | Node, message: str, remedy: str) -> SpecError:
        return SpecError(*self._problems, self._problem(at, message, remedy))


_START = "start with `archgen: 1` and `system: <name>`"


def describe(node: Node) -> str:
    """What stands at `node`, in words for a message."""
    match node.value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {str(node.value).lower()}"
        case int() | float():
            return f"the number {str(node.value)[:40]}"
        case str():
            return f"the text {node.value[:40]!r}"
        case list():
            return "a list" if node.value else "an empty list"
        case _:
            return "a mapping" if node.value else "an empty mapping"


def _place(event: Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _explain(error: yaml.MarkedYAMLError, name: str) -> Problem:
    problem, context, mark = error.problem or "cannot be read", error.context or "", error.problem_mark
    remedy = ""
    if "maximum nesting depth" in problem:
        # libyaml has a limit of its own, far above ours, and meets it first in one long line
        at = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        return Problem(f"nested deeper than {MAX_DEPTH} levels", name, *at, code="yaml")
    if "\\t" in problem or "tab" in problem or "cannot start any token" in problem:
        context = ""
        remedy = "indent with spaces, and quote text that starts with punctuation"
    elif "mapping values are not allowed" in problem:
        problem, context = "a second `:` in one line", ""
        remedy = "quote text that contains `: `"
    elif mark and error.context_mark and ("flow" in context or "quoted" in context):
        # What was opened and never closed is the place to look at, not where that was noticed.
        problem += f", noticed in line {mark.line + 1}"
        mark = error.context_mark
    message = f"not valid YAML: {context} {problem}".replace("  ", " ")
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Problem(message, name, line, column, "", remedy, "syntax")
