"""Plain data → YAML text that reads the same under YAML 1.1 and 1.2.

Block style, keys in the order given, no anchors, no folding: the same data is always the same
text, and a changed line in the data is a changed line in the file. PyYAML's own writer takes ten
times as long, which was half of what generating a system takes.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_NEWLINE = "\n"

# Text that can stand without quotes: nothing in it means something to YAML, in any version.
_PLAIN = re.compile(r"[A-Za-z/][^\x00-\x1f:#]*")
# Words that one of the versions reads as a boolean or as null.
_WORDS = re.compile(r"y|n|yes|no|on|off|true|false|null|none", re.IGNORECASE)
# What may not stand in YAML text as it is, or would end a line there; JSON leaves it alone.
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def to_yaml(data: Json) -> str:
    """`data` as one YAML document that ends in a newline. Raises ValueError for infinity and NaN."""
    lines: list[str] = []
    if isinstance(data, dict | list) and data:
        _write(lines, data, "", "")
    else:
        lines.append(_scalar(data))
    return "\n".join(lines) + "\n"


def _write(lines: list[str], data: dict[str, Json] | list[Json], lead: str, indent: str) -> None:
    """Adds the lines of what is not empty; the first one starts with `lead`, the others with `indent`."""
    if isinstance(data, dict):
        for key, value in data.items():
            _entry(lines, f"{lead}{_string(key)}:", value, indent)
            lead = indent
    else:
        for item in data:
            if isinstance(item, dict | list) and item:
                _write(lines, item, f"{lead}- ", f"{indent}  ")
            else:
                _entry(lines, f"{lead}-", item, indent)
            lead = indent


def _entry(lines: list[str], head: str, value: Json, indent: str) -> None:
    if isinstance(value, dict | list) and value:
        lines.append(head)
        _write(lines, value, f"{indent}  ", f"{indent}  ")
    elif isinstance(value, str) and _fits_a_block(value):
        lines.append(f"{head} {'|' if value.endswith(_NEWLINE) else '|-'}")
        inner = value.removesuffix(_NEWLINE).split(_NEWLINE)
        lines.extend(f"{indent}  {line}" if line else "" for line in inner)
    else:
        lines.append(f"{head} {_scalar(value)}")


def _scalar(value: Json) -> str:
    match value:
        case str():
            return _string(value)
        case None | bool() | int():
            return json.dumps(value)
        case float():
            return _float(value)
        case dict():
            return "{}"
        case _:
            return "[]"


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a JSON number")
    text = repr(value)
    # YAML 1.1 wants a point before the exponent.
    return text if "." in text else text.replace("e", ".0e")


@lru_cache(maxsize=10_000)
def _string(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and not _UNPRINTABLE.search(text)
    if plain and not _WORDS.fullmatch(text) and not text.endswith(" "):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", quoted)


def _fits_a_block(text: str) -> bool:
    """Whether a literal block gives back exactly `text`; blanks at the ends of lines would not show."""
    return (
        "\n" in text
        and not text.startswith((" ", "\n"))
        and not text.endswith("\n\n")
        and all(line == line.rstrip() and line.isprintable() for line in text.split("\n"))
        and not _UNPRINTABLE.search(text)
    )
