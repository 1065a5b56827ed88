from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archgen.contracts.yaml_text import Json, to_yaml

# The core schema of YAML 1.2.2, section 10.3.2, as a resolver for PyYAML's loader.
_CORE = {
    "null": (r"null|Null|NULL|~|", "~nN\0"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
}


class Yaml12(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _name, (_pattern, _first) in _CORE.items():
    Yaml12.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), list(_first))

# What means something to YAML somewhere, close together.
tricky = st.text(
    st.sampled_from("ab01:#- \n\t'\"|>{}[],&*!%@`?~.eE+_xonyN=<\\/\u00a0\u0085\u2028\ufeff\x7f\r🛒é")
)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | tricky | st.text(st.characters(exclude_categories=["Cs"]))
documents: st.SearchStrategy[Json] = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(tricky, inner)
)


@given(documents)
def test_what_is_written_is_read_back_under_both_versions(document: Json) -> None:
    text = to_yaml(document)
    assert yaml.safe_load(text) == document
    assert yaml.load(text, Loader=Yaml12) == document


@pytest.mark.parametrize(
    "text",
    [
        *[
            "on",
            "No",
            "yes",
            "y",
            "null",
            "~",
            "1:30",
            "0o17",
            "0x1f",
            "1e3",
            "1_000",
            ".5",
            "2026-01-01",
            "=",
            "<<",
        ],
        "",
    ],
)
def test_strings_that_look_like_something_else_are_quoted(text: str) -> None:
    assert to_yaml({"key": text}) == f'key: "{text}"\n'


def test_text_reads_as_a_person_would_write_it() -> None:
    assert to_yaml({"b": ["x", {"c": 1, "d": []}], "a": "one: two", "about": "first\nsecond"}) == (
        'b:\n  - x\n  - c: 1\n    d: []\na: "one: two"\nabout: |-\n  first\n  second\n'
    )


def test_equal_parts_are_written_out_and_not_aliased() -> None:
    part: dict[str, Json] = {"type": "string"}
    assert "&" not in to_yaml({"a": part, "b": part})
