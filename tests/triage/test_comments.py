"""A comment is what the language says it is: the same words in a string are none."""

from __future__ import annotations

import pytest

from archgen.triage.comments import comments

M = "archgen: ignore[X]"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", f'x = "# {M}"\n"""\n# {M}\n"""\ny = 1  # {M}\n# {M}\n', {5: False, 6: True}),
        ("a.ts", f"const a = `// {M}`; // {M}\n/* {M}\n {M} */\n", {1: False, 2: True, 3: True}),
        ("a.tsx", f'const a = <p t="// {M}">x</p>;\n// {M}\n', {2: True}),
        ("a.js", f'const a = "// {M}"; // {M}\n', {1: False}),
        ("a.go", f"package a\nvar x = `// {M}`\nvar y = 1 // {M}\n/* {M} */\n", {3: False, 4: True}),
        ("A.java", f'class A {{ String s = "// {M}"; }}\n/* {M} */\n', {2: True}),
        ("a.yaml", f'a: "# {M}"\nb: |\n  # {M}\nc: 1 # {M}\n# {M}\nd: x#{M}\n', {4: False, 5: True}),
        ("Dockerfile", f'FROM x\n# {M}\nRUN echo "# {M}"\n', {2: True}),
        ("worker.Dockerfile", f"FROM x\n# {M}\n", {2: True}),
        ("a.tf", f'a = "# {M}"\n// {M}\n/* {M} */\nb = 1 # {M}\n', {2: True, 3: True, 4: False}),
        ("a.sql", f"select '-- {M}';\nselect 1; -- {M}\n/* {M} */\n", {2: False, 3: True}),
        ("a.sh", f"echo '# {M}'\n# {M}\n", {2: True}),
        ("Makefile", f"# {M}\na:\n\techo x\n", {1: True}),
        (".env", f"# {M}\nA=1\n", {1: True}),
        (".env.example", f"# {M}\nA=1\n", {1: True}),
        ("a.properties", f"# {M}\na=1\n", {1: True}),
        ("Procfile", f"# {M}\nweb: x\n", {1: True}),
        ("backup.crontab", f"# {M}\n0 2 * * * x\n", {1: True}),
        ("a.toml", f'a = "# {M}"\n# {M}\n', {2: True}),
        ("pom.xml", f"<a>\n<!-- {M} -->\n</a>\n", {2: True}),
        ("a.md", f"<!-- {M} -->\n```\n<!-- {M} -->\n```\n# {M}\n", {1: True}),
        ("a.json", f'{{"a": "# {M}"}}', {}),
        ("a.unknown", f"# {M}\n", {}),
        ("a.py", f"x = 1\r\n# {M}\r\n", {2: True}),
    ],
)
def test_comments_by_language(path: str, text: str, expected: dict[int, bool]) -> None:
    assert {c.line: c.alone for c in comments(path, text) if M in c.text} == expected
