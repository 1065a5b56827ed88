"""Broken descriptions, each with its messages: what is no YAML, or YAML that a description must not use."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from archgen.errors import SpecError
from archgen.spec import loads
from tests.spec.samples import BASE

CASES = [
    pytest.param(
        "archgen: 1\nsystem: [shop\n",
        [
            "2:9: not valid YAML: while parsing a flow sequence did not find expected ',' or ']', noticed in line 3"
        ],
        id="unclosed bracket",
    ),
    pytest.param(
        'archgen: 1\nsystem: "shop\n',
        [
            "2:9: not valid YAML: while scanning a quoted scalar found unexpected end of stream, noticed in line 3"
        ],
        id="unclosed quote",
    ),
    pytest.param(
        "archgen: 1\nabout: orders: and more\n",
        ["2:14: not valid YAML: a second `:` in one line (quote text that contains `: `)"],
        id="two colons in a line",
    ),
    pytest.param(
        "archgen: 1\nservices:\n\torders: {}\n",
        [
            "3:1: not valid YAML: found character that cannot start any token (indent with spaces, and quote text that starts with punctuation)"
        ],
        id="indented with a tab",
    ),
    pytest.param(
        "archgen: 1\nservices:\n  orders:\n    port: 1\n   language: python\n",
        ["5:4: not valid YAML: while parsing a block mapping did not find expected key"],
        id="wrong indentation",
    ),
    pytest.param(
        "archgen: 1\nowner: @team\n",
        [
            "2:8: not valid YAML: found character that cannot start any token (indent with spaces, and quote text that starts with punctuation)"
        ],
        id="at sign",
    ),
    pytest.param(
        "archgen: 1\nabout: `rm -rf`\n",
        [
            "2:8: not valid YAML: found character that cannot start any token (indent with spaces, and quote text that starts with punctuation)"
        ],
        id="backtick",
    ),
    pytest.param(
        "archgen: 1\nsystem: {{ name }}\n",
        [
            "1:1: services: a system needs at least one service (add it under `services`)",
            "2:9: system: expected text, found an empty mapping",
            "2:10: expected text as a key, found a mapping (put it in quotes)",
        ],
        id="unfinished template",
    ),
    pytest.param(
        "archgen: 1\nsystem: *name\n",
        ["2:9: nothing is anchored as &name"],
        id="unknown alias",
    ),
    pytest.param(
        "archgen: 1\nx-loop: &loop [*loop]\n",
        ["2:16: *loop contains itself"],
        id="alias of itself",
    ),
    pytest.param(
        BASE.replace("system: shop", "x-base: &base {port: 1}\nsystem: shop") + "    <<: *base\n",
        ["12:5: merge keys (<<) are not part of YAML 1.2 (repeat the keys)"],
        id="merge key",
    ),
    pytest.param(
        "archgen: 1\nsystem: !!python/object/apply:os.system ['rm -rf /']\n",
        ["2:9: the tag '!!python/object/apply:os.system' is not accepted (write the plain value)"],
        id="python object",
    ),
    pytest.param(
        "archgen: 1\nsystem: !!str shop\n",
        ["2:9: the tag '!!str' is not accepted (write the plain value)"],
        id="tag",
    ),
    pytest.param(
        BASE + "---\n" + BASE,
        ["11:1: a second document starts here (keep one system per file)"],
        id="two documents",
    ),
    pytest.param(
        BASE + "    port: 1\n    port: 2\n",
        ["12:5: the key 'port' is given twice, first in line 11 (keep one of them)"],
        id="a key twice",
    ),
    pytest.param(
        BASE + "    1: one\n",
        ["11:5: expected text as a key, found the number 1 (put it in quotes)"],
        id="a number as key",
    ),
    pytest.param(
        BASE + "    on: {}\n    true: {}\n",
        ["12:5: expected text as a key, found the boolean true (put it in quotes)"],
        id="a boolean as key",
    ),
    pytest.param(
        BASE + "    ? [a, b]\n    : c\n",
        ["11:7: expected text as a key, found a list (put it in quotes)"],
        id="a list as key",
    ),
    pytest.param(
        "archgen: 1\nport: " + "9" * 5000 + "\n",
        ["2:7: the number is too long (quote it if it is text)"],
        id="a huge number",
    ),
    pytest.param(
        BASE + '    about: "a\\rb"\n',
        ["11:12: the invisible character U+000D is not accepted"],
        id="an escaped control character",
    ),
    pytest.param(
        BASE + '    about: "\\ud800"\n',
        [
            "11:12: not valid YAML: while parsing a quoted scalar found invalid Unicode character escape code, noticed in line 11"
        ],
        id="an escaped surrogate",
    ),
    pytest.param(
        BASE + '    owner: "a\\0b"\n',
        ["11:12: the invisible character U+0000 is not accepted"],
        id="an escaped null",
    ),
]


@pytest.mark.parametrize(("text", "problems"), CASES)
def test_broken(text: str, problems: list[str]) -> None:
    with pytest.raises(SpecError) as refusal:
        loads(text, "s.yaml")
    assert [str(problem).removeprefix("s.yaml:").strip() for problem in refusal.value.problems] == problems
