"""Taking source text apart where a syntax tree would cost more than it tells: argument lists and
parameters.
"""

from __future__ import annotations

import re

_OPEN, _CLOSE, _QUOTES = "([{<", ")]}>", "\"'`"
# What a text is taken apart at; an escaped character is one mark that means nothing.
_MARKS = re.compile(r"""\\.|[()\[\]{},"'`]""", re.DOTALL)
_MARKS_WITH_ANGLES = re.compile(r"""\\.|[()\[\]{}<>,"'`]""", re.DOTALL)
_KEYWORD = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)\s*(.*)", re.DOTALL)
_KEY = re.compile(r"""["`]?([\w.-]+)["`]?\s*:(?!=)\s*(.*)""", re.DOTALL)
_PAIR = re.compile(
    r"""(?:^|[{,(\s])(?:\.\.\.)?['"]?([A-Za-z_$][\w$.-]*)['"]?\s*[:=](?![:=>])\s*([^,{}\n]+|\{)"""
)
_MODIFIERS = re.compile(
    r"^(?:@[\w.]+(?:\([^)]*\))?\s+|(?:private|public|protected|readonly|final|static)\s+|\.\.\.|\*+)+"
)


def split(text: str, *, angles: bool = False) -> list[str]:
    """Parts of `text` between commas that lie outside of brackets and quotes."""
    if "," not in text:
        part = text.strip()
        return [part] if part else []
    parts, depth, start, quote = [], 0, 0, ""
    for match in (_MARKS_WITH_ANGLES if angles else _MARKS).finditer(text):
        mark = match[0]
        if quote:
            if mark == quote:
                quote = ""
        elif mark == ",":
            if depth == 0:
                parts.append(text[start : match.start()].strip())
                start = match.end()
        elif mark in _QUOTES:
            quote = mark
        elif mark in _OPEN:
            depth += 1
        elif mark in _CLOSE:
            depth = max(0, depth - 1)
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def arguments(text: str, language: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Positional arguments, and named ones: keywords in Python, keys of object literals elsewhere."""
    inner = text[1:-1] if text[:1] in "({" else text
    positional: list[str] = []
    named: dict[str, str] = {}
    for part in split(inner):
        if language == "python":
            match = _KEYWORD.match(part)
            if match:
                named[match[1]] = match[2].strip()
                continue
        elif language == "go" and text[:1] == "{":
            match = _KEY.match(part)
            if match:
                named[match[1]] = match[2].strip()
                continue
        elif language == "typescript" and part.startswith("{"):
            named.update((m[1], m[2].strip()) for m in _PAIR.finditer(part[1:-1]))
            named.update((word, word) for word in split(part[1:-1]) if word.isidentifier())
        positional.append(part)
    return tuple(positional), named


def parameters(text: str, language: str) -> dict[str, str]:
    """Names of parameters with their types, "" where none is written."""
    found: dict[str, str] = {}
    untyped: list[str] = []
    for raw in split(text.strip()[1:-1] if text.strip().startswith("(") else text, angles=True):
        part = _MODIFIERS.sub("", raw.strip())
        if language == "java":
            words = part.rsplit(None, 1)
            if len(words) == 2:
                found[words[1]] = words[0]
        elif language == "go":
            words = part.split(None, 1)
            if len(words) == 1:
                untyped.append(words[0])
            else:
                for name in [*untyped, words[0]]:
                    found[name] = words[1]
                untyped = []
        else:
            name, _, kind = part.partition(":")
            if not kind:
                name = name.partition("=")[0]
            found[name.strip().rstrip("?")] = kind.split("=")[0].strip()
    return found


_FIELDS = {
    "go": re.compile(r"^[ \t]+(?P<name>\w+)\s+(?P<type>\*?[\w.\[\]]+)", re.MULTILINE),
    "java": re.compile(
        r"(?:^|[;{}])\s*(?:@\w+(?:\([^)]*\))?\s*|(?:private|protected|public|final|static|transient|volatile)\s+)*"
        r"(?P<type>[A-Z][\w<>,.?\[\] ]*?)\s+(?P<name>\w+)\s*[;=]",
        re.MULTILINE,
    ),
    "typescript": re.compile(
        r"(?:private|protected|public|readonly)\s+(?P<name>\w+)\??\s*:\s*(?P<type>[\w<>.\[\]]+)"
    ),
    "python": re.compile(r"^    (?P<name>\w+)\s*:\s*(?P<type>[\w.\[\], |\"]+)", re.MULTILINE),
}


def fields(body: str, language: str) -> list[tuple[str, str]]:
    """Names and types of what a class or struct declares."""
    return [(m["name"], m["type"].strip()) for m in _FIELDS[language].finditer(body)]
