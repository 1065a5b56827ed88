"""Text for a place: each function writes a value so that the language of that place reads
exactly this value back, whatever it holds.

They are the filters of the templates, and return `Code`, the only kind of text that templates
print besides numbers and plain words (`archgen.render`). A value that a language has no way to
write raises ValueError or TypeError.
"""

from __future__ import annotations

import json as _json
import math
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archgen.plan_types import Code

# What YAML and TOML want escaped besides what JSON escapes: C1 controls, line separators, byte order marks.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LINE_BREAKS = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_ESCAPED_IN_JAVA = re.compile(r"\\+(?=u)")
# PEP 263: a comment of this form in the first two lines changes the encoding of the file.
_ENCODING_DECLARATION = re.compile(r"coding(?=[:=])")


def py(value: Any) -> Code:
    """A Python literal, quoted as ruff format quotes it."""
    return Code(_python(value))


def _python(value: Any) -> str:
    if isinstance(value, str):
        return _python_string(str(value))
    if value is None or isinstance(value, bool | int):
        return repr(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_python(k)}: {_python(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_python, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(_python, value)) + "]"
    raise ValueError(f"no Python literal for {type(value).__name__} {value!r}")


def _python_string(text: str) -> str:
    quote = "'" if text.count('"') > text.count("'") else '"'
    body = "".join(
        "\\" + char if char in (quote, "\\") else char if char.isprintable() else repr(char)[1:-1]
        for char in text
    )
    return quote + body + quote


def json(value: Any) -> Code:
    """A JSON document on one line."""
    return Code(_structure(value, _json_string, ": ", _json_number))


def yaml(value: Any) -> Code:
    """A YAML value in flow style, strings in double quotes, the same in YAML 1.1 and 1.2."""
    return Code(_structure(value, _escaped_string, ": ", _yaml_number))


def toml(value: Any) -> Code:
    """A TOML value; a mapping becomes an inline table."""
    return Code(_structure(value, _escaped_string, " = ", _json_number, null=False))


def _structure(
    value: Any,
    string: Callable[[str], str],
    colon: str,
    number: Callable[[int | float], str],
    null: bool = True,
) -> str:
    """JSON and its relatives differ in strings, numbers and the sign between key and value."""

    def write(value: Any) -> str:
        if isinstance(value, str):
            return string(str(value))
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is None and null:
            return "null"
        if isinstance(value, int | float):
            return number(value)
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{string(_key(k))}{colon}{write(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list | tuple):
            return "[" + ", ".join(map(write, value)) + "]"
        raise ValueError(f"no way to write {type(value).__name__} {value!r}")

    return write(value)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key must be text, not {key!r}")
    return str(key)


def _json_string(text: str) -> str:
    # A lone surrogate has no UTF-8 form; JSON can still say it with an escape.
    return _json.dumps(text, ensure_ascii=not _encodable(text))


def _escaped_string(text: str) -> str:
    _checked(text)
    return _UNPRINTABLE.sub(
        lambda found: f"\\u{ord(found.group()):04x}", _json.dumps(text, ensure_ascii=False)
    )


def _json_number(value: int | float) -> str:
    return _json.dumps(value, allow_nan=False)


def _yaml_number(value: int | float) -> str:
    text = _json_number(value)
    # YAML 1.1 reads 1e+22 as text and 1.0e+22 as a number.
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def sh(value: Any) -> Code:
    """One word of a POSIX shell command."""
    text = _checked(_scalar(value))
    if "\0" in text:
        raise ValueError("a shell word can't hold a NUL")
    return Code(shlex.quote(text))


def makefile(value: Any) -> Code:
    """A piece of a recipe line: `name|sh|makefile`. Make itself reads only `$` and the line's end."""
    text = _checked(_scalar(value))
    if _LINE_BREAKS.search(text) or "\0" in text or text.endswith("\\"):
        raise ValueError("a recipe line can't hold a line break or end in a backslash; use `oneline` before")
    return Code(text.replace("$", "$$"))


def md(value: Any) -> Code:
    """Inline text of Markdown, on one line: read as text, never as markup or HTML."""
    text = oneline(value)
    text = re.sub(r"[\\`*\[\]<>|~&$!]", r"\\\g<0>", text)
    # Inside a word an underscore is text; a sign is a list or a heading only at the start.
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)
    text = re.sub(r"^([#+=:-])", r"\\\1", text)
    return Code(re.sub(r"^(\d+)([.)])", r"\1\\\2", text))


def comment(value: Any) -> Code:
    """The rest of a one-line comment in any of the languages, also safe inside `/* */`."""
    text = oneline(value).replace("*/", "* /").replace("/*", "/ *")
    # Java reads \\u000a as a line break even in a comment, unless the backslashes are even in number.
    text = _ESCAPED_IN_JAVA.sub(lambda found: found.group() + "\\" * (len(found.group()) % 2), text)
    return Code(_ENCODING_DECLARATION.sub("coding ", text))


def docstring(value: Any) -> Code:
    '''What stands between `"""` and `"""`; lines stay lines.'''
    text = re.sub(r"\r\n?", "\n", _checked(_scalar(value)))
    body = "".join(
        "\\\\" if char == "\\" else char if char == "\n" or char.isprintable() else repr(char)[1:-1]
        for char in text
    )
    return Code(re.sub(r'"(?="|\Z)', r"\"", body))


def oneline(value: Any) -> str:
    """The text on one line: runs of white space become a space, and what does not print a `�`."""
    text = " ".join(_checked(_scalar(value)).split())
    return "".join(char if char.isprintable() else "�" for char in text)


def indent(value: Any, width: int = 4) -> Code:
    """Every line but the first moved right by `width` spaces; keeps safe text safe."""
    return Code(trusted(value).replace("\n", "\n" + " " * width))


def join(values: Sequence[Any], separator: str = "") -> Code:
    """The values, each safe by itself, with a separator that the template's author wrote."""
    return Code(str(separator).join(trusted(value) for value in values))


_WORD = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_/.-]*")


def trusted(value: Any) -> Code:
    """The value as text that can't do harm anywhere: `Code`, a number, or a plain word.

    Raises ValueError for all else, so that what nobody thought of escaping stops the run
    instead of landing in somebody's shell script.
    """
    if hasattr(value, "__html__"):
        return Code(value.__html__())
    if isinstance(value, str) and (not value or _WORD.fullmatch(value)):
        return Code(str(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Code(value)
    raise ValueError(
        f"{value!r} is not a plain word: pass it through a filter such as py, yaml, sh, md or comment"
    )


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{value!r} is not text")


def _encodable(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _checked(text: str) -> str:
    if not _encodable(text):
        raise ValueError(f"{text!r} is not valid Unicode")
    return text


FILTERS = (py, json, yaml, toml, sh, makefile, md, comment, docstring, oneline, indent, join)
