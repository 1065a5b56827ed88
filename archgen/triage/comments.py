"""The comments of a file, by the syntax of its language: what stands in a string is no comment.

Pygments knows the syntax of everything that the audit reads; it comes with rich.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HTML = re.compile(r"^\s*<!--(.*?)-->\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_DOCUMENTS = (".md", ".markdown", ".adoc", ".rst")
# Names that Pygments does not know, and what they are written like.
_LIKE = (
    (re.compile(r"^\.env|\.(env|conf|cron|crontab|txt)$|^(Procfile|crontab)$"), "a.ini"),
    (re.compile(r"^Dockerfile|\.Dockerfile$"), "Dockerfile"),
    (re.compile(r"^[Jj]ustfile$"), "Makefile"),
)


@dataclass(frozen=True, slots=True)
class Comment:
    """One line of a comment. `alone`: nothing else stands on that line."""

    line: int
    text: str
    alone: bool


def comments(path: str, text: str) -> list[Comment]:
    """The comments in order of their lines; none for a format that has none, such as JSON."""
    text = text.replace("\r\n", "\n")
    if path.lower().endswith(_DOCUMENTS):
        return list(_documents(text))
    return list(_code(path, text))


def _documents(text: str) -> Iterator[Comment]:
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (match := _HTML.match(line)):
            yield Comment(number, match[1], alone=True)


def _code(path: str, text: str) -> Iterator[Comment]:
    from pygments.lexers import get_lexer_for_filename
    from pygments.token import Comment as Kind
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_for_filename(_named(path), text)
    except ClassNotFound:
        return
    line, busy = 1, set[int]()
    found: dict[int, str] = {}
    for _, kind, value in lexer.get_tokens_unprocessed(text):
        is_comment = kind[: len(Kind)] == Kind and kind[-1:] not in (("Preproc",), ("PreprocFile",))
        for offset, part in enumerate(value.split("\n")):
            if is_comment:
                # some lexers cut a comment into pieces
                found[line + offset] = found.get(line + offset, "") + part
            elif part.strip():
                busy.add(line + offset)
        line += value.count("\n")
    yield from (Comment(number, part, number not in busy) for number, part in found.items())


def _named(path: str) -> str:
    name = path.rpartition("/")[2]
    return next((like for pattern, like in _LIKE if pattern.search(name)), name)
