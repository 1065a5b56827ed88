"""Broken descriptions, each with its messages: files that hold no description at all."""

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads

CASES = [
    pytest.param(
        "",
        ["the file is empty (start with `archgen: 1` and `system: <name>`)"],
        id="empty",
    ),
    pytest.param(
        "  \n\n",
        ["the file is empty (start with `archgen: 1` and `system: <name>`)"],
        id="blank",
    ),
    pytest.param(
        "# nothing\n",
        ["the file is empty (start with `archgen: 1` and `system: <name>`)"],
        id="only a comment",
    ),
    pytest.param(
        "---\n",
        ["the file is empty (start with `archgen: 1` and `system: <name>`)"],
        id="only a marker",
    ),
    pytest.param(
        "~\n",
        ["the file is empty (start with `archgen: 1` and `system: <name>`)"],
        id="null",
    ),
    pytest.param(
        "- archgen: 1\n",
        ["1:1: expected a mapping, found a list (start with `archgen: 1` and `system: <name>`)"],
        id="a list",
    ),
    pytest.param(
        "shop\n",
        ["1:1: expected a mapping, found the text 'shop' (start with `archgen: 1` and `system: <name>`)"],
        id="a text",
    ),
    pytest.param(
        "1\n",
        ["1:1: expected a mapping, found the number 1 (start with `archgen: 1` and `system: <name>`)"],
        id="a number",
    ),
    pytest.param(
        "archgen: 1\nabout: a\x07b\n",
        ["2:9: the invisible character U+0007 is not accepted (remove it)"],
        id="a raw control character",
    ),
    pytest.param(
        "archgen: 1\nabout: a\u2028b\n",
        ["2:9: the invisible character U+2028 is not accepted (remove it)"],
        id="a line separator",
    ),
]


@pytest.mark.parametrize(("text", "problems"), CASES)
def test_broken(text: str, problems: list[str]) -> None:
    with pytest.raises(SpecError) as refusal:
        loads(text, "s.yaml")
    assert [str(problem).removeprefix("s.yaml:").strip() for problem in refusal.value.problems] == problems
