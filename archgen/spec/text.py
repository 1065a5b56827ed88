"""The bytes of a description as text that is safe to print, to store and to put into source code."""

from __future__ import annotations

import re
from pathlib import Path

from archgen.errors import Problem, SpecError, relative

MAX_BYTES = 4 * 1024 * 1024

# Line ends other than \n would end a comment in generated code, and lone surrogates cannot be written.
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def read(path: Path) -> bytes:
    """The contents of the file; raises SpecError if it can't be read or is longer than MAX_BYTES."""
    name = relative(path)
    try:
        with path.open("rb") as file:
            contents = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SpecError(Problem("there is no such file", name, code="file")) from None
    except IsADirectoryError:
        raise SpecError(Problem("this is a folder, expected a YAML file", name, code="file")) from None
    except OSError as error:
        raise SpecError(Problem(f"cannot be read: {error.strerror or error}", name, code="file")) from None
    if len(contents) > MAX_BYTES:
        limit = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
        raise SpecError(Problem(limit, name, remedy="split the system in several files", code="file"))
    return contents


def decode(source: bytes | str, name: str) -> str:
    """`source` as text, with or without a byte order mark. Raises SpecError unless it is clean UTF-8."""
    if isinstance(source, str):
        text = source.removeprefix("\ufeff")
    else:
        try:
            text = source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = source[: error.start]
            column = len(before.rpartition(b"\n")[2].decode("utf-8-sig", "replace")) + 1
            message = f"the byte 0x{source[error.start]:02x} is not UTF-8"
            line = before.count(b"\n") + 1
            problem = Problem(message, name, line, column, "", "save the file as UTF-8", "encoding")
            raise SpecError(problem) from None
    for found in _INVISIBLE.finditer(text):
        if found.group() == "\r" and text.startswith("\r\n", found.start()):
            continue
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - (text.rfind("\n", 0, found.start()) + 1) + 1
        message = f"the invisible character U+{ord(found.group()):04X} is not accepted"
        raise SpecError(Problem(message, name, line, column, "", "remove it", "encoding"))
    return text


def invisible(text: str) -> str:
    """The first invisible character of `text` as `U+0000`, or an empty string."""
    found = _INVISIBLE.search(text)
    return f"U+{ord(found.group()):04X}" if found else ""
