"""Plain data → YAML text that reads the same under YAML 1.1 and 1.2.

Block style, keys in the order given, no anchors, no folding: the same data is always the same
text, and a changed line in the data is a changed line in the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import yaml

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

# What one of the two versions reads as something other than a string, and PyYAML's own check
# (YAML 1.1 as PyYAML implements it) does not see: y and n, octal 0o7, exponents without a dot.
_AMBIGUOUS = re.compile(
    r"""  [yYnN]
        | [-+]? 0o [0-7_]+ | [-+]? 0x [0-9a-fA-F_]+ | [-+]? 0b [01_]+
        | [-+]? [0-9.] [0-9_.:]* (?: [eE] [-+]? [0-9]+ )?
        | [-+]? \. (?: inf | nan )
        | yes | no | on | off | true | false | null | none | ~
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PRINTABLE_LINES = re.compile(r"[\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*")


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _AMBIGUOUS.fullmatch(text) or not _PRINTABLE_LINES.fullmatch(text):
        style = '"'
    elif "\n" in text:
        style = "|" if _fits_a_block(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _fits_a_block(text: str) -> bool:
    """Whether a literal block gives back exactly `text`: leading and trailing blanks would be lost."""
    return not text.startswith((" ", "\n")) and all(line == line.rstrip() for line in text.split("\n"))


_Dumper.add_representer(str, _string)


def to_yaml(data: Json) -> str:
    """`data` as one YAML document that ends in a newline."""
    return yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=2**31,
    )
