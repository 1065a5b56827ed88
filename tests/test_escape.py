"""Each filter is tested against the real reader of its language: what goes in comes out."""

import ast
import io
import json
import math
import shutil
import subprocess
import tokenize
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from archgen import escape
from archgen.plan_types import Code

any_text = st.text(st.characters(codec=None))
text = st.text(st.characters(codec="utf-8"))
# What people type when they try: quotes, line ends of every kind, other languages' syntax.
nasty = st.lists(
    st.sampled_from(
        ['"""', "'''", '"', "'", "\\", "\n", "\r\n", "\r", "\x85", "\u2028", "\x0c", "\t", " ", "{{ x }}",
         "{% raw %}", "$(rm -rf /)", "`id`", "${HOME}", "$$", "$", "#", "# coding: utf-7", "*/", "/*", "//",
         "\\u000a", "\\\\u002a", "<script>", "&amp;", "]]>", "|", "*", "_", "- ", "1. ", "+", "[x](y)", "![",
         "~~", ": ", "%", "!", "\x7f", "\x1b[2J", "\u202e", "\ufeff", "\0", "a", "word", "é", "😀", "- [ ] ",
         "=== ", "---", "<!--", "\\n"]
    ),
    max_size=12,
).map("".join)  # fmt: skip
strings = text | nasty

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | strings
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(strings.filter(lambda s: len(s) < 200), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values | any_text)
def test_py_reads_back(value: Any) -> None:
    assert ast.literal_eval(escape.py(value)) == value


@given(st.recursive(scalars, lambda inner: st.tuples(inner) | st.tuples(inner, inner)))
def test_py_reads_back_tuples(value: Any) -> None:
    assert ast.literal_eval(escape.py(value)) == value


@given(strings)
def test_py_is_one_line_that_shows_what_it_is(value: str) -> None:
    assert escape.py(value).isprintable()


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("it's", '"it\'s"'),
        ('say "hi"', "'say \"hi\"'"),
        ("both ' and \"", '"both \' and \\""'),
        ("\u202e", '"\\u202e"'),
    ],
)
def test_py_quotes_as_ruff_does(value: str, literal: str) -> None:
    assert escape.py(value) == literal


@given(strings)
def test_py_agrees_with_ruff_on_quotes(value: str) -> None:
    literal = escape.py(value)
    other = {'"': "'", "'": '"'}[literal[0]]
    assert literal[1:-1].count("\\" + literal[0]) <= max(value.count(other), value.count(literal[0]))


@given(values | any_text)
def test_json_reads_back(value: Any) -> None:
    written = escape.json(value)
    assert json.loads(written.encode()) == value
    assert "\n" not in written


@given(values)
def test_yaml_reads_back(value: Any) -> None:
    assert yaml.safe_load(f"key: {escape.yaml(value)}\n") == {"key": value}


@given(strings.filter(lambda s: len(s) < 200))
def test_yaml_is_fine_as_a_key_and_in_a_list(value: str) -> None:
    assert yaml.safe_load(f"{escape.yaml(value)}: [1, {escape.yaml(value)}]  # no comment\n") == {
        value: [1, value]
    }


def _without_none(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_without_none, value.values()))
    return all(map(_without_none, value)) if isinstance(value, list) else value is not None


@given(values.filter(_without_none))
def test_toml_reads_back(value: Any) -> None:
    assert tomllib.loads(f"key = {escape.toml(value)}\n") == {"key": value}


@pytest.mark.skipif(not shutil.which("sh"), reason="no POSIX shell here")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strings.filter(lambda s: "\0" not in s))
def test_sh_reads_back(value: str) -> None:
    run = subprocess.run(["sh", "-c", f"printf %s {escape.sh(value)}"], capture_output=True, check=True)
    assert run.stdout == value.encode()


@pytest.mark.skipif(not shutil.which("make"), reason="no make here")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strings)
def test_a_make_recipe_reads_back(tmp_path: Path, value: str) -> None:
    words = escape.oneline(value)
    recipe = escape.makefile(escape.sh(words))
    (tmp_path / "Makefile").write_text(f"say:\n\t@printf %s {recipe}\n", "utf-8")
    run = subprocess.run(
        ["make", "-s", "-C", str(tmp_path), "--no-print-directory"], capture_output=True, check=True
    )
    assert run.stdout == words.encode()


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\\", "a\0b"])
def test_what_a_recipe_cant_hold_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="oneline"):
        escape.makefile(value)


@given(strings)
def test_md_is_read_as_text(value: str) -> None:
    for dialect in ("commonmark", "gfm-like"):
        tokens = MarkdownIt(dialect, {"linkify": False}).parse(escape.md(value))
        assert "".join(map(_shown, tokens)) == escape.oneline(value)
        assert {child.type for token in tokens for child in token.children or []} <= {"text", "text_special"}
        assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}


def _shown(token: Any) -> str:
    return (
        "".join(map(_shown, token.children))
        if token.children
        else token.content
        if token.type != "inline"
        else ""
    )


@given(strings)
def test_md_stays_in_its_table_cell(value: str) -> None:
    table = MarkdownIt("gfm-like", {"linkify": False}).parse(
        f"| a | b |\n|---|---|\n| {escape.md(value)} | end |\n"
    )
    cells = [token for token in table if token.type == "td_open"]
    assert len(cells) == 2


def test_md_leaves_ordinary_prose_alone() -> None:
    assert escape.md("Takes place_order, charges cards (twice?) - really.") == (
        "Takes place_order, charges cards (twice?) - really."
    )


@given(strings)
def test_comment_ends_with_its_line_in_python(value: str) -> None:
    source = f"x = 1  # {escape.comment(value)}\ny = 2\n"
    kinds = [token.type for token in tokenize.tokenize(io.BytesIO(source.encode()).readline)]
    assert kinds.count(tokenize.COMMENT) == 1
    assert len(ast.parse(source.encode()).body) == 2


@given(strings)
def test_comment_never_declares_an_encoding(value: str) -> None:
    source = f"# {escape.comment(value)}\nx = 1\n".encode()
    assert tokenize.detect_encoding(io.BytesIO(source).readline)[0] == "utf-8"


@given(strings)
def test_comment_stays_inside_a_block_comment_even_for_java(value: str) -> None:
    comment = escape.comment(value)
    seen = _java_unicode_escapes(comment)
    assert "*/" not in seen
    assert not set(seen) & set("\n\r")


def _java_unicode_escapes(source: str) -> str:
    """JLS 3.3: a backslash starts an escape when an even number of backslashes precedes it."""
    out, index = "", 0
    while index < len(source):
        if source.startswith("\\\\", index):
            out, index = out + "\\\\", index + 2
        elif source.startswith("\\u", index):
            digits = source[index:].lstrip("\\").lstrip("u")[:4]
            out, index = out + chr(int(digits, 16) if digits.isalnum() and digits.isascii() else 0), index + 2
        else:
            out, index = out + source[index], index + 1
    return out


@given(strings)
def test_docstring_reads_back_line_by_line(value: str) -> None:
    written = f'"""{escape.docstring(value)}"""'
    assert ast.literal_eval(written) == value.replace("\r\n", "\n").replace("\r", "\n")


@given(strings)
def test_oneline_is_one_printable_line(value: str) -> None:
    assert escape.oneline(value).isprintable()


@pytest.mark.parametrize(
    "filter_", [escape.yaml, escape.toml, escape.sh, escape.md, escape.comment, escape.docstring]
)
def test_a_lone_surrogate_is_refused_where_it_has_no_form(filter_: Any) -> None:
    with pytest.raises(ValueError, match="Unicode"):
        filter_("\ud800")


@pytest.mark.parametrize("filter_", [escape.py, escape.json, escape.yaml, escape.toml])
@pytest.mark.parametrize("value", [math.inf, math.nan, object(), b"x", {1, 2}])
def test_what_has_no_literal_is_refused(filter_: Any, value: object) -> None:
    with pytest.raises(ValueError):
        filter_(value)


@pytest.mark.parametrize("value", ["orders", "a/b-c.d_e", "", 3, 2.5, Code("list[Item] | None")])
def test_words_numbers_and_code_are_trusted(value: object) -> None:
    assert escape.trusted(value) == str(value)


@pytest.mark.parametrize("value", ["two words", "a;b", "-rf", "é", "a\n", True, None, ["a"], {"a": 1}])
def test_all_else_is_not_trusted(value: object) -> None:
    with pytest.raises(ValueError):
        escape.trusted(value)


def test_indent_and_join_keep_safe_text_safe_and_nothing_else() -> None:
    assert escape.indent(Code("a:\n  b: 1\nc"), 2) == "a:\n    b: 1\n  c"
    assert escape.join(["a", Code("b: int")], ", ") == "a, b: int"
    with pytest.raises(ValueError):
        escape.join(["a", "b: int"], ", ")
