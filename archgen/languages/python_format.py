"""Python laid out as ruff format lays it out.

Templates and expressions are written on one line each; `format_python` breaks those that are too long.
So a file is right when it is written, without a formatter being installed where archgen runs, and does
not change with the version of one.

It knows what generated code consists of, not all of Python: one statement per line, no comments behind
code, no lambdas, no chains of calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from archgen.escape import py
from archgen.plan_types import Code

WIDTH = 110

_STATEMENT = re.compile(
    r"(?P<keyword>return |assert |raise |if |yield |await |@)?"
    r"(?P<target>[\w.]+(?P<annotation>: .+?)? = |\[\w+\] = )?"
    r"(?P<value>.*?)(?P<end>:?)$"
)
# Loosest first. A line is broken before the operators of the loosest kind that it has.
_OPERATORS = (" or ", " and ", " == ", " | ", " + ")
# What is in quotes, as a whole, or else a bracket or comma.
_MARK = re.compile(r"""\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?|[][(){},]""")


# Expressions on one line


def call(function: str, arguments: Iterable[tuple[str, str]]) -> Code:
    """`function(name=value, …)`; an empty name is a positional argument."""
    return Code(f"{function}({', '.join(f'{name}={value}' if name else value for name, value in arguments)})")


def tuple_of(values: Sequence[str]) -> Code:
    return Code(f"({', '.join(values)}{',' if len(values) == 1 else ''})")


def list_of(values: Iterable[str]) -> Code:
    return Code(f"[{', '.join(values)}]")


def dict_of(items: Mapping[str, str]) -> Code:
    """The keys are text, the values expressions."""
    return Code("{" + ", ".join(f"{py(key)}: {value}" for key, value in items.items()) + "}")


# Whole files


def formatted(caller: Callable[[], str]) -> Code:
    """For `{% call %}` in a template: what the block renders to, laid out."""
    # Jinja's own kind of string would escape what is added to it.
    return Code(format_python(str(caller())))


def format_python(text: str) -> str:
    """`text` with every statement that is too long broken over lines."""
    lines = text.split("\n")
    quoted = False
    for row, line in enumerate(lines):
        bare = line.lstrip(" ")
        if quoted:
            quoted = not line.endswith('"""')
        elif bare.startswith('"""'):
            quoted = bare == '"""' or not line.endswith('"""')
        elif len(line) > WIDTH:
            lines[row] = _statement(bare, len(line) - len(bare))
    return "\n".join(lines)


def _statement(text: str, indent: int) -> str:
    margin = " " * indent
    if text.startswith("#"):
        return margin + text
    if text.startswith("from "):
        head, _, names = text.partition(" import ")
        inner = "".join(f"{margin}    {name},\n" for name in names.split(", "))
        return f"{margin}{head} import (\n{inner}{margin})"
    if text.startswith(("def ", "async def ")):
        return margin + _broken(text, *_brackets(text)[0], indent)
    if re.match(r"\w+: [^=]*$", text):
        name, _, annotation = text.partition(": ")
        return f"{margin}{name}: {_expression(annotation, indent, len(name) + 2, 0, parentheses=False)}"
    found = _STATEMENT.match(text)
    assert found
    before = (found["keyword"] or "") + (found["target"] or "")
    parentheses = found["keyword"] != "@"
    value = _expression(found["value"], indent, len(before), len(found["end"]), parentheses=parentheses)
    return margin + before + value + found["end"]


def _expression(text: str, indent: int, before: int, after: int, *, parentheses: bool) -> str:
    """`text` behind `before` characters on a line `indent` deep, with `after` more behind its end.

    `parentheses` tells whether it may get some of its own to be broken in.
    """
    if indent + before + len(text) + after <= WIDTH:
        return text
    operands = _operands(text)
    brackets = _brackets(text)
    if brackets and brackets[-1][1] == len(text) - 1 and len(operands) <= 2:
        start, end = brackets[-1]
        if end > start + 1 and indent + before + start + 1 <= WIDTH:
            return _broken(text, start, end, indent)
    if not parentheses:
        return ("\n" + " " * indent).join(operands)
    inner = " " * (indent + 4)
    lines = [text] if len(inner + text) <= WIDTH else operands
    if max(len(inner + line) for line in lines) > WIDTH and len(lines) == 1:
        return text  # parentheses would not help
    return "(\n" + "\n".join(inner + line for line in lines) + "\n" + " " * indent + ")"


def _broken(text: str, start: int, end: int, indent: int) -> str:
    """`text` with the brackets at `start` and `end` opened: all inside on one line, or one per element."""
    inner = " " * (indent + 4)
    body = text[start + 1 : end]
    elements = _split(body.removesuffix(","))
    applied = text[start] in "([" and start > 0 and re.match(r"[\w\])]", text[start - 1])
    comma = "," if body.endswith(",") else ""
    if (applied or len(elements) == 1) and len(inner + body) <= WIDTH:
        return f"{text[: start + 1]}\n{inner}{body}\n{' ' * indent}{text[end:]}"
    lines = [inner + _element(element, indent + 4) for element in elements]
    if len(lines) > 1 or comma or _prefixed(elements[0])[0]:
        lines = [line + "," for line in lines]
    return text[: start + 1] + "\n" + "\n".join(lines) + "\n" + " " * indent + text[end:]


def _element(text: str, indent: int) -> str:
    prefix, value = _prefixed(text)
    return prefix + _expression(value, indent, len(prefix), 1, parentheses=False)


def _prefixed(text: str) -> tuple[str, str]:
    """`name=` or `"key": ` and the value behind it."""
    found = re.match(r"""\w+=(?!=)|"(?:[^"\\]|\\.)*": |'(?:[^'\\]|\\.)*': |\w+: """, text)
    return (found.group(), text[found.end() :]) if found else ("", text)


# What is where on a line


def _marks(text: str) -> Iterator[tuple[int, str, int]]:
    """Index, character and depth of the brackets and commas that are not inside quotes."""
    depth = 0
    for found in _MARK.finditer(text):
        char = found.group()
        if char[0] in "\"'":
            continue
        depth -= char in ")]}"
        yield found.start(), char, depth
        depth += char in "([{"


def _brackets(text: str) -> list[tuple[int, int]]:
    """Where the outermost brackets open and close."""
    outer = [(index, char) for index, char, depth in _marks(text) if depth == 0]
    opened = [index for index, char in outer if char in "([{"]
    closed = [index for index, char in outer if char in ")]}"]
    return list(zip(opened, closed, strict=True))


def _split(text: str) -> list[str]:
    """The parts between the outermost commas."""
    commas = [index for index, char, depth in _marks(text) if depth == 0 and char == ","]
    edges = [-1, *commas, len(text)]
    return [text[start + 1 : end].strip() for start, end in pairwise(edges)]


def _operands(text: str) -> list[str]:
    """The parts between the loosest operators, each but the first with its operator in front."""
    if not any(operator in text for operator in _OPERATORS):
        return [text]
    hidden = _brackets(text)
    hidden += [found.span() for found in _MARK.finditer(text) if found.group()[0] in "\"'"]
    for operator in _OPERATORS:
        places = [
            place
            for place in (found.start() for found in re.finditer(re.escape(operator), text))
            if not any(start <= place < end for start, end in hidden)
        ]
        if places:
            edges = [0, *places, len(text)]
            return [text[start:end].strip() for start, end in pairwise(edges)]
    return [text]
