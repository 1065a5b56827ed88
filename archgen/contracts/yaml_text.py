"""Plain data → YAML text that reads the same under YAML 1.1 and 1.2.

Block style, keys in the order given, no anchors, no folding: the same data is always the same
text, and a changed line in the data is a changed line in the file. PyYAML's own writer takes ten
times as long, which was half of what generating a system takes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

# Text that can stand without quotes: nothing in it means something to YAML, in any version.
_PLAIN = re.compile(r"[A-Za-z/][^\x00-\x1f:#]*")
# Words that one of the versions reads as a boolean or as null.
_WORDS = re.compile(r"y|n|yes|no|on|off|true|false|null|none", re.IGNORECASE)
# What may not stand in YAML text as it is, or would end a line there; JSON leaves it alone.
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def to_yaml(data: Json) -> str:
    """`data` as one YAML document that ends in a newline. Raises ValueError for infinity and NaN."""
    return "\n".join(_lines(data, "")) + "\n"


def _lines(data: Json, indent: str) -> Iterator[str]:
    """The lines of a value that starts a line of its own."""
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from _entry(f"{indent}{_string(key)}:", value, indent)
    elif isinstance(data, Sequence) and not isinstance(data, str) and data:
        for item in data:
            if isinstance(item, Mapping | Sequence) and not isinstance(item, str) and item:
                first, *others = _lines(item, f"{indent}  ")
                yield f"{indent}- {first.lstrip(' ')}"
                yield from others
            else:
                yield from _entry(f"{indent}-", item, indent)
    else:
        yield indent + _scalar(data)


def _entry(head: str, value: Json, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str) and value:
        yield head
        yield from _lines(value, f"{indent}  ")
    elif isinstance(value, str) and _fits_a_block(value):
        yield f"{head} {'|' if value.endswith(chr(10)) else '|-'}"
        for line in value.removesuffix("\n").split("\n"):
            yield f"{indent}  {line}" if line else ""
    else:
        yield f"{head} {_scalar(value)}"


def _scalar(value: Json) -> str:
    match value:
        case str():
            return _string(value)
        case None | bool() | int():
            return json.dumps(value)
        case float():
            return _float(value)
        case Mapping():
            return "{}"
        case _:
            return "[]"


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a JSON number")
    text = repr(value)
    # YAML 1.1 wants a point before the exponent.
    return text if "." in text else text.replace("e", ".0e")


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
